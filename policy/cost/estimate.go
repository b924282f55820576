package cost

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/value"
)

// Options are what an estimate needs besides the resources.
type Options struct {
	// Now is the day of the estimate. The report marks a price that is older than StaleAfter on
	// that day. With the zero time it marks none.
	Now time.Time
	// Region is used if neither the configuration nor a provider names one.
	Region string
	// Estimates are the units of usage per month, by the name of the estimate. EstimateNames
	// returns the valid names.
	Estimates map[string]int64
	// Prices replace the built-in price table. nil means the built-in table.
	Prices []Price
}

// estimator collects the items of one report.
type estimator struct {
	graph  *graph.Graph
	now    time.Time
	region string
	prices map[string]Price
	report *Report
}

// Estimate returns what a stack costs a month. The report has the fixed items, the Auto Scaling
// groups at their minimum, desired and maximum size, and the usage of Options.Estimates.
func Estimate(s *source.Stack, o Options) Report {
	r := Report{Stack: s.Name(), Components: []Subtotal{}, Lines: []Line{}, NotCounted: []string{}}
	rows := o.Prices
	if rows == nil {
		rows = Prices()
	}
	r.Region, r.NoFigure = findRegion(s, o.Region)
	e := &estimator{graph: s.Graph, now: o.Now, region: r.Region, prices: map[string]Price{}, report: &r}
	for _, p := range rows {
		if p.Region == r.Region {
			e.prices[p.SKU] = p
		}
	}
	if r.NoFigure == "" && len(e.prices) == 0 {
		r.NoFigure = fmt.Sprintf("the price table has no row for the region %s", r.Region)
	}
	if r.NoFigure != "" {
		return r
	}
	for _, resource := range s.Graph.All() {
		e.addResource(resource)
	}
	r.NotCounted = e.addUsage(o.Estimates)
	r.sortAndSum()
	return r
}

// findRegion returns the region of a stack: that of the stack's AWS providers, of its configuration,
// or fallback. If the region is not known, name is empty, and problem says why.
func findRegion(s *source.Stack, fallback string) (name, problem string) {
	var regions []string
	for _, provider := range s.Graph.OfType("pulumi:providers:aws") {
		if r := readString(value.As[value.String](provider.View().Get("region"))); r.ok() && !slices.Contains(regions, r.value) {
			regions = append(regions, r.value)
		}
	}
	if len(regions) > 1 {
		slices.Sort(regions)
		return "", "the stack has providers of several regions: " + strings.Join(regions, ", ")
	}
	name = cmp.Or(append(regions, s.Config["aws:region"], fallback)...)
	if name == "" {
		return "", "the region is not known: neither the provider nor aws:region names one"
	}
	return name, ""
}

// addResource adds the items of one resource. An AWS type that is neither in billed nor in
// notBilled is reported as a resource without a price: it must not count as free.
func (e *estimator) addResource(r *graph.Resource) {
	if addItems := billed[r.Type]; addItems != nil {
		addItems(billing{e, r})
	} else if strings.HasPrefix(r.Type, "aws:") && !notBilled[r.Type] {
		billing{e, r}.addUnpriced("", "the type "+r.Type+" is not in the table of billed types")
	}
}

// billing is one resource and the estimator. Its methods add items of the resource to the
// estimator's report.
type billing struct {
	estimator *estimator
	resource  *graph.Resource
}

// addFixed adds a quantity that does not depend on the load.
func (b billing) addFixed(sku string, quantity int64) {
	b.addLine(sku, Fixed, Quantity{quantity, quantity, quantity})
}

// addHourly adds an item that is billed by the hour. count is the number of units that run for the
// whole month.
func (b billing) addHourly(sku string, count int64) { b.addFixed(sku, count*HoursPerMonth) }

// addLine adds an item, or a gap if its SKU has no price. A quantity of zero adds
// nothing.
func (b billing) addLine(sku string, kind Kind, quantity Quantity) {
	if quantity == (Quantity{}) {
		return
	}
	p, ok := b.estimator.prices[sku]
	if !ok {
		b.addUnpriced(sku, noRow)
		return
	}
	b.estimator.report.Lines = append(b.estimator.report.Lines, Line{
		Component: componentName(b.resource), Resource: b.resource.Name, URN: b.resource.URN, SKU: sku, Kind: kind, Quantity: quantity, Unit: p.Unit,
		Price: p.Amount, AsOf: p.AsOf.Format(time.DateOnly), Stale: p.IsStale(b.estimator.now),
		Monthly: Range{p.Amount * Micros(quantity.Min), p.Amount * Micros(quantity.Expected), p.Amount * Micros(quantity.Max)},
	})
}

// noRow is the reason of a gap with a SKU that is not in the price table.
const noRow = "the price table has no row"

// addUnpriced adds a gap for an item without a price. reason says why there is none.
func (b billing) addUnpriced(sku, reason string) {
	b.estimator.report.Unpriced = append(b.estimator.report.Unpriced, Gap{componentName(b.resource), b.resource.Name, b.resource.URN, sku, reason})
}

// addUndecided adds a gap for an item that depends on an input without a value. problem says why
// the input has no value, such as notKnown.
func (b billing) addUndecided(sku, input, problem string) {
	b.estimator.report.Undecided = append(b.estimator.report.Undecided, Gap{componentName(b.resource), b.resource.Name, b.resource.URN, sku, input + " " + problem})
}

// componentName returns the package name of a resource's outermost component, such as network, or
// "stack" for a resource without a component. The name comes from the URN, which is the same in a
// state, a preview and a recording.
func componentName(r *graph.Resource) string {
	parts := strings.SplitN(r.URN, "::", 4)
	if len(parts) < 3 {
		return "stack"
	}
	for typ := range strings.SplitSeq(parts[2], "$") {
		if name, ok := strings.CutPrefix(typ, "progressive:"); ok {
			name, _, _ = strings.Cut(name, ":")
			return name
		}
	}
	return "stack"
}

// sortAndSum sorts the items, and computes the subtotals and the total.
func (r *Report) sortAndSum() {
	slices.SortStableFunc(r.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.SKU, b.SKU))
	})
	compareGaps := func(a, b Gap) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.SKU, b.SKU))
	}
	slices.SortStableFunc(r.Unpriced, compareGaps)
	slices.SortStableFunc(r.Undecided, compareGaps)
	sums := map[string]*Subtotal{}
	subtotal := func(name string) *Subtotal {
		if sums[name] == nil {
			sums[name] = &Subtotal{Component: name}
		}
		return sums[name]
	}
	for _, l := range r.Lines {
		sum := subtotal(l.Component)
		sum.Monthly, sum.Lines = sum.Monthly.Plus(l.Monthly), sum.Lines+1
		r.Total = r.Total.Plus(l.Monthly)
	}
	for _, g := range slices.Concat(r.Unpriced, r.Undecided) {
		subtotal(g.Component).Gaps++
	}
	for _, sum := range sums {
		r.Components = append(r.Components, *sum)
	}
	slices.SortFunc(r.Components, func(a, b Subtotal) int {
		return cmp.Or(cmp.Compare(b.Monthly.Expected, a.Monthly.Expected), cmp.Compare(a.Component, b.Component))
	})
}
