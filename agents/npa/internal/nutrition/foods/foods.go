// Package foods is the table of foods: nutrients per 100 g as eaten, diet, allergens,
// role in a meal and portions. It owns the table, and the rule that decides whether a
// person may eat a food. Package planner plans meals with the foods.
//
// Source: USDA FoodData Central, SR Legacy (April 2018), https://fdc.nal.usda.gov. The
// values were written down without access to that table, and were not compared with it.
// They are rounded to 0.1 g, 1 kcal and 1 mg, and have no FDC ids. A fibre or sugar that
// SR Legacy leaves blank is 0.
//
// The tests check that the values are plausible: the energy agrees with Atwater's
// factors, and the nutrients of 100 g weigh at most 100 g. No test compares the values
// with the source. Portions are for a day of 2,000 kcal, and near the FDA's reference
// amounts customarily consumed (21 CFR 101.12).
package foods

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Nutrient is one nutrient. It is the index of its amount in Nutrients.
type Nutrient int

// The nutrients of the table. Energy is in kcal, Sodium in mg, and the others are in g.
const (
	Energy Nutrient = iota
	Protein
	Carbohydrate
	Fat
	Fibre
	Sugar
	Sodium
	NutrientCount // the number of nutrients
)

// String returns the name of the nutrient in errors and responses.
func (n Nutrient) String() string {
	return [...]string{"energy", "protein", "carbohydrate", "fat", "fibre", "sugar", "sodium"}[n]
}

// Nutrients are amounts by Nutrient.
type Nutrients [NutrientCount]float64

// Role is the role of a food in a meal.
type Role string

// The roles. Dairy includes milk substitutes, and Nut includes seeds.
const (
	Starch      Role = "starch"
	MainProtein Role = "protein"
	Dairy       Role = "dairy"
	Fruit       Role = "fruit"
	Vegetable   Role = "vegetable"
	Nut         Role = "nut"
	AddedFat    Role = "fat"
)

// Meal is a meal at which a food is eaten.
type Meal string

// The meals of a day.
const (
	Breakfast Meal = "breakfast"
	Lunch     Meal = "lunch"
	Dinner    Meal = "dinner"
	Snack     Meal = "snack"
)

// Diet defines which animal products a person eats.
type Diet int

// The diets, strictest first. Each diet allows every food of the diets before it.
const (
	Vegan Diet = iota
	Vegetarian
	Pescatarian
	Omnivore
)

// Allergen is one of the nine allergens of US law (FALCPA 2004, FASTER Act
// 2021), with gluten instead of wheat.
type Allergen string

// Allergens lists every allergen of the table. To be safe, oats count as gluten
// and coconut as a nut.
var Allergens = []Allergen{"gluten", "dairy", "egg", "nuts", "peanut", "soy", "fish", "shellfish", "sesame"}

// Food is a row of the table.
type Food struct {
	ID, Name, Group string
	Role            Role
	Meals           []Meal
	Diet            Diet // the strictest diet that allows the food
	Allergens       []Allergen
	Per100g         Nutrients
	// MinGrams and MaxGrams bound a portion in a day of 2,000 kcal.
	MinGrams, MaxGrams float64
}

// NutrientsIn returns the nutrients of a portion of this weight.
func (f *Food) NutrientsIn(grams float64) Nutrients {
	var n Nutrients
	for i, per100 := range f.Per100g {
		n[i] = per100 * grams / 100
	}
	return n
}

// AllowedTo reports whether a person with this diet, who avoids these allergens, may eat
// the food.
func (f *Food) AllowedTo(diet Diet, avoid []Allergen) bool {
	return f.Diet <= diet && !slices.ContainsFunc(f.Allergens, func(a Allergen) bool { return slices.Contains(avoid, a) })
}

//go:embed foods.csv
var tableCSV []byte

// Load reads the embedded table.
func Load() ([]Food, error) { return readTable(bytes.NewReader(tableCSV)) }

var (
	diets = map[string]Diet{"vegan": Vegan, "vegetarian": Vegetarian, "pescatarian": Pescatarian, "omnivore": Omnivore}
	roles = []Role{Starch, MainProtein, Dairy, Fruit, Vegetable, Nut, AddedFat}
	meals = map[string]Meal{"b": Breakfast, "l": Lunch, "d": Dinner, "s": Snack}
)

// columns is the number of columns of the table. firstNutrient is the index of the first
// nutrient, in the eighth column.
const columns, firstNutrient = 16, 7

// readTable parses the table. Its first row has the names of the columns.
func readTable(r io.Reader) ([]Food, error) {
	reader := csv.NewReader(r)
	reader.FieldsPerRecord = columns
	records, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the food table: %w", err)
	}
	var foods []Food
	for i, record := range records[1:] {
		food, err := parseFood(record)
		if err != nil {
			return nil, fmt.Errorf("food table, row %d (%s): %w", i+2, record[0], err)
		}
		foods = append(foods, food)
	}
	return foods, nil
}

// parseFood converts a row of the food table.
func parseFood(record []string) (Food, error) {
	f := Food{ID: record[0], Name: record[1], Group: record[2], Role: Role(record[3])}
	if !slices.Contains(roles, f.Role) {
		return f, fmt.Errorf("role %q must be one of %v", f.Role, roles)
	}
	for _, letter := range strings.Split(record[4], "|") {
		meal, known := meals[letter]
		if !known {
			return f, fmt.Errorf("meal %q must be b, l, d or s", letter)
		}
		f.Meals = append(f.Meals, meal)
	}
	diet, known := diets[record[5]]
	if !known {
		return f, fmt.Errorf("diet %q must be vegan, vegetarian, pescatarian or omnivore", record[5])
	}
	f.Diet = diet
	for _, name := range strings.FieldsFunc(record[6], func(r rune) bool { return r == '|' }) {
		if !slices.Contains(Allergens, Allergen(name)) {
			return f, fmt.Errorf("allergen %q must be one of %v", name, Allergens)
		}
		f.Allergens = append(f.Allergens, Allergen(name))
	}
	numbers := make([]float64, columns-firstNutrient)
	for i := range numbers {
		n, err := strconv.ParseFloat(record[firstNutrient+i], 64)
		if err != nil || n < 0 {
			return f, fmt.Errorf("column %d is %q, must be a number of at least 0", firstNutrient+i+1, record[firstNutrient+i])
		}
		numbers[i] = n
	}
	copy(f.Per100g[:], numbers)
	f.MinGrams, f.MaxGrams = numbers[NutrientCount], numbers[NutrientCount+1]
	return f, nil
}
