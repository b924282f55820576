package planner

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
)

// history counts the foods of the days planned so far.
type history struct {
	times map[*foods.Food]int  // how often each food was planned
	last  map[*foods.Food]bool // the foods of the last planned day
}

// add counts the foods of a day.
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

// repetitionPenalty returns the extra cost of a food that was planned before. It is 1 for
// each time, and 2 more if the food was planned for the day before.
func (h *history) repetitionPenalty(f *foods.Food) float64 {
	penalty := float64(h.times[f])
	if h.last[f] {
		penalty += 2
	}
	return penalty
}

// candidate is a food for a slot. The linear program prefers candidates with a low cost.
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
	// fewCandidates keeps only maxFewCandidates candidates in a slot. That is enough for the targets of
	// most people, and the linear program is solved in a fraction of a millisecond.
	fewCandidates bool
	// allowRepeat allows a food at several meals of the day.
	allowRepeat bool
}

// maxFewCandidates is the maximum number of candidates of a slot if fewCandidates is set.
const maxFewCandidates = 6

// placement is a food at a meal. If meal is empty, it is the food at any meal of the day.
type placement struct {
	meal foods.Meal
	food *foods.Food
}

// selectCandidates selects candidates for each slot. It prefers the foods that were planned least
// often, and chooses at random among foods that were planned equally often. Two slots of the same
// role get different candidates, so that a day does not repeat a food. With allowRepeat, only slots
// of the same meal get different candidates.
func selectCandidates(m menu, past *history, rng *rand.Rand, sel selection) dayChoices {
	// slotGroup returns the group of a slot. The slots of a group must get different candidates.
	slotGroup := func(s slot) slot {
		if !sel.allowRepeat {
			s.meal = ""
		}
		return s
	}
	groupSizes := map[slot]int{} // the number of slots in each group; they share the same options
	for _, s := range m.slots {
		groupSizes[slotGroup(s)]++
	}
	choices := dayChoices{slots: m.slots, candidates: make([][]candidate, len(m.slots))}
	used := map[placement]bool{}
	for i, options := range m.options {
		group := slotGroup(m.slots[i])
		ranked := make([]candidate, len(options))
		for j, option := range options {
			ranked[j] = candidate{option, past.repetitionPenalty(option.food) + rng.Float64()}
		}
		slices.SortFunc(ranked, func(a, b candidate) int { return cmp.Compare(a.cost, b.cost) })
		unused := slices.DeleteFunc(slices.Clone(ranked), func(c candidate) bool { return used[placement{group.meal, c.food}] })
		if len(unused) == 0 {
			unused = ranked // a repeated food is better than an empty slot
		}
		limit := (len(options) + groupSizes[group] - 1) / groupSizes[group] // an equal share of the options, rounded up
		if sel.fewCandidates {
			limit = min(limit, maxFewCandidates)
		}
		choices.candidates[i] = unused[:min(limit, len(unused))]
		for _, c := range choices.candidates[i] {
			used[placement{group.meal, c.food}] = true
		}
	}
	return choices
}
