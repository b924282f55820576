package main

import (
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"
)

// namesakeRule is the name of the rule for packages in allow.go.
const namesakeRule = "namesake"

// addPackage adds the folder of a package to the folders of its name. It leaves
// out main, and test packages, which have the name of the tested package.
func addPackage(packages map[string][]string, file, name string) {
	if folder := path.Dir(file); name != "" && name != "main" && !strings.HasSuffix(name, "_test") && !slices.Contains(packages[name], folder) {
		packages[name] = append(packages[name], folder)
	}
}

// namesakes returns a finding for each package that has the name of another, in
// all modules together. Otherwise a name in an import or an error would not say
// which package is meant.
func namesakes(packages map[string][]string) []Finding {
	var out []Finding
	for name, folders := range packages {
		for _, folder := range folders[1:] {
			out = append(out, Finding{folder + "/", 1, namesakeRule, name, fmt.Sprintf(
				"package %s has the name of %s: name it after its own concern", name, folders[0])})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}
