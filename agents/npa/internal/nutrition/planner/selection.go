package planner

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
)

// history counts the foods of the days planned so far.
type history struct {
	times map[*foods.Food]int
	last  map[*foods.Food]bool // of the last planned day
}

func (h *history) add(day Day) {
	if h.times == nil {
		h.times = map[*foods.Food]int{}
	}
	h.last = map[*foods.Food]bool{}
	for _, item := range day {
		h.times[item.Food]++
		h.last[item.Food] = true
	}
}

// repetitionPenalty is the cost of a food that was planned before: 1 for each
// time, and 2 more if it was on the day before.
func (h *history) repetitionPenalty(f *foods.Food) float64 {
	penalty := float64(h.times[f])
	if h.last[f] {
		penalty += 2
	}
	return penalty
}

// candidate is a food for a slot, with the cost of choosing it.
type candidate struct {
	option
	cost float64
}

// dayChoices has the candidates of each slot of a day.
type dayChoices struct {
	slots      []slot
	candidates [][]candidate
}

// selection limits the candidates of a slot.
type selection struct {
	// few keeps only fewFoods candidates in a slot. That is enough for the targets of
	// most people, and solved in a fraction of a millisecond.
	few bool
	// repeat allows a food at several meals of the day.
	repeat bool
}

const fewFoods = 6

// placement is a food and the part of the day that may contain it only once. The part
// is the whole day (meal is empty), or one meal if selection.repeat is set.
type placement struct {
	meal foods.Meal
	food *foods.Food
}

// selectCandidates selects the foods that were planned least often, at random among
// equals. It divides the foods among the slots with the same options.
func selectCandidates(m menu, past *history, rng *rand.Rand, sel selection) dayChoices {
	// scope returns the same value for slots that have the same options but must not
	// contain the same food.
	scope := func(s slot) slot {
		if !sel.repeat {
			s.meal = ""
		}
		return s
	}
	sameScope := map[slot]int{}
	for _, s := range m.slots {
		sameScope[scope(s)]++
	}
	choices := dayChoices{slots: m.slots, candidates: make([][]candidate, len(m.slots))}
	used := map[placement]bool{}
	for i, options := range m.options {
		s := scope(m.slots[i])
		ranked := make([]candidate, len(options))
		for j, option := range options {
			ranked[j] = candidate{option, past.repetitionPenalty(option.food) + rng.Float64()}
		}
		slices.SortFunc(ranked, func(a, b candidate) int { return cmp.Compare(a.cost, b.cost) })
		free := slices.DeleteFunc(slices.Clone(ranked), func(c candidate) bool { return used[placement{s.meal, c.food}] })
		if len(free) == 0 {
			free = ranked // a repeated food is better than an empty slot
		}
		limit := (len(options) + sameScope[s] - 1) / sameScope[s]
		if sel.few {
			limit = min(limit, fewFoods)
		}
		choices.candidates[i] = free[:min(limit, len(free))]
		for _, c := range choices.candidates[i] {
			used[placement{s.meal, c.food}] = true
		}
	}
	return choices
}
