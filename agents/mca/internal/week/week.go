// Package week merges the responses of the nutrition agent and the training agent into
// one week. Days with much training get more energy than days with little or none. The
// energy of the whole week stays that of the nutrition plan. This package computes the
// energy of training; the agents choose food and sessions. It has no side effects.
package week

import "encoding/json"

// Days is the number of days of a week.
const Days = 7

// Nutrition has the fields of npa's response to POST /plan that the merge needs.
type Nutrition struct {
	Targets json.RawMessage `json:"targets"`
	Assumed []string        `json:"assumed"`
	Days    []NutritionDay  `json:"days"`
}

// NutritionDay is one day, counted from 1.
type NutritionDay struct {
	Day    int                `json:"day"`
	Meals  []Meal             `json:"meals"`
	Totals map[string]float64 `json:"totals"`
}

// energyKey is the key in Totals of a day's energy in kcal.
const energyKey = "energyKcal"

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

// Training has the fields of wpa's response to POST /generate that the merge needs.
type Training struct {
	FitnessLevel string    `json:"fitnessLevel"`
	Deload       bool      `json:"deload"`
	Sessions     []Session `json:"sessions"`
}

// Session is one training on a weekday from 1 to 7. The merge does not read or change
// the exercises.
type Session struct {
	Weekday      int             `json:"weekday"`
	Focus        string          `json:"focus"`
	TotalSeconds int             `json:"totalSeconds"`
	Exercises    json.RawMessage `json:"exercises"`
}

// Week is the merged week.
type Week struct {
	Targets json.RawMessage `json:"targets,omitempty"` // from the nutrition agent
	Days    []Day           `json:"days"`
	// Notes are sentences about what was assumed or adjusted.
	Notes []string `json:"notes"`
}

// Day is one day of the week, counted from 1.
type Day struct {
	Day int `json:"day"`
	// TrainingKcal is the energy of the sessions in kcal, in addition to rest.
	TrainingKcal float64   `json:"trainingKcal"`
	Sessions     []Session `json:"sessions"`
	Meals        []Meal    `json:"meals"`
	// Totals are the nutrients of the meals, absent without a nutrition plan.
	Totals map[string]float64 `json:"totals,omitempty"`
}
