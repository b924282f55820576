package nutritionapi

import (
	"math"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/energy"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/planner"
)

// PlanAnswer is the body of a 200 of POST /plan.
type PlanAnswer struct {
	UserID   string   `json:"userId"`   // empty: package agent fills it in for each user
	Duration int      `json:"duration"` // days
	Goals    []string `json:"goals"`
	// Assumed are the fields of the request for which the reference adult stood in.
	Assumed []string    `json:"assumed"`
	Targets Targets     `json:"targets"`
	Days    []DayAnswer `json:"days"`
}

// Targets are the bounds that each day keeps.
type Targets struct {
	BasalKcal     float64      `json:"basalKcal"`
	NeedKcal      float64      `json:"needKcal"`
	EnergyKcal    energy.Range `json:"energyKcal"`
	ProteinG      energy.Range `json:"proteinG"`
	CarbohydrateG energy.Range `json:"carbohydrateG"`
	FatG          energy.Range `json:"fatG"`
	FibreMinG     float64      `json:"fibreMinG"`
	SodiumMaxMg   float64      `json:"sodiumMaxMg"`
}

// DayAnswer is one day of a plan.
type DayAnswer struct {
	Day    int          `json:"day"` // from 1
	Meals  []MealAnswer `json:"meals"`
	Totals Totals       `json:"totals"`
}

// MealAnswer is one meal of a day.
type MealAnswer struct {
	Meal  foods.Meal   `json:"meal"`
	Items []ItemAnswer `json:"items"`
}

// ItemAnswer is a portion of a food as eaten.
type ItemAnswer struct {
	FoodID string  `json:"foodId"`
	Food   string  `json:"food"`
	Grams  int     `json:"grams"`
	Kcal   float64 `json:"kcal"`
}

// Totals are the nutrients of a day.
type Totals struct {
	EnergyKcal    float64 `json:"energyKcal"`
	ProteinG      float64 `json:"proteinG"`
	CarbohydrateG float64 `json:"carbohydrateG"`
	FatG          float64 `json:"fatG"`
	FibreG        float64 `json:"fibreG"`
	SugarG        float64 `json:"sugarG"`
	SodiumMg      float64 `json:"sodiumMg"`
}

func answer(r *PlanRequest, assumed []string, plan planner.Plan) PlanAnswer {
	t := plan.Targets
	a := PlanAnswer{
		Duration: len(plan.Days), Goals: append([]string{}, r.Goals...), Assumed: append([]string{}, assumed...),
		Targets: Targets{
			BasalKcal: tenth(t.BasalKcal), NeedKcal: tenth(t.NeedKcal), EnergyKcal: tenths(t.Energy), ProteinG: tenths(t.Protein),
			CarbohydrateG: tenths(t.Carbohydrate), FatG: tenths(t.Fat), FibreMinG: tenth(t.FibreMin), SodiumMaxMg: tenth(t.SodiumMax),
		},
	}
	for i, day := range plan.Days {
		a.Days = append(a.Days, dayAnswer(i+1, day))
	}
	return a
}

// mealsOfADay in the order in which they are eaten; snacks come last, as their
// time is free.
var mealsOfADay = []foods.Meal{foods.Breakfast, foods.Lunch, foods.Dinner, foods.Snack}

func dayAnswer(number int, day planner.Day) DayAnswer {
	n := day.Totals()
	a := DayAnswer{Day: number, Totals: Totals{
		EnergyKcal: tenth(n[foods.Energy]), ProteinG: tenth(n[foods.Protein]), CarbohydrateG: tenth(n[foods.Carbohydrate]),
		FatG: tenth(n[foods.Fat]), FibreG: tenth(n[foods.Fibre]), SugarG: tenth(n[foods.Sugar]), SodiumMg: tenth(n[foods.Sodium]),
	}}
	for _, meal := range mealsOfADay {
		m := MealAnswer{Meal: meal}
		for _, item := range day {
			if item.Meal == meal {
				m.Items = append(m.Items, ItemAnswer{item.Food.ID, item.Food.Name, int(item.Grams), tenth(item.Food.In(item.Grams)[foods.Energy])})
			}
		}
		if len(m.Items) > 0 {
			a.Meals = append(a.Meals, m)
		}
	}
	return a
}

func tenth(x float64) float64 { return math.Round(10*x) / 10 }

func tenths(r energy.Range) energy.Range { return energy.Range{Min: tenth(r.Min), Max: tenth(r.Max)} }
