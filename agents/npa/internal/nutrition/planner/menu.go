package planner

import (
	"math"
	"slices"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
)

// slot is one place on the table: a food of this role, eaten at this meal.
type slot struct {
	meal foods.Meal
	role foods.Role
}

// everyDay are the slots of any day: grain, protein and produce at each meal,
// half of lunch and dinner vegetables, as the Dietary Guidelines for Americans
// 2020-2025 lay a plate.
var everyDay = []slot{
	{foods.Breakfast, foods.Starch}, {foods.Breakfast, foods.MainProtein}, {foods.Breakfast, foods.Fruit}, {foods.Breakfast, foods.Nut},
	{foods.Lunch, foods.MainProtein}, {foods.Lunch, foods.Starch}, {foods.Lunch, foods.Vegetable}, {foods.Lunch, foods.Vegetable}, {foods.Lunch, foods.AddedFat},
	{foods.Snack, foods.Dairy}, {foods.Snack, foods.Fruit},
	{foods.Dinner, foods.MainProtein}, {foods.Dinner, foods.Starch}, {foods.Dinner, foods.Vegetable}, {foods.Dinner, foods.Vegetable}, {foods.Dinner, foods.AddedFat},
}

// largeDay is added above largeDayKcal, so that portions stay ones of a meal.
var largeDay = []slot{{foods.Snack, foods.Starch}, {foods.Snack, foods.Nut}, {foods.Snack, foods.MainProtein}}

const largeDayKcal = 2600

// option is a food that may take a slot, with its portions scaled to the day.
type option struct {
	food                     *foods.Food
	least, usual, most       float64 // g
	leastIn, usualIn, mostIn foods.Nutrients
}

// menu is each slot with its options, in a fixed order.
type menu struct {
	slots   []slot
	options [][]option
}

// Portions are for 2,000 kcal and grow with the day's energy within these
// bounds; the least portion never grows, the most never shrinks.
const portionKcal, leastScale, mostScale = 2000, 0.6, 3

// step in g is what portions are rounded to: what a kitchen scale is read by.
const step = 5

// newMenu offers every allowed food to the slots that it suits. A slot that
// nobody suits is left out.
func newMenu(table []foods.Food, diet foods.Diet, avoid []foods.Allergen, kcal float64) menu {
	var m menu
	slots := everyDay
	if kcal > largeDayKcal {
		slots = slices.Concat(everyDay, largeDay)
	}
	scale := math.Min(math.Max(kcal/portionKcal, leastScale), mostScale)
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

func newOption(f *foods.Food, scale float64) option {
	o := option{food: f}
	o.least = math.Max(rounded(f.MinGrams*math.Min(scale, 1)), step)
	o.most = math.Max(rounded(f.MaxGrams*math.Max(scale, 1)), o.least)
	// The middle by ratio: as far from half of it as from double.
	o.usual = math.Min(math.Max(scale*math.Sqrt(f.MinGrams*f.MaxGrams), o.least), o.most)
	o.leastIn, o.usualIn, o.mostIn = f.In(o.least), f.In(o.usual), f.In(o.most)
	return o
}

func rounded(grams float64) float64 { return step * math.Round(grams/step) }
