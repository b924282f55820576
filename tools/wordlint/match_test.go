package main

import (
	"fmt"
	"strings"
	"testing"
)

// matchAll checks that the findings are those of want, and no others. A text of want is
// the whole finding, "file:line: rule", or a part of "file: message".
func matchAll(t *testing.T, findings []Finding, want []string) {
	t.Helper()
	if len(findings) != len(want) {
		t.Fatalf("%d findings, must be %d: %v", len(findings), len(want), findings)
	}
	for _, w := range want {
		found := false
		for _, f := range findings {
			found = found || f.String() == w || fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.Rule) == w || strings.Contains(f.Message, w) ||
				strings.Contains(f.Path+": "+f.Message, w)
		}
		if !found {
			t.Errorf("%q is not among %v", w, findings)
		}
	}
}
