package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// postgresVersions maps a major version to the first and the last minor version that RDS
// offers.
//
// The first minor versions are from public reports of a notice by AWS: since 2026-05-01
// no instance can be created with 15.9-15.12, 16.5-16.8 and 17.1-17.4. 18.1 is the first
// version after the preview. The last minor versions are from public programs of August
// 2026: describe-db-engine-versions had 18.6, and PostgreSQL released 15.20, 16.16 and
// 17.12 together with 18.6. AWS may have skipped versions between the first and the last.
var postgresVersions = map[string]struct{ firstMinor, lastMinor int }{
	"15": {13, 20},
	"16": {9, 16},
	"17": {5, 12},
	"18": {1, 6},
}

// postgresVersion returns the major version and the full version that RDS runs for a
// version in a program. A major version means its latest minor version. "" means the
// latest version. ok is false if RDS does not offer the version.
func postgresVersion(version string) (major, full string, ok bool) {
	if version == "" {
		version = slices.Max(postgresMajors())
	}
	major, minor, hasMinor := strings.Cut(version, ".")
	offered, known := postgresVersions[major]
	if !known {
		return "", "", false
	}
	if !hasMinor {
		return major, fmt.Sprintf("%s.%d", major, offered.lastMinor), true
	}
	n, err := strconv.Atoi(minor)
	isNumber := err == nil && minor == strconv.Itoa(n) // false for 06
	return major, version, isNumber && n >= offered.firstMinor && n <= offered.lastMinor
}

// postgresMajors returns the major versions that RDS offers.
func postgresMajors() []string {
	var out []string
	for major := range postgresVersions {
		out = append(out, major)
	}
	return out
}

// verifyPostgresVersion returns an error for versions and upgrades that RDS does not offer
// (AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.html).
func verifyPostgresVersion(c *Call) error {
	version := c.In.String("engineVersion")
	major, full, ok := postgresVersion(version)
	oldVersion := c.Old.String("engineVersionActual")
	if !ok && version != oldVersion {
		return refuse("InvalidParameterCombination", "Cannot find version %s for postgres", version)
	}
	isNew := oldVersion == ""
	keepsVersion := version == "" || version == oldVersion || strings.HasPrefix(oldVersion, version+".")
	if isNew || keepsVersion {
		return nil
	}
	oldMajor, _, _ := strings.Cut(oldVersion, ".")
	switch {
	case versionNumber(full) < versionNumber(oldVersion):
		return refuse("InvalidParameterCombination", "Cannot upgrade postgres from %s to %s", oldVersion, full)
	case oldMajor != major && !c.In.Bool("allowMajorVersionUpgrade"):
		return refuse("InvalidParameterCombination", "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")
	}
	return nil
}

// versionNumber returns a number for the comparison of two versions major.minor: a higher
// version has a higher number.
func versionNumber(version string) int {
	major, minor, _ := strings.Cut(version, ".")
	majorNumber, _ := strconv.Atoi(major) // the format was checked
	minorNumber, _ := strconv.Atoi(minor)
	return majorNumber*1000 + minorNumber
}

// fillPostgresVersion sets the full engine version, and the default parameter group and option
// group of its major version.
func fillPostgresVersion(c *Call) error {
	version, oldVersion := c.In.String("engineVersion"), c.Old.String("engineVersionActual")
	_, full, ok := postgresVersion(version)
	// A program with only the major version, or without a version, keeps the old version.
	keepsOld := oldVersion != "" && (version == "" || strings.HasPrefix(oldVersion, version+"."))
	if !ok || keepsOld {
		full = oldVersion
	}
	c.Out["engineVersionActual"] = full
	c.Out.setDefaults(map[string]any{"engineVersion": full})
	major, _, _ := strings.Cut(full, ".")
	if !c.In.Has("parameterGroupName") {
		c.Out["parameterGroupName"] = "default.postgres" + major
	}
	c.Out["optionGroupName"] = "default:postgres-" + major
	return nil
}

// verifyPostgresFamily returns an error if the parameter group is for another major version.
func verifyPostgresFamily(c *Call) error {
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
	if o, ok := c.referencedObject("parameterGroupName"); ok {
		family = Object(o.State).String("family")
	}
	if family != "postgres"+major {
		return refuse("InvalidParameterCombination", "The parameter group %s with DBParameterGroupFamily %s can't be used for this instance. "+
			"Use a parameter group with DBParameterGroupFamily postgres%s", group, family, major)
	}
	return nil
}
