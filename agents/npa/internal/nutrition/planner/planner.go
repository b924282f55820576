// Package planner makes meal plans: for each day it chooses foods and portions
// that meet a person's targets, by linear programming. It owns the search, its
// variety and the words for what can't be met; targets are energy's, foods are
// foods'.
//
// A day is a list of slots, each with some foods that may take it. The
// programme's variables are the shares of (food, portion) pairs in a slot, with
// each food there at its least, usual and most portion: the shares of a slot
// sum to 1, so that a slot taken by one food has a portion between its bounds.
// Slots that the optimum splits between foods are then fixed one by one (a
// dive), and portions rounded to what can be weighed.
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

// MaxDays is the longest plan, in days; issue 4 asks for a month at most.
const MaxDays = 31

// Request is what a plan is made from.
type Request struct {
	Person energy.Person
	Goals  []energy.Goal
	Wishes energy.Wishes
	Diet   foods.Diet
	Avoid  []foods.Allergen
	Days   int // 1 to MaxDays
	// Seed decides between plans that are equally good.
	Seed uint64
}

// Plan is a list of days that meet the targets.
type Plan struct {
	Targets energy.Targets
	Days    []Day
}

// Day is what is eaten in a day, meal by meal.
type Day []Item

// Item is a portion of a food, in whole steps of 5 g.
type Item struct {
	Meal  foods.Meal
	Food  *foods.Food
	Grams float64
}

// Totals are the nutrients of the whole day.
func (d Day) Totals() foods.Nutrients {
	var sum foods.Nutrients
	for _, item := range d {
		for i, amount := range item.Food.In(item.Grams) {
			sum[i] += amount
		}
	}
	return sum
}

// Planner makes plans from one food table. It is safe for use by several
// goroutines.
type Planner struct{ table []foods.Food }

// New returns a Planner of the table, which must not change after.
func New(table []foods.Food) *Planner { return &Planner{table} }

// Plan returns the plan of the request: the same for the same request. Its
// error is an *Infeasible where no plan was found, or the context's.
func (p *Planner) Plan(ctx context.Context, r Request) (Plan, error) {
	if r.Days < 1 || r.Days > MaxDays {
		return Plan{}, fmt.Errorf("a plan of %d days was asked for, must be 1 to %d", r.Days, MaxDays)
	}
	plan := Plan{Targets: energy.Aim(r.Person, r.Goals, r.Wishes)}
	rules := rulesOf(plan.Targets)
	m := p.menu(r)
	eaten := &diary{}
	for number := range r.Days {
		day, err := plannedDay(ctx, m, rules, eaten, luckOf(r, number))
		if errors.Is(err, errNotFound) {
			err = p.explain(ctx, r, rules, eaten, number)
		}
		if err != nil {
			return Plan{}, fmt.Errorf("plan day %d: %w", number+1, err)
		}
		eaten.add(day)
		plan.Days = append(plan.Days, day)
	}
	return plan, nil
}

func (p *Planner) menu(r Request) menu {
	return newMenu(p.table, r.Diet, r.Avoid, energy.Aim(r.Person, r.Goals, r.Wishes).GoalKcal)
}

// luckOf is the same for the same day of the same request.
func luckOf(r Request, number int) *rand.Rand { return rand.New(rand.NewPCG(r.Seed, uint64(number))) }

// efforts are how a day is looked for, each more freely than the one before,
// and how often. The last makes a strict ask possible at the price of variety.
var efforts = []struct {
	how   dealing
	times int
}{
	{dealing{few: true}, 1},
	{dealing{}, 3},
	{dealing{repeat: true}, 20},
}

// errNotFound means that no effort met the targets.
var errNotFound = errors.New("no day was found that meets the targets")

func plannedDay(ctx context.Context, m menu, rules []rule, eaten *diary, luck *rand.Rand) (Day, error) {
	for _, effort := range efforts {
		if effort.how.repeat {
			// No effort helps where even the whole menu misses something.
			if missed, err := missed(ctx, m, rules); err != nil || len(missed) > 0 {
				return nil, cmp.Or(err, errNotFound)
			}
		}
		for range effort.times {
			day, err := dive(ctx, deal(m, eaten, luck, effort.how), rules)
			if !errors.Is(err, errNotFound) {
				return day, err
			}
		}
	}
	return nil, errNotFound
}
