package report

import (
	"fmt"
	"io"
	"strings"
)

// Markdown writes the report for a pull request.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### Policies of `%s`\n\n", r.Stack)
	fmt.Fprintf(&b, "%s.\n", r.summaryLine())
	section := func(title string, keep func(Finding) bool, from []Finding) {
		var rows []string
		for _, f := range from {
			if keep(f) {
				rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s |", f.Rule, cell(f.where()), cell(f.Message), cell(f.Fix)))
			}
		}
		if len(rows) > 0 {
			fmt.Fprintf(&b, "\n**%s (%d)**\n\n| rule | resource | what | fix |\n|---|---|---|---|\n%s\n", title, len(rows), strings.Join(rows, "\n"))
		}
	}
	if r.comparedToState {
		section("New mandatory", func(f Finding) bool { return f.Kind == Mandatory && f.New }, r.Findings)
		section("Existing mandatory", func(f Finding) bool { return f.Kind == Mandatory && !f.New }, r.Findings)
	} else {
		section("Mandatory", func(f Finding) bool { return f.Kind == Mandatory }, r.Findings)
	}
	section("Advisory", func(f Finding) bool { return f.Kind == Advisory }, r.Findings)
	section("Waived", func(f Finding) bool { return f.Kind == Waived }, r.Findings)
	section("Fixed", func(Finding) bool { return true }, r.Fixed)
	for _, e := range r.Expiring {
		fmt.Fprintf(&b, "\nThe %s ends on %s. Owner: %s.\n", e, e.Until, e.Owner)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cell escapes a text for a cell of a Markdown table.
func cell(s string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s) }
