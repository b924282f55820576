package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// postgresVersions are the minor versions that RDS offers, by major version:
// the first and the last. The first: a new instance can't be made of
// 15.9-15.12, 16.5-16.8 and 17.1-17.4 since 2026-05-01 (public reports of AWS's
// notice); 18.1 is the first outside the preview. The last: 18.6 is what
// describe-db-engine-versions answered in public programs of August 2026, and
// 15.20, 16.16 and 17.12 were released with it. AWS may have skipped some.
var postgresVersions = map[string][2]int{
	"15": {13, 20},
	"16": {9, 16},
	"17": {5, 12},
	"18": {1, 6},
}

// postgresVersion is the full version that RDS runs for one that was asked
// for: a major version alone, or none, is the latest. ok is false where RDS
// does not offer it.
func postgresVersion(asked string) (major, full string, ok bool) {
	if asked == "" {
		asked = slices.Max(postgresMajors())
	}
	major, minor, exact := strings.Cut(asked, ".")
	minors, known := postgresVersions[major]
	if !known {
		return "", "", false
	}
	if !exact {
		return major, fmt.Sprintf("%s.%d", major, minors[1]), true
	}
	n, err := strconv.Atoi(minor)
	return major, asked, err == nil && minor == strconv.Itoa(n) && n >= minors[0] && n <= minors[1]
}

func postgresMajors() []string {
	var out []string
	for major := range postgresVersions {
		out = append(out, major)
	}
	return out
}

// verifyVersion refuses versions that RDS does not offer, and steps that it
// does not take: AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.html.
func verifyVersion(c *Call) error {
	asked := c.In.String("engineVersion")
	major, full, ok := postgresVersion(asked)
	before := c.Old.String("engineVersionActual")
	if !ok && asked != before {
		return refuse("InvalidParameterCombination", "Cannot find version %s for postgres", asked)
	}
	if before == "" || asked == "" || asked == before || strings.HasPrefix(before, asked+".") {
		return nil
	}
	was, _, _ := strings.Cut(before, ".")
	switch {
	case versionNumber(full) < versionNumber(before):
		return refuse("InvalidParameterCombination", "Cannot upgrade postgres from %s to %s", before, full)
	case was != major && !c.In.Bool("allowMajorVersionUpgrade"):
		return refuse("InvalidParameterCombination", "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")
	}
	return nil
}

// versionNumber orders versions of the form major.minor.
func versionNumber(version string) int {
	major, minor, _ := strings.Cut(version, ".")
	a, _ := strconv.Atoi(major) // the form was checked
	b, _ := strconv.Atoi(minor)
	return a*1000 + b
}

// fillVersion says which version runs.
func fillVersion(c *Call) error {
	asked, before := c.In.String("engineVersion"), c.Old.String("engineVersionActual")
	_, full, ok := postgresVersion(asked)
	if !ok || (before != "" && (asked == "" || strings.HasPrefix(before, asked+"."))) {
		full = before
	}
	c.Out["engineVersionActual"] = full
	c.Out.fill(map[string]any{"engineVersion": full})
	major, _, _ := strings.Cut(full, ".")
	if !c.In.Has("parameterGroupName") {
		c.Out["parameterGroupName"] = "default.postgres" + major
	}
	c.Out["optionGroupName"] = "default:postgres-" + major
	return nil
}

// verifyFamily refuses a parameter group of another family than the version's.
func verifyFamily(c *Call) error {
	group := c.In.String("parameterGroupName")
	if group == "" {
		return nil
	}
	asked := c.In.String("engineVersion")
	if asked == "" {
		asked = c.Old.String("engineVersionActual")
	}
	major, _, _ := postgresVersion(asked)
	family := strings.TrimPrefix(group, "default.")
	if o, ok := c.target("parameterGroupName"); ok {
		family = Object(o.State).String("family")
	}
	if family != "postgres"+major {
		return refuse("InvalidParameterCombination", "The parameter group %s with DBParameterGroupFamily %s can't be used for this instance. "+
			"Use a parameter group with DBParameterGroupFamily postgres%s", group, family, major)
	}
	return nil
}
