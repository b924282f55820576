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

// baseSlots are the slots of every day: grain, protein and produce at each meal.
// Half of lunch and dinner is vegetables, as in the plate of the Dietary
// Guidelines for Americans 2020-2025.
var baseSlots = []slot{
	{foods.Breakfast, foods.Starch}, {foods.Breakfast, foods.MainProtein}, {foods.Breakfast, foods.Fruit}, {foods.Breakfast, foods.Nut},
	{foods.Lunch, foods.MainProtein}, {foods.Lunch, foods.Starch}, {foods.Lunch, foods.Vegetable}, {foods.Lunch, foods.Vegetable}, {foods.Lunch, foods.AddedFat},
	{foods.Snack, foods.Dairy}, {foods.Snack, foods.Fruit},
	{foods.Dinner, foods.MainProtein}, {foods.Dinner, foods.Starch}, {foods.Dinner, foods.Vegetable}, {foods.Dinner, foods.Vegetable}, {foods.Dinner, foods.AddedFat},
}

// extraSlots are added above extraSlotsKcal, so that portions keep a normal size.
var extraSlots = []slot{{foods.Snack, foods.Starch}, {foods.Snack, foods.Nut}, {foods.Snack, foods.MainProtein}}

const extraSlotsKcal = 2600

// option is an allowed food of a slot, with its portions scaled to the day's
// energy.
type option struct {
	food                                       *foods.Food
	minGrams, usualGrams, maxGrams             float64
	minNutrients, usualNutrients, maxNutrients foods.Nutrients
}

// menu is each slot with its options, in a fixed order.
type menu struct {
	slots   []slot
	options [][]option
}

// The portions of the food table are for a day of portionKcal. For a day of other
// energy they are multiplied by a scale: the day's energy divided by portionKcal,
// but at least minScale and at most maxScale.
const portionKcal, minScale, maxScale = 2000, 0.6, 3

// step in g is the rounding of portions: what a kitchen scale can show.
const step = 5

// newMenu lists the allowed foods of each slot. A slot without allowed foods is
// left out.
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
	o.minGrams = math.Max(rounded(f.MinGrams*math.Min(scale, 1)), step)
	o.maxGrams = math.Max(rounded(f.MaxGrams*math.Max(scale, 1)), o.minGrams)
	// The usual portion is the geometric mean of the bounds, because portions
	// differ by factors.
	o.usualGrams = math.Min(math.Max(scale*math.Sqrt(f.MinGrams*f.MaxGrams), o.minGrams), o.maxGrams)
	o.minNutrients, o.usualNutrients, o.maxNutrients = f.NutrientsIn(o.minGrams), f.NutrientsIn(o.usualGrams), f.NutrientsIn(o.maxGrams)
	return o
}

// rounded returns the nearest multiple of step.
func rounded(grams float64) float64 { return step * math.Round(grams/step) }
