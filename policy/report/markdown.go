package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the report for a pull request.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### Policies of `%s`\n\n", r.Stack)
	fmt.Fprintf(&b, "%s.\n", r.summaryLine())
	writeSection := func(title string, keep func(Finding) bool, findings []Finding) {
		var rows []string
		for _, f := range findings {
			if keep(f) {
				rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s |", f.Rule, escapeCell(f.location()), escapeCell(f.Message), escapeCell(f.Fix)))
			}
		}
		if len(rows) > 0 {
			fmt.Fprintf(&b, "\n**%s (%d)**\n\n| rule | resource | what | fix |\n|---|---|---|---|\n%s\n", title, len(rows), strings.Join(rows, "\n"))
		}
	}
	if r.comparedToState {
		writeSection("New mandatory", func(f Finding) bool { return f.Kind == Mandatory && f.New }, r.Findings)
		writeSection("Existing mandatory", func(f Finding) bool { return f.Kind == Mandatory && !f.New }, r.Findings)
	} else {
		writeSection("Mandatory", func(f Finding) bool { return f.Kind == Mandatory }, r.Findings)
	}
	writeSection("Advisory", func(f Finding) bool { return f.Kind == Advisory }, r.Findings)
	writeSection("Waived", func(f Finding) bool { return f.Kind == Waived }, r.Findings)
	writeSection("Fixed", func(Finding) bool { return true }, r.Fixed)
	for _, e := range r.Expiring {
		fmt.Fprintf(&b, "\nThe %s ends on %s. Owner: %s.\n", e, e.Until, e.Owner)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// escapeCell escapes a text for a cell of a Markdown table.
func escapeCell(s string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s) }
