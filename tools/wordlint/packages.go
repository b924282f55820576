package main

import (
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"
)

// namesakeRule is the name, in allow.go, of the rule for packages with the same name.
const namesakeRule = "namesake"

// addPackage adds the folder of a package to packages, which has the folders by the name of the
// package. It ignores packages main and test packages, because their names must repeat.
func addPackage(packages map[string][]string, file, name string) {
	if folder := path.Dir(file); name != "" && name != "main" && !strings.HasSuffix(name, "_test") && !slices.Contains(packages[name], folder) {
		packages[name] = append(packages[name], folder)
	}
}

// findNamesakes returns a finding for each package that has the same name as another one, also in
// another module. A reader of an error could not distinguish the two packages.
func findNamesakes(packages map[string][]string) []Finding {
	var findings []Finding
	for name, folders := range packages {
		for _, folder := range folders[1:] {
			findings = append(findings, Finding{folder + "/", 1, namesakeRule, name, fmt.Sprintf(
				"package %s has the name of %s: name it after its own concern", name, folders[0])})
		}
	}
	sort.Slice(findings, func(i, j int) bool { return findings[i].Path < findings[j].Path })
	return findings
}
