package nutritionapi

import (
	"math"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/energy"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/planner"
)

// PlanResponse is the body of a 200 response to POST /plan.
type PlanResponse struct {
	Duration int      `json:"duration"` // days
	Goals    []string `json:"goals"`
	// Assumed has the names of the absent request fields. The plan uses the reference
	// adult's values for them.
	Assumed []string      `json:"assumed"`
	Targets Targets       `json:"targets"`
	Days    []DayResponse `json:"days"`
}

// Targets are the bounds of each day.
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

// DayResponse is one day of a plan.
type DayResponse struct {
	Day    int            `json:"day"` // from 1
	Meals  []MealResponse `json:"meals"`
	Totals Totals         `json:"totals"`
}

// MealResponse is one meal of a day.
type MealResponse struct {
	Meal  foods.Meal     `json:"meal"`
	Items []ItemResponse `json:"items"`
}

// ItemResponse is a portion of a food as eaten.
type ItemResponse struct {
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

// newResponse converts a plan to the response.
func newResponse(r *PlanRequest, assumed []string, plan planner.Plan) PlanResponse {
	targets := plan.Targets
	response := PlanResponse{
		Duration: len(plan.Days), Goals: append([]string{}, r.Goals...), Assumed: append([]string{}, assumed...),
		Targets: Targets{
			BasalKcal: roundTenth(targets.BasalKcal), NeedKcal: roundTenth(targets.NeedKcal), EnergyKcal: roundRange(targets.Energy), ProteinG: roundRange(targets.Protein),
			CarbohydrateG: roundRange(targets.Carbohydrate), FatG: roundRange(targets.Fat), FibreMinG: roundTenth(targets.FibreMin), SodiumMaxMg: roundTenth(targets.SodiumMax),
		},
	}
	for i, day := range plan.Days {
		response.Days = append(response.Days, newDayResponse(i+1, day))
	}
	return response
}

// mealOrder is the order of the meals of a day. Snacks are last, because they have no
// fixed time.
var mealOrder = []foods.Meal{foods.Breakfast, foods.Lunch, foods.Dinner, foods.Snack}

// newDayResponse converts a day of a plan to a day of the response.
func newDayResponse(number int, day planner.Day) DayResponse {
	totals := day.Totals()
	response := DayResponse{Day: number, Totals: Totals{
		EnergyKcal: roundTenth(totals[foods.Energy]), ProteinG: roundTenth(totals[foods.Protein]), CarbohydrateG: roundTenth(totals[foods.Carbohydrate]),
		FatG: roundTenth(totals[foods.Fat]), FibreG: roundTenth(totals[foods.Fibre]), SugarG: roundTenth(totals[foods.Sugar]), SodiumMg: roundTenth(totals[foods.Sodium]),
	}}
	for _, meal := range mealOrder {
		m := MealResponse{Meal: meal}
		for _, item := range day {
			if item.Meal == meal {
				m.Items = append(m.Items, ItemResponse{item.Food.ID, item.Food.Name, int(item.Grams), roundTenth(item.Food.NutrientsIn(item.Grams)[foods.Energy])})
			}
		}
		if len(m.Items) > 0 {
			response.Meals = append(response.Meals, m)
		}
	}
	return response
}

// roundTenth rounds to one decimal.
func roundTenth(x float64) float64 { return math.Round(10*x) / 10 }

// roundRange rounds both bounds to one decimal.
func roundRange(r energy.Range) energy.Range {
	return energy.Range{Min: roundTenth(r.Min), Max: roundTenth(r.Max)}
}
