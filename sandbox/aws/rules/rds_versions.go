package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// postgresVersions are the first and the last minor version that RDS offers, by major
// version. First: since 2026-05-01 no instance can be created with 15.9-15.12, 16.5-16.8
// and 17.1-17.4 (public reports of AWS's notice); 18.1 is the first one after the
// preview. Last: 18.6 is the answer of describe-db-engine-versions in public programs of
// August 2026, and 15.20, 16.16 and 17.12 were released with it. AWS may have skipped
// some.
var postgresVersions = map[string][2]int{
	"15": {13, 20},
	"16": {9, 16},
	"17": {5, 12},
	"18": {1, 6},
}

// postgresVersion returns the full version that RDS runs. A major version, or "", means
// the latest. ok is false if RDS does not offer it.
func postgresVersion(version string) (major, full string, ok bool) {
	if version == "" {
		version = slices.Max(postgresMajors())
	}
	major, minor, exact := strings.Cut(version, ".")
	minors, known := postgresVersions[major]
	if !known {
		return "", "", false
	}
	if !exact {
		return major, fmt.Sprintf("%s.%d", major, minors[1]), true
	}
	n, err := strconv.Atoi(minor)
	return major, version, err == nil && minor == strconv.Itoa(n) && n >= minors[0] && n <= minors[1]
}

func postgresMajors() []string {
	var out []string
	for major := range postgresVersions {
		out = append(out, major)
	}
	return out
}

// verifyVersion returns an error for versions and upgrades that RDS does not offer:
// AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.html.
func verifyVersion(c *Call) error {
	version := c.In.String("engineVersion")
	major, full, ok := postgresVersion(version)
	before := c.Old.String("engineVersionActual")
	if !ok && version != before {
		return refuse("InvalidParameterCombination", "Cannot find version %s for postgres", version)
	}
	if before == "" || version == "" || version == before || strings.HasPrefix(before, version+".") {
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

// versionNumber returns a number by which versions major.minor are ordered.
func versionNumber(version string) int {
	major, minor, _ := strings.Cut(version, ".")
	a, _ := strconv.Atoi(major) // the form was checked
	b, _ := strconv.Atoi(minor)
	return a*1000 + b
}

// fillVersion sets the version that runs.
func fillVersion(c *Call) error {
	version, before := c.In.String("engineVersion"), c.Old.String("engineVersionActual")
	_, full, ok := postgresVersion(version)
	if !ok || (before != "" && (version == "" || strings.HasPrefix(before, version+"."))) {
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

// verifyFamily returns an error if the parameter group's family is not that of the
// version.
func verifyFamily(c *Call) error {
	group := c.In.String("parameterGroupName")
	if group == "" {
		return nil
	}
	version := c.In.String("engineVersion")
	if version == "" {
		version = c.Old.String("engineVersionActual")
	}
	major, _, _ := postgresVersion(version)
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
