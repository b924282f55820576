// Package planner plans meals with linear programming. For each day it chooses foods and
// portions that meet a person's targets. It owns the search, the variety of the days and
// the explanation of conflicts. Package energy has the targets. Package foods has the
// foods.
//
// A day is a list of slots, such as "vegetable at lunch". Each slot has candidate foods,
// and each food has three portions: minimum, usual and maximum. The variables of the
// linear program are the shares of these portions in their slot. The shares of a slot
// add up to 1. If all of them belong to one food, they give a portion between the food's
// minimum and maximum.
//
// The solution may split a slot between several foods. A diving heuristic then fixes the
// food of such slots one by one. Finally the portions are rounded to multiples of 5 g.
package planner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/energy"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
)

// MaxDays is the longest plan, in days.
const MaxDays = 31

// Request is the input of a plan.
type Request struct {
	Person      energy.Person
	Goals       []energy.Goal
	Preferences energy.Preferences
	Diet        foods.Diet
	Avoid       []foods.Allergen
	Days        int // 1 to MaxDays
	// Seed is the seed of the random numbers. They choose between equally good plans.
	Seed uint64
}

// Plan is a list of days that meet the targets.
type Plan struct {
	Targets energy.Targets
	Days    []Day
}

// Day is the items of a day.
type Day []Item

// Item is a portion of a food.
type Item struct {
	Meal  foods.Meal
	Food  *foods.Food
	Grams float64 // a multiple of 5
}

// Totals returns the nutrients of the whole day.
func (d Day) Totals() foods.Nutrients {
	var sum foods.Nutrients
	for _, item := range d {
		for i, amount := range item.Food.NutrientsIn(item.Grams) {
			sum[i] += amount
		}
	}
	return sum
}

// Planner plans from one food table. It is safe for concurrent use.
type Planner struct{ table []foods.Food }

// New returns a Planner of the table. The caller must not change the table
// afterwards.
func New(table []foods.Food) *Planner { return &Planner{table} }

// Plan returns the plan of the request. Equal requests get equal plans. The
// error is an *Infeasible if no plan was found, or the context's error.
func (p *Planner) Plan(ctx context.Context, r Request) (Plan, error) {
	if r.Days < 1 || r.Days > MaxDays {
		return Plan{}, fmt.Errorf("days is %d, must be 1 to %d", r.Days, MaxDays)
	}
	plan := Plan{Targets: energy.TargetsFor(r.Person, r.Goals, r.Preferences)}
	constraints := newConstraints(plan.Targets)
	m := p.menu(r)
	past := &history{}
	for dayIndex := range r.Days {
		day, err := planDay(ctx, m, constraints, past, newRNG(r, dayIndex))
		if errors.Is(err, errNotFound) {
			err = p.explain(ctx, r, constraints, past, dayIndex)
		}
		if err != nil {
			return Plan{}, fmt.Errorf("plan day %d: %w", dayIndex+1, err)
		}
		past.add(day)
		plan.Days = append(plan.Days, day)
	}
	return plan, nil
}

// menu returns the menu of the request. It is the same for each day.
func (p *Planner) menu(r Request) menu {
	return newMenu(p.table, r.Diet, r.Avoid, energy.TargetsFor(r.Person, r.Goals, r.Preferences).GoalKcal)
}

// newRNG returns random numbers that depend only on the request and the day, so that
// equal requests get equal plans.
func newRNG(r Request, dayIndex int) *rand.Rand {
	return rand.New(rand.NewPCG(r.Seed, uint64(dayIndex)))
}

// attempts are the selections of candidates that planDay tries, in this order. It tries each
// selection the given number of times, because the candidates are chosen at random. The last
// selection can meet stricter requests, but allows a food several times a day.
var attempts = []struct {
	selection selection
	times     int
}{
	{selection{fewCandidates: true}, 1},
	{selection{}, 3},
	{selection{allowRepeat: true}, 20},
}

// errNotFound means that no attempt met the targets.
var errNotFound = errors.New("no day was found that meets the targets")

// planDay plans one day. It returns the day of the first attempt that meets the
// targets, or errNotFound.
func planDay(ctx context.Context, m menu, constraints []constraint, past *history, rng *rand.Rand) (Day, error) {
	for _, attempt := range attempts {
		if attempt.selection.allowRepeat {
			// If even a mix of the whole menu misses a nutrient, no attempt can succeed. The check costs
			// one linear program, so it runs only before the attempts with allowRepeat.
			if missed, err := missedNutrients(ctx, m, constraints); err != nil || len(missed) > 0 {
				return nil, cmp.Or(err, errNotFound)
			}
		}
		for range attempt.times {
			day, err := solveDay(ctx, selectCandidates(m, past, rng, attempt.selection), constraints)
			if !errors.Is(err, errNotFound) {
				return day, err
			}
		}
	}
	return nil, errNotFound
}
