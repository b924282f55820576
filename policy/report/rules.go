package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/policy/rule"
)

// WriteRulesTable writes the rules as a Markdown table, sorted by ID.
func WriteRulesTable(w io.Writer, rules []*rule.Rule) error {
	sorted := slices.Clone(rules)
	slices.SortFunc(sorted, func(a, b *rule.Rule) int { return strings.Compare(a.ID, b.ID) })
	var b strings.Builder
	cross := 0
	for _, r := range rules {
		if r.Check.Cross {
			cross++
		}
	}
	fmt.Fprintf(&b, "%d rules; %d of them read the stack: resources and their references.\n\n", len(rules), cross)
	b.WriteString("| rule | what holds | why | fix | standards | severity | prod, staging, sandbox | reads |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range sorted {
		reads := "the resource"
		if r.Check.Cross {
			reads = "the stack"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s, %s, %s | %s |\n", r.ID, escapeCell(r.Title), escapeCell(r.Why), escapeCell(r.Fix),
			strings.Join(r.Standards, ", "), r.Severity, r.Levels.Prod, r.Levels.Staging, r.Levels.Sandbox, reads)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
