package planner

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/simplex"
)

// Part is the part of a request that has a conflict.
type Part string

// The parts that can be relaxed.
const (
	Diet    Part = "diet"
	Allergy Part = "allergy"
	Target  Part = "target"
)

// Conflict is one part of the request. If only this part is relaxed, a plan exists.
type Conflict struct {
	Part Part
	Name string // of the allergen or of the nutrient; empty for the diet
}

// Infeasible is the error of a request for which no plan was found.
type Infeasible struct {
	// Conflicts are the parts that make a plan possible when one of them alone
	// is relaxed. It is empty if more than one must be relaxed.
	Conflicts []Conflict
	// Missed are the nutrients whose targets no plan can meet. It is empty if only
	// the heuristic failed: the targets could be met with several foods in one
	// slot, but no day with one food in each slot was found.
	Missed []foods.Nutrient
}

// Error names the parts that could be relaxed, and the missed nutrients.
func (e *Infeasible) Error() string {
	text := "no foods of the table in sensible portions meet the targets together"
	if len(e.Missed) > 0 {
		text += "; the nearest plan misses " + join(e.Missed, foods.Nutrient.String)
	}
	if len(e.Conflicts) == 0 {
		return text + "; relaxing a single part of the request is not enough"
	}
	return text + "; relaxing any one of these makes a plan possible: " + join(e.Conflicts, Conflict.String)
}

// String returns the part and the name.
func (c Conflict) String() string { return strings.TrimSpace(string(c.Part) + " " + c.Name) }

func join[T any](values []T, name func(T) string) string {
	names := make([]string, len(values))
	for i, value := range values {
		names[i] = name(value)
	}
	return strings.Join(names, ", ")
}

// explain returns an Infeasible for a day that was not found. It relaxes one part
// of the request at a time and plans the day again, so each conflict is proven.
func (p *Planner) explain(ctx context.Context, r Request, rules []rule, past *history, dayIndex int) error {
	missed, err := missedNutrients(ctx, p.menu(r), rules)
	if err != nil {
		return err
	}
	e := &Infeasible{Missed: missed}
	try := func(c Conflict, r Request, rules []rule) error {
		_, err := planDay(ctx, p.menu(r), rules, past, newRNG(r, dayIndex))
		switch {
		case err == nil:
			e.Conflicts = append(e.Conflicts, c)
		case !errors.Is(err, errNotFound):
			return err
		}
		return nil
	}
	if r.Diet != foods.Omnivore {
		relaxed := r
		relaxed.Diet = foods.Omnivore
		if err := try(Conflict{Part: Diet}, relaxed, rules); err != nil {
			return err
		}
	}
	for i, allergen := range r.Avoid {
		relaxed := r
		relaxed.Avoid = slices.Delete(slices.Clone(r.Avoid), i, i+1)
		if err := try(Conflict{Allergy, string(allergen)}, relaxed, rules); err != nil {
			return err
		}
	}
	for i, target := range rules {
		if err := try(Conflict{Target, target.nutrient.String()}, r, slices.Delete(slices.Clone(rules), i, i+1)); err != nil {
			return err
		}
	}
	return e
}

// missedNutrients returns the nutrients whose rules no mix of the whole menu satisfies.
// The linear program also allows several foods in one slot. So no day with one food in
// each slot satisfies these rules either.
func missedNutrients(ctx context.Context, m menu, rules []rule) ([]foods.Nutrient, error) {
	choices := dayChoices{slots: m.slots}
	for _, options := range m.options {
		var candidates []candidate
		for _, option := range options {
			candidates = append(candidates, candidate{option: option})
		}
		choices.candidates = append(choices.candidates, candidates)
	}
	solution, err := simplex.Solve(ctx, dayProblem(choices, rules))
	if err != nil {
		return nil, err
	}
	var names []foods.Nutrient
	for i, rule := range rules {
		if math.Abs(solution.Violations[i]) > 1e-6 {
			names = append(names, rule.nutrient)
		}
	}
	return names, nil
}
