package costreport

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/policy/cost"
)

// formatText returns the report as text.
func (o output) formatText() string {
	var b strings.Builder
	r := o.Report
	if r.NoFigure != "" {
		fmt.Fprintf(&b, "%s: no figure: %s\n", r.Stack, r.NoFigure)
		return b.String()
	}
	fmt.Fprintf(&b, "Monthly cost of %s in %s: AWS's list prices on demand, %d hours\n\n", r.Stack, r.Region, cost.HoursPerMonth)
	writeRow := func(name string, amount cost.Range, units, price, asOf string) {
		line := fmt.Sprintf("%-*s %12s %12s %12s  %24s %9s  %s", nameWidth, name, amount.Expected, amount.Min, amount.Max, units, price, asOf)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	fmt.Fprintf(&b, "%-*s %12s %12s %12s  %24s %9s  %s\n", nameWidth, "", "expected", "minimum", "maximum", "units a month", "price", "as of")
	hasStalePrice := false
	for _, c := range r.Components {
		writeRow(c.Component, c.Monthly, "", "", "")
		for _, line := range groupBySKU(r.Lines, c.Component) {
			mark := ""
			if line.Stale {
				mark, hasStalePrice = "*", true
			}
			writeRow("  "+line.SKU, line.Monthly, fmt.Sprintf("%d %s", line.Quantity.Expected, line.Unit), line.Price.Exact(), line.AsOf+mark)
		}
	}
	writeRow("total", r.Total, "", "", "")
	if hasStalePrice {
		fmt.Fprintf(&b, "* older than %d days: pf cost refresh\n", int(cost.StaleAfter.Hours()/24))
	}
	writeList(&b, "Without a price, and not in the total", cost.DescribeGaps(r.Unpriced))
	writeList(&b, "Not known yet, and not in the total", cost.DescribeGaps(r.Undecided))
	writeList(&b, "Not counted", r.NotCounted)
	if o.MonthlyBudget > 0 {
		b.WriteString("\n" + o.formatBudget())
	}
	if o.Difference != nil {
		b.WriteString("\n" + formatDifference(*o.Difference))
	}
	return b.String()
}

const (
	// nameWidth is the width of the column of names in characters.
	nameWidth = 38
	// maxChanges is the highest number of changed items in the text. JSON has all.
	maxChanges = 20
)

// formatBudget returns a line that compares the expected amount with the budget.
func (o output) formatBudget() string {
	limit := cost.Micros(o.MonthlyBudget) * cost.Dollar
	if o.Report.Total.Expected > limit {
		return fmt.Sprintf("Budget %s: exceeded by %s\n", limit, o.Report.Total.Expected-limit)
	}
	left := fmt.Sprintf("Budget %s: %s left", limit, limit-o.Report.Total.Expected)
	if !o.Report.Complete() {
		left += ", before what has no price or is not known yet"
	}
	return left + "\n"
}

// groupBySKU returns the lines of a component, the most expensive first. Lines with the same SKU
// and kind are added up.
func groupBySKU(lines []cost.Line, component string) []cost.Line {
	var out []cost.Line
	for _, l := range lines {
		if l.Component != component {
			continue
		}
		i := slices.IndexFunc(out, func(o cost.Line) bool { return o.SKU == l.SKU && o.Kind == l.Kind })
		if i < 0 {
			out = append(out, l)
			continue
		}
		out[i].Monthly = out[i].Monthly.Plus(l.Monthly)
		out[i].Quantity.Expected += l.Quantity.Expected
	}
	slices.SortStableFunc(out, func(a, b cost.Line) int { return cmp.Compare(b.Monthly.Expected, a.Monthly.Expected) })
	return out
}

// writeList writes a list with its title. It writes nothing if the list is empty.
func writeList(b *strings.Builder, title string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	for _, item := range items {
		fmt.Fprintf(b, "  - %s\n", item)
	}
}

// formatDifference returns the part of the report about a change.
func formatDifference(d cost.Difference) string {
	if d.NoFigure != "" {
		return "No difference: " + d.NoFigure + "\n"
	}
	var b strings.Builder
	growth := ""
	if percent, ok := d.Growth(); ok && d.Change.Expected != 0 {
		growth = fmt.Sprintf(", %+d %%", percent)
	}
	fmt.Fprintf(&b, "Change: %s a month (%s to %s)%s\n", d.Change.Expected.Signed(), d.Before.Expected, d.After.Expected, growth)
	for i, c := range d.Lines {
		if i == maxChanges {
			fmt.Fprintf(&b, "  and %d more with smaller changes: --json has them\n", len(d.Lines)-i)
			break
		}
		fmt.Fprintf(&b, "  %12s  %s to %s  %s, %s %s\n", c.Change.Expected.Signed(), c.Before, c.After, c.SKU, c.Component, c.Resource)
	}
	writeList(&b, "New without an amount", cost.DescribeGaps(d.NewGaps))
	writeList(&b, "No more without an amount", cost.DescribeGaps(d.GoneGaps))
	return b.String()
}
