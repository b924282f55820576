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

// Part is a part of a request that can be relaxed: the diet, an allergy or a target.
type Part string

// The parts that can be relaxed.
const (
	Diet    Part = "diet"
	Allergy Part = "allergy"
	Target  Part = "target"
)

// Conflict is a part of the request that prevents a plan: a plan exists if only this part
// is relaxed.
type Conflict struct {
	Part Part
	Name string // the name of the allergen or nutrient; empty for the diet
}

// Infeasible is the error of a request for which no plan was found.
type Infeasible struct {
	// Conflicts are the parts of the request that prevent a plan. A plan becomes possible if any
	// one of them is relaxed. Conflicts is empty if more than one part must be relaxed.
	Conflicts []Conflict
	// Missed are the nutrients with targets that no plan can meet. If Missed is empty, only the
	// heuristic failed. The targets can be met by a day with several foods in one slot, but no day
	// with one food in each slot was found.
	Missed []foods.Nutrient
}

// Error names the parts that could be relaxed, and the missed nutrients.
func (e *Infeasible) Error() string {
	text := "no foods of the table in sensible portions meet the targets together"
	if len(e.Missed) > 0 {
		text += "; the nearest plan misses " + joinNames(e.Missed, foods.Nutrient.String)
	}
	if len(e.Conflicts) == 0 {
		return text + "; relaxing a single part of the request is not enough"
	}
	return text + "; relaxing any one of these makes a plan possible: " + joinNames(e.Conflicts, Conflict.String)
}

// String returns the part and the name.
func (c Conflict) String() string { return strings.TrimSpace(string(c.Part) + " " + c.Name) }

// joinNames returns the names of the values, separated by commas.
func joinNames[T any](values []T, name func(T) string) string {
	names := make([]string, len(values))
	for i, value := range values {
		names[i] = name(value)
	}
	return strings.Join(names, ", ")
}

// explain returns an Infeasible for a day that was not found. It relaxes one part
// of the request at a time and plans the day again, so each conflict is proven. It returns
// the context's error if the context ends first.
func (p *Planner) explain(ctx context.Context, r Request, constraints []constraint, past *history, dayIndex int) error {
	missed, err := missedNutrients(ctx, p.menu(r), constraints)
	if err != nil {
		return err
	}
	infeasible := &Infeasible{Missed: missed}
	// tryRelaxed plans the day of a relaxed request. It adds the conflict if a day is found.
	tryRelaxed := func(c Conflict, r Request, constraints []constraint) error {
		_, err := planDay(ctx, p.menu(r), constraints, past, newRNG(r, dayIndex))
		switch {
		case err == nil:
			infeasible.Conflicts = append(infeasible.Conflicts, c)
		case !errors.Is(err, errNotFound):
			return err
		}
		return nil
	}
	if r.Diet != foods.Omnivore {
		relaxed := r
		relaxed.Diet = foods.Omnivore
		if err := tryRelaxed(Conflict{Part: Diet}, relaxed, constraints); err != nil {
			return err
		}
	}
	for i, allergen := range r.Avoid {
		relaxed := r
		relaxed.Avoid = slices.Delete(slices.Clone(r.Avoid), i, i+1)
		if err := tryRelaxed(Conflict{Allergy, string(allergen)}, relaxed, constraints); err != nil {
			return err
		}
	}
	for i, target := range constraints {
		relaxed := slices.Delete(slices.Clone(constraints), i, i+1)
		if err := tryRelaxed(Conflict{Target, target.nutrient.String()}, r, relaxed); err != nil {
			return err
		}
	}
	return infeasible
}

// missedNutrients computes the best mix of all foods of the menu. It returns the nutrients that
// are out of their bounds in this mix. The linear program allows several foods in one slot. A day
// with one food in each slot is a special case of that, so it is not better than this mix.
func missedNutrients(ctx context.Context, m menu, constraints []constraint) ([]foods.Nutrient, error) {
	choices := dayChoices{slots: m.slots}
	for _, options := range m.options {
		var candidates []candidate
		for _, option := range options {
			candidates = append(candidates, candidate{option: option})
		}
		choices.candidates = append(choices.candidates, candidates)
	}
	solution, err := simplex.Solve(ctx, newDayProblem(choices, constraints))
	if err != nil {
		return nil, err
	}
	var missed []foods.Nutrient
	for i, constraint := range constraints {
		if math.Abs(solution.Violations[i]) > tolerance {
			missed = append(missed, constraint.nutrient)
		}
	}
	return missed, nil
}
