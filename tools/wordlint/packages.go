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

// addPackage adds the folder of a package to the folders of its name. It ignores packages main and
// test packages, because their names must repeat.
func addPackage(packages map[string][]string, file, name string) {
	if folder := path.Dir(file); name != "" && name != "main" && !strings.HasSuffix(name, "_test") && !slices.Contains(packages[name], folder) {
		packages[name] = append(packages[name], folder)
	}
}

// namesakes returns a finding for each package that has the same name as another one, also in
// another module. With such names, a reader of an error would not know which package it names.
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
