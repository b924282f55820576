package main

import (
	"fmt"
	"strings"
	"testing"
)

// requireFindings checks that the findings are those of want, and no others. A text of want is the
// whole finding, "file:line: rule", or a part of "file: message".
func requireFindings(t *testing.T, findings []Finding, want []string) {
	t.Helper()
	if len(findings) != len(want) {
		t.Fatalf("%d findings, must be %d: %v", len(findings), len(want), findings)
	}
	for _, text := range want {
		found := false
		for _, finding := range findings {
			found = found || finding.String() == text || fmt.Sprintf("%s:%d: %s", finding.Path, finding.Line, finding.Rule) == text || strings.Contains(finding.Message, text) ||
				strings.Contains(finding.Path+": "+finding.Message, text)
		}
		if !found {
			t.Errorf("%q is not among %v", text, findings)
		}
	}
}
