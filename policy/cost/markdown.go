package cost

import (
	"fmt"
	"strings"
)

// Markdown returns the subtotals and the total as a Markdown table. Lists of the items without an
// amount follow the table.
func (r Report) Markdown() string {
	if r.NoFigure != "" {
		return "No figure: " + r.NoFigure + ".\n"
	}
	var b strings.Builder
	b.WriteString("| component | expected | minimum | maximum | without an amount |\n|---|---:|---:|---:|---|\n")
	row := func(name string, amount Range, gaps string) {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", name, amount.Expected, amount.Min, amount.Max, gaps)
	}
	for _, c := range r.Components {
		gaps := ""
		if c.Gaps > 0 {
			gaps = fmt.Sprint(c.Gaps)
		}
		row(c.Component, c.Monthly, gaps)
	}
	row("**total**", r.Total, "")
	for _, list := range []struct {
		title string
		gaps  []Gap
	}{{"Without a price, and not in the total", r.Unpriced}, {"Not known yet, and not in the total", r.Undecided}} {
		if len(list.gaps) > 0 {
			fmt.Fprintf(&b, "\n%s: %s.\n", list.title, strings.Join(Names(list.gaps), "; "))
		}
	}
	return b.String()
}

// Names returns a text for each gap. Gaps with the same text are one entry, which begins with
// their number, such as "3 × mongo: docdb:db.r6g.large (REASON)".
func Names(gaps []Gap) []string {
	var names []string
	count := map[string]int{}
	for _, g := range gaps {
		name := g.Component + ": " + g.SKU
		if g.SKU == "" {
			name = g.Component + ": " + g.Resource
		}
		name += " (" + g.Reason + ")"
		if count[name]++; count[name] == 1 {
			names = append(names, name)
		}
	}
	for i, name := range names {
		if count[name] > 1 {
			names[i] = fmt.Sprintf("%d × %s", count[name], name)
		}
	}
	return names
}
