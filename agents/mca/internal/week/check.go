package week

import (
	"errors"
	"fmt"
)

// MinKg and MaxKg bound the body weight in kg, as in npa.
const (
	MinKg = 35.0
	MaxKg = 250.0
)

// Bounds of an agent's response, far above real values. They prevent sums that
// JSON cannot represent if an agent is broken.
const (
	maxSeconds = 24 * 60 * 60 // the longest session: one day
	maxAmount  = 1e6          // the largest amount of a food, an energy or a nutrient, in its unit
)

// Check returns an error if the agent's response cannot be merged.
func (n *Nutrition) Check() error {
	if n == nil {
		return errors.New("the response is null")
	}
	if n.Targets != nil && n.Targets[0] != '{' {
		return errors.New("targets is not an object")
	}
	for _, day := range n.Days {
		for name, amount := range day.Totals {
			if amount < 0 || amount > maxAmount {
				return fmt.Errorf("day %d has %g of %.40q, must have 0 to %g", day.Day, amount, name, maxAmount)
			}
		}
		if err := day.check(); err != nil {
			return fmt.Errorf("day %d: %w", day.Day, err)
		}
	}
	return nil
}

// check returns an error if the day's meals cannot be merged.
func (d NutritionDay) check() error {
	if d.Meals == nil || d.Totals == nil {
		return errors.New("meals or totals are missing")
	}
	for _, meal := range d.Meals {
		if meal.Items == nil {
			return fmt.Errorf("%.40q has no items", meal.Meal)
		}
		for _, item := range meal.Items {
			if item.Grams < 1 || item.Grams > maxAmount || item.Kcal < 0 || item.Kcal > maxAmount {
				return fmt.Errorf("%.40q has %d g and %g kcal, must have 1 to %g g and 0 to %g kcal", item.FoodID, item.Grams, item.Kcal, maxAmount, maxAmount)
			}
		}
	}
	return nil
}

// Check returns an error if the agent's response cannot be merged.
func (t *Training) Check() error {
	if t == nil {
		return errors.New("the response is null")
	}
	for _, s := range t.Sessions {
		if s.TotalSeconds < 0 || s.TotalSeconds > maxSeconds {
			return fmt.Errorf("session of weekday %d takes %d s, must take 0 to %d", s.Weekday, s.TotalSeconds, maxSeconds)
		}
		if len(s.Exercises) == 0 || s.Exercises[0] != '[' {
			return fmt.Errorf("session of weekday %d has no list of exercises", s.Weekday)
		}
	}
	return nil
}
