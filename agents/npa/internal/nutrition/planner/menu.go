package planner

import (
	"math"
	"slices"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
)

// slot is one item of a day: a food of this role, eaten at this meal.
type slot struct {
	meal foods.Meal
	role foods.Role
}

// baseSlots are the slots of every day. Breakfast, lunch and dinner each have starch,
// protein, and fruit or vegetables. About half of lunch and dinner is vegetables, as on
// the plate of the Dietary Guidelines for Americans 2020-2025.
var baseSlots = []slot{
	{foods.Breakfast, foods.Starch}, {foods.Breakfast, foods.MainProtein}, {foods.Breakfast, foods.Fruit}, {foods.Breakfast, foods.Nut},
	{foods.Lunch, foods.MainProtein}, {foods.Lunch, foods.Starch}, {foods.Lunch, foods.Vegetable}, {foods.Lunch, foods.Vegetable}, {foods.Lunch, foods.AddedFat},
	{foods.Snack, foods.Dairy}, {foods.Snack, foods.Fruit},
	{foods.Dinner, foods.MainProtein}, {foods.Dinner, foods.Starch}, {foods.Dinner, foods.Vegetable}, {foods.Dinner, foods.Vegetable}, {foods.Dinner, foods.AddedFat},
}

// extraSlots are added on days of more than extraSlotsKcal. Without them the portions of
// such a day would be very large.
var extraSlots = []slot{{foods.Snack, foods.Starch}, {foods.Snack, foods.Nut}, {foods.Snack, foods.MainProtein}}

const extraSlotsKcal = 2600

// option is an allowed food of a slot. Its three portions are scaled to the day's energy.
type option struct {
	food                                       *foods.Food
	minGrams, usualGrams, maxGrams             float64
	minNutrients, usualNutrients, maxNutrients foods.Nutrients
}

// menu has the slots of a day in a fixed order, and the options of each slot.
type menu struct {
	slots   []slot
	options [][]option // the options of each slot
}

// The portions of the food table are for a day of portionKcal. For another day they are
// multiplied by the day's energy divided by portionKcal. This factor is limited to the
// range from minScale to maxScale.
const portionKcal, minScale, maxScale = 2000, 0.6, 3

// step is the unit of portions in g. It is easy to weigh with a kitchen scale.
const step = 5

// newMenu lists the allowed foods of each slot, for a day of this energy. It leaves out
// a slot without allowed foods.
func newMenu(table []foods.Food, diet foods.Diet, avoid []foods.Allergen, kcal float64) menu {
	var m menu
	slots := baseSlots
	if kcal > extraSlotsKcal {
		slots = slices.Concat(baseSlots, extraSlots)
	}
	scale := math.Min(math.Max(kcal/portionKcal, minScale), maxScale)
	for _, s := range slots {
		var options []option
		for i := range table {
			if f := &table[i]; f.Role == s.role && slices.Contains(f.Meals, s.meal) && f.AllowedTo(diet, avoid) {
				options = append(options, newOption(f, scale))
			}
		}
		if len(options) > 0 {
			m.slots, m.options = append(m.slots, s), append(m.options, options)
		}
	}
	return m
}

// newOption scales the portions of a food. A scale above 1 does not raise the
// smallest portion, and a scale below 1 does not reduce the largest.
func newOption(f *foods.Food, scale float64) option {
	o := option{food: f}
	o.minGrams = math.Max(roundToStep(f.MinGrams*math.Min(scale, 1)), step)
	o.maxGrams = math.Max(roundToStep(f.MaxGrams*math.Max(scale, 1)), o.minGrams)
	// The usual portion is the geometric mean of the smallest and the largest portion: usual /
	// smallest = largest / usual.
	o.usualGrams = math.Min(math.Max(scale*math.Sqrt(f.MinGrams*f.MaxGrams), o.minGrams), o.maxGrams)
	o.minNutrients, o.usualNutrients, o.maxNutrients = f.NutrientsIn(o.minGrams), f.NutrientsIn(o.usualGrams), f.NutrientsIn(o.maxGrams)
	return o
}

// roundToStep returns the nearest multiple of step.
func roundToStep(grams float64) float64 { return step * math.Round(grams/step) }
