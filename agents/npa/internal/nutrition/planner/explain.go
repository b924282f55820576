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

// Part is the part of a request that a conflict lies in.
type Part string

// The parts that can be let go of.
const (
	Diet    Part = "diet"
	Allergy Part = "allergy"
	Target  Part = "target"
)

// Conflict is one part of the request; without it there is a plan.
type Conflict struct {
	Part Part
	Name string // of the allergen or of the nutrient; empty for the diet
}

// Infeasible says why there is no plan.
type Infeasible struct {
	// Conflicts are those parts each of which alone, let go of, makes a plan
	// possible. It is empty where more than one must go.
	Conflicts []Conflict
	// Missed are the nutrients that every plan misses, for certain. It is empty
	// where only the search ended: mixed foods in a slot would do, but no day of
	// one food a slot was found.
	Missed []foods.Nutrient
}

// Error names what could be let go of, or what is missed.
func (e *Infeasible) Error() string {
	said := "no foods of the table in sensible portions meet the targets together"
	if len(e.Missed) > 0 {
		said += "; the nearest plan misses " + join(e.Missed, foods.Nutrient.String)
	}
	if len(e.Conflicts) == 0 {
		return said + "; letting go of a single part of the request would not change that"
	}
	return said + "; there is a plan without any one of: " + join(e.Conflicts, Conflict.String)
}

// String is the conflict in words.
func (c Conflict) String() string { return strings.TrimSpace(string(c.Part) + " " + c.Name) }

func join[T any](all []T, name func(T) string) string {
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = name(one)
	}
	return strings.Join(names, ", ")
}

// explain lets go of one part of the request at a time and plans the day
// without it, so that what it says is shown and not guessed.
func (p *Planner) explain(ctx context.Context, r Request, rules []rule, eaten *diary, number int) error {
	missed, err := missed(ctx, p.menu(r), rules)
	if err != nil {
		return err
	}
	e := &Infeasible{Missed: missed}
	try := func(c Conflict, r Request, rules []rule) error {
		_, err := plannedDay(ctx, p.menu(r), rules, eaten, luckOf(r, number))
		switch {
		case err == nil:
			e.Conflicts = append(e.Conflicts, c)
		case !errors.Is(err, errNotFound):
			return err
		}
		return nil
	}
	if r.Diet != foods.Omnivore {
		free := r
		free.Diet = foods.Omnivore
		if err := try(Conflict{Part: Diet}, free, rules); err != nil {
			return err
		}
	}
	for i, allergen := range r.Avoid {
		free := r
		free.Avoid = slices.Delete(slices.Clone(r.Avoid), i, i+1)
		if err := try(Conflict{Allergy, string(allergen)}, free, rules); err != nil {
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

// missed returns the nutrients that no mix of the whole menu meets, by the
// programme before any dive: it allows all that a day may be and more, so
// what it misses is missed for certain.
func missed(ctx context.Context, m menu, rules []rule) ([]foods.Nutrient, error) {
	o := offer{slots: m.slots}
	for _, options := range m.options {
		var candidates []candidate
		for _, option := range options {
			candidates = append(candidates, candidate{option: option})
		}
		o.candidates = append(o.candidates, candidates)
	}
	solved, err := simplex.Solve(ctx, problem(o, rules))
	if err != nil {
		return nil, err
	}
	var names []foods.Nutrient
	for i, rule := range rules {
		if math.Abs(solved.Broken[i]) > 1e-6 {
			names = append(names, rule.nutrient)
		}
	}
	return names, nil
}
