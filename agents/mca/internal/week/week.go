// Package week makes one consistent week of what the agents answered: a day
// with a training session has more energy, a day without has less, and the week
// as a whole has what the nutrition agent planned. It owns the merging and the
// energy of training; how food and sessions are chosen is the agents'. It is
// pure.
package week

import "encoding/json"

// Days is the length of a week.
const Days = 7

// Nutrition is what is read of the answer of npa's POST /plan.
type Nutrition struct {
	Targets json.RawMessage `json:"targets"`
	Assumed []string        `json:"assumed"`
	Days    []NutritionDay  `json:"days"`
}

// NutritionDay is one day of it, counted from 1.
type NutritionDay struct {
	Day    int                `json:"day"`
	Meals  []Meal             `json:"meals"`
	Totals map[string]float64 `json:"totals"`
}

// energyTotal is the key of Totals that holds a day's energy in kcal.
const energyTotal = "energyKcal"

// Meal is one meal of a day.
type Meal struct {
	Meal  string `json:"meal"`
	Items []Item `json:"items"`
}

// Item is a portion of a food.
type Item struct {
	FoodID string  `json:"foodId"`
	Food   string  `json:"food"`
	Grams  int     `json:"grams"`
	Kcal   float64 `json:"kcal"`
}

// Training is what is read of the answer of wpa's POST /generate.
type Training struct {
	FitnessLevel string    `json:"fitnessLevel"`
	Deload       bool      `json:"deload"`
	Sessions     []Session `json:"sessions"`
}

// Session is one training on a weekday from 1 to 7. What it consists of is
// passed on as it came.
type Session struct {
	Weekday      int             `json:"weekday"`
	Focus        string          `json:"focus"`
	TotalSeconds int             `json:"totalSeconds"`
	Exercises    json.RawMessage `json:"exercises"`
}

// Week is what a user gets.
type Week struct {
	Targets json.RawMessage `json:"targets,omitempty"` // the nutrition agent's
	Days    []Day           `json:"days"`
	// Notes say in words what was assumed or adjusted.
	Notes []string `json:"notes"`
}

// Day is one day of the week, counted from 1.
type Day struct {
	Day int `json:"day"`
	// TrainingKcal is what the day's sessions use beyond rest.
	TrainingKcal float64   `json:"trainingKcal"`
	Sessions     []Session `json:"sessions"`
	Meals        []Meal    `json:"meals"`
	// Totals are the nutrients of the meals; absent without a nutrition plan.
	Totals map[string]float64 `json:"totals,omitempty"`
}
