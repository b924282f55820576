package cost

import (
	"cmp"
	"slices"
)

// Difference is what a change costs.
type Difference struct {
	Stack string `json:"stack"`
	// NoFigure says why there is no difference. It is empty if the amounts are
	// valid.
	NoFigure string `json:"noFigure,omitempty"`
	Before   Range  `json:"before,omitzero"`
	After    Range  `json:"after,omitzero"`
	// Change is After minus Before.
	Change Range `json:"change,omitzero"`
	// Components are the components with a changed amount, the largest change
	// first.
	Components []Change `json:"components"`
	// Lines are the items with a changed amount, in the same order.
	Lines []Change `json:"lines"`
	// NewGaps are the items without an amount that only After has.
	NewGaps []Gap `json:"newGaps,omitempty"`
	// GoneGaps are the items without an amount that only Before has.
	GoneGaps []Gap `json:"goneGaps,omitempty"`
}

// Change is the change of a component, or of one item of it.
type Change struct {
	Component string `json:"component"`
	// Resource and SKU name an item; they are empty for a component.
	Resource string `json:"resource,omitempty"`
	SKU      string `json:"sku,omitempty"`
	Before   Range  `json:"before"`
	After    Range  `json:"after"`
	Change   Range  `json:"change"`
}

// Compare returns the difference of two reports of one stack. A resource that is
// replaced is counted once on each side.
func Compare(before, after Report) Difference {
	d := Difference{Stack: after.Stack, Components: []Change{}, Lines: []Change{}}
	for _, r := range []Report{before, after} {
		if r.NoFigure != "" {
			d.NoFigure = r.NoFigure
			return d
		}
	}
	d.Before, d.After, d.Change = before.Total, after.Total, after.Total.Minus(before.Total)
	d.Components = listChanges(before.Lines, after.Lines, func(l Line) Change { return Change{Component: l.Component} })
	d.Lines = listChanges(before.Lines, after.Lines, func(l Line) Change {
		return Change{Component: l.Component, Resource: l.Resource, SKU: l.SKU}
	})
	gapsBefore, gapsAfter := slices.Concat(before.Unpriced, before.Undecided), slices.Concat(after.Unpriced, after.Undecided)
	d.NewGaps, d.GoneGaps = removeGaps(gapsAfter, gapsBefore), removeGaps(gapsBefore, gapsAfter)
	return d
}

// listChanges sums the monthly amounts of all lines that have the same key. It returns a Change for
// each key with a sum that differs between before and after. newKey returns the key of a line, which
// is a Change without amounts.
func listChanges(before, after []Line, newKey func(Line) Change) []Change {
	sums := map[Change]*Change{}
	findSum := func(l Line) *Change {
		key := newKey(l)
		if sums[key] == nil {
			sum := key
			sums[key] = &sum
		}
		return sums[key]
	}
	for _, l := range before {
		c := findSum(l)
		c.Before = c.Before.Plus(l.Monthly)
	}
	for _, l := range after {
		c := findSum(l)
		c.After = c.After.Plus(l.Monthly)
	}
	changed := []Change{}
	for _, c := range sums {
		if c.Change = c.After.Minus(c.Before); c.Change != (Range{}) {
			changed = append(changed, *c)
		}
	}
	slices.SortFunc(changed, func(a, b Change) int {
		return cmp.Or(
			cmp.Compare(b.Change.Expected.abs(), a.Change.Expected.abs()),
			cmp.Compare(a.Component, b.Component), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.SKU, b.SKU))
	})
	return changed
}

// removeGaps returns the gaps that are not in removed.
func removeGaps(gaps, removed []Gap) []Gap {
	return slices.DeleteFunc(slices.Clone(gaps), func(g Gap) bool { return slices.Contains(removed, g) })
}

// Growth returns the growth of the expected amount in percent, rounded up. ok is false if there
// is no difference, or if the amount before is zero: then no percentage exists.
func (d Difference) Growth() (percent int64, ok bool) {
	if d.NoFigure != "" || d.Before.Expected == 0 {
		return 0, false
	}
	change, before := int64(d.Change.Expected)*100, int64(d.Before.Expected)
	percent = change / before
	if change > 0 && change%before != 0 {
		percent++
	}
	return percent, true
}
