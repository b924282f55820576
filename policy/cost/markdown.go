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
	writeRow := func(name string, amount Range, gaps string) {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", name, amount.Expected, amount.Min, amount.Max, gaps)
	}
	for _, c := range r.Components {
		gaps := ""
		if c.Gaps > 0 {
			gaps = fmt.Sprint(c.Gaps)
		}
		writeRow(c.Component, c.Monthly, gaps)
	}
	writeRow("**total**", r.Total, "")
	for _, list := range []struct {
		title string
		gaps  []Gap
	}{{"Without a price, and not in the total", r.Unpriced}, {"Not known yet, and not in the total", r.Undecided}} {
		if len(list.gaps) > 0 {
			fmt.Fprintf(&b, "\n%s: %s.\n", list.title, strings.Join(DescribeGaps(list.gaps), "; "))
		}
	}
	return b.String()
}

// DescribeGaps returns a text for each gap. Gaps with the same text are one entry, which begins with
// their number, such as "3 × mongo: docdb:db.r6g.large (REASON)".
func DescribeGaps(gaps []Gap) []string {
	var texts []string
	counts := map[string]int{}
	for _, g := range gaps {
		text := g.Component + ": " + g.SKU
		if g.SKU == "" {
			text = g.Component + ": " + g.Resource
		}
		text += " (" + g.Reason + ")"
		if counts[text]++; counts[text] == 1 {
			texts = append(texts, text)
		}
	}
	for i, text := range texts {
		if counts[text] > 1 {
			texts[i] = fmt.Sprintf("%d × %s", counts[text], text)
		}
	}
	return texts
}
