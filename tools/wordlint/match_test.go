package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// requireFindings checks that the findings are those of want, and no others. matchesText compares a
// finding with a text of want.
func requireFindings(t *testing.T, findings []Finding, want []string) {
	t.Helper()
	if len(findings) != len(want) {
		t.Fatalf("%d findings, must be %d: %v", len(findings), len(want), findings)
	}
	for _, text := range want {
		if !slices.ContainsFunc(findings, func(f Finding) bool { return matchesText(f, text) }) {
			t.Errorf("%q is not among %v", text, findings)
		}
	}
}

// matchesText reports whether text is the whole finding, "file:line: rule", or a part of
// "file: message".
func matchesText(f Finding, text string) bool {
	return f.String() == text || fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.Rule) == text || strings.Contains(f.Path+": "+f.Message, text)
}
