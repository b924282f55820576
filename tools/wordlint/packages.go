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

// addPackage notes the folder of a package. A program's main has no name to
// confuse, and an external test package has the name of the tested one.
func addPackage(packages map[string][]string, file, name string) {
	if folder := path.Dir(file); name != "" && name != "main" && !strings.HasSuffix(name, "_test") && !slices.Contains(packages[name], folder) {
		packages[name] = append(packages[name], folder)
	}
}

// namesakes finds names of several packages, in all modules together: a reader
// of the name in an import or an error must know which one is meant.
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
