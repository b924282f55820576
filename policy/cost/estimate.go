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
	// Now is the day on which prices are old or not. With the zero time none is.
	Now time.Time
	// Region is used if neither the configuration nor a provider names one.
	Region string
	// Estimates are the units of usage a month, by the name of the estimate. See
	// EstimateNames.
	Estimates map[string]int64
	// Prices replace the built-in table; nil for that.
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

// Estimate returns what a stack costs a month: the fixed items, the Auto Scaling
// groups from their minimum to their maximum, and the usage that Options.Estimates
// says.
func Estimate(s *source.Stack, o Options) Report {
	r := Report{Stack: s.Name(), Components: []Subtotal{}, Lines: []Line{}, NotCounted: []string{}}
	rows := o.Prices
	if rows == nil {
		rows = Prices()
	}
	r.Region, r.NoFigure = region(s, o.Region)
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
		e.add(resource)
	}
	r.NotCounted = e.usage(o.Estimates)
	r.complete()
	return r
}

// region returns the region of a stack, or why it is not known.
func region(s *source.Stack, fallback string) (name, problem string) {
	var found []string
	for _, provider := range s.Graph.OfType("pulumi:providers:aws") {
		if r := text(value.As[value.String](provider.View().Get("region"))); r.ok() && !slices.Contains(found, r.value) {
			found = append(found, r.value)
		}
	}
	if len(found) > 1 {
		slices.Sort(found)
		return "", "the stack has providers of several regions: " + strings.Join(found, ", ")
	}
	name = cmp.Or(append(found, s.Config["aws:region"], fallback)...)
	if name == "" {
		return "", "the region is not known: neither the provider nor aws:region names one"
	}
	return name, ""
}

// add adds the items of one resource. A type of AWS that is in neither table gives a gap:
// it must not count as free before somebody has looked up its price.
func (e *estimator) add(r *graph.Resource) {
	if count := billed[r.Type]; count != nil {
		count(item{e, r})
	} else if strings.HasPrefix(r.Type, "aws:") && !notBilled[r.Type] {
		item{e, r}.unpriced("", "the type "+r.Type+" is not in the table of billed types")
	}
}

// item adds what one resource is billed by.
type item struct {
	e *estimator
	r *graph.Resource
}

// fixed adds a quantity that does not depend on the load.
func (i item) fixed(sku string, quantity int64) {
	i.line(sku, Fixed, Quantity{quantity, quantity, quantity})
}

// hourly adds a number of things that are billed by the hour.
func (i item) hourly(sku string, count int64) { i.fixed(sku, count*HoursPerMonth) }

// line adds an item, or a gap if its SKU has no price. A quantity of zero adds
// nothing.
func (i item) line(sku string, kind Kind, q Quantity) {
	if q == (Quantity{}) {
		return
	}
	p, ok := i.e.prices[sku]
	if !ok {
		i.unpriced(sku, noRow)
		return
	}
	i.e.report.Lines = append(i.e.report.Lines, Line{
		Component: component(i.r), Resource: i.r.Name, URN: i.r.URN, SKU: sku, Kind: kind, Quantity: q, Unit: p.Unit,
		Price: p.Amount, AsOf: p.AsOf.Format(time.DateOnly), Stale: p.Stale(i.e.now),
		Monthly: Range{p.Amount * Micros(q.Min), p.Amount * Micros(q.Expected), p.Amount * Micros(q.Max)},
	})
}

// noRow is the reason of an item without a price.
const noRow = "the price table has no row"

// unpriced adds an item without a price.
func (i item) unpriced(sku, reason string) {
	i.e.report.Unpriced = append(i.e.report.Unpriced, Gap{component(i.r), i.r.Name, i.r.URN, sku, reason})
}

// undecided adds an item whose input has no value; problem is that of its reading.
func (i item) undecided(sku, input, problem string) {
	i.e.report.Undecided = append(i.e.report.Undecided, Gap{component(i.r), i.r.Name, i.r.URN, sku, input + " " + problem})
}

// component returns the name of the outermost component of a resource: its package, such
// as network. It is in the URN, so it is the same for a state, a preview and a recording.
func component(r *graph.Resource) string {
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

// complete sorts the items and computes the sums.
func (r *Report) complete() {
	slices.SortStableFunc(r.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.SKU, b.SKU))
	})
	byGap := func(a, b Gap) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.SKU, b.SKU))
	}
	slices.SortStableFunc(r.Unpriced, byGap)
	slices.SortStableFunc(r.Undecided, byGap)
	sums := map[string]*Subtotal{}
	at := func(name string) *Subtotal {
		if sums[name] == nil {
			sums[name] = &Subtotal{Component: name}
		}
		return sums[name]
	}
	for _, l := range r.Lines {
		sum := at(l.Component)
		sum.Monthly, sum.Lines = sum.Monthly.Plus(l.Monthly), sum.Lines+1
		r.Total = r.Total.Plus(l.Monthly)
	}
	for _, g := range slices.Concat(r.Unpriced, r.Undecided) {
		at(g.Component).Gaps++
	}
	for _, sum := range sums {
		r.Components = append(r.Components, *sum)
	}
	slices.SortFunc(r.Components, func(a, b Subtotal) int {
		return cmp.Or(cmp.Compare(b.Monthly.Expected, a.Monthly.Expected), cmp.Compare(a.Component, b.Component))
	})
}
