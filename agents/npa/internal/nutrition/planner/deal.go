package planner

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
)

// diary counts what has been eaten so far in a plan.
type diary struct {
	times  map[*foods.Food]int
	latest map[*foods.Food]bool // of the latest day
}

func (d *diary) add(day Day) {
	if d.times == nil {
		d.times = map[*foods.Food]int{}
	}
	d.latest = map[*foods.Food]bool{}
	for _, item := range day {
		d.times[item.Food]++
		d.latest[item.Food] = true
	}
}

// weariness is how little one wants a food again: once for every time it was
// had, and twice more if that was yesterday.
func (d *diary) weariness(f *foods.Food) float64 {
	weary := float64(d.times[f])
	if d.latest[f] {
		weary += 2
	}
	return weary
}

// candidate is a food offered for a slot and what choosing it costs.
type candidate struct {
	option
	cost float64
}

// offer is a day to choose from: for each slot of the menu its candidates.
type offer struct {
	slots      []slot
	candidates [][]candidate
}

// dealing is how freely foods are offered.
type dealing struct {
	// few gives a slot only fewFoods, which is enough for the targets of most
	// people and solved in a fraction of a millisecond.
	few bool
	// repeat lets a food be eaten at several meals of the day.
	repeat bool
}

const fewFoods = 6

// place is where a food can be only once: the day, or with repeat a meal.
type place struct {
	meal foods.Meal
	food *foods.Food
}

// deal offers the foods that were eaten least, at random among equals. Slots
// that would offer the same food share the menu out.
func deal(m menu, eaten *diary, luck *rand.Rand, how dealing) offer {
	among := func(s slot) slot {
		if !how.repeat {
			s.meal = ""
		}
		return s
	}
	sharing := map[slot]int{}
	for _, s := range m.slots {
		sharing[among(s)]++
	}
	o := offer{slots: m.slots, candidates: make([][]candidate, len(m.slots))}
	taken := map[place]bool{}
	for i, options := range m.options {
		s := among(m.slots[i])
		ranked := make([]candidate, len(options))
		for j, option := range options {
			ranked[j] = candidate{option, eaten.weariness(option.food) + luck.Float64()}
		}
		slices.SortFunc(ranked, func(a, b candidate) int { return cmp.Compare(a.cost, b.cost) })
		free := slices.DeleteFunc(slices.Clone(ranked), func(c candidate) bool { return taken[place{s.meal, c.food}] })
		if len(free) == 0 {
			free = ranked // better twice than not at all
		}
		most := (len(options) + sharing[s] - 1) / sharing[s]
		if how.few {
			most = min(most, fewFoods)
		}
		o.candidates[i] = free[:min(most, len(free))]
		for _, c := range o.candidates[i] {
			taken[place{s.meal, c.food}] = true
		}
	}
	return o
}
