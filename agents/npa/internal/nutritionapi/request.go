package nutritionapi

import (
	"cmp"
	"slices"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/energy"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/planner"
)

// defaultDays is the length of a plan in days if the request has none.
const defaultDays = 7

// PlanRequest is the body of POST /plan. The design document's load test sends the first
// four fields. The other fields describe the person. For an absent field, the plan uses
// the value of the reference adult (energy.ReferenceAdult).
type PlanRequest struct {
	UserID      string   `json:"userId"`
	Goals       []string `json:"goals"`
	Preferences []string `json:"preferences"`
	Duration    *int     `json:"duration,omitempty"` // days

	Allergies     []string `json:"allergies,omitempty"`
	Age           *int     `json:"age,omitempty"` // years
	Sex           string   `json:"sex,omitempty"`
	HeightCm      *float64 `json:"heightCm,omitempty"`
	WeightKg      *float64 `json:"weightKg,omitempty"`
	ActivityLevel string   `json:"activityLevel,omitempty"`
}

// The allowed values of the request's fields.
var (
	goals           = httpapi.ToStrings(energy.Goals)
	preferenceNames = httpapi.SortedKeys(preferences)
	allergens       = httpapi.ToStrings(foods.Allergens)
	activities      = httpapi.SortedKeys(energy.ActivityFactors)
	sexes           = httpapi.ToStrings([]energy.Sex{energy.Female, energy.Male, energy.Unspecified})
)

// preference changes the planner's request according to one preference in the user's
// request.
type preference func(*planner.Request)

// dietPreference returns the preference for a diet.
func dietPreference(d foods.Diet) preference {
	return func(r *planner.Request) { r.Diet = min(r.Diet, d) } // the strictest diet applies
}

// avoidPreference returns the preference to avoid these allergens.
func avoidPreference(allergens ...foods.Allergen) preference {
	return func(r *planner.Request) { r.Avoid = append(r.Avoid, allergens...) }
}

// preferences are the allowed preferences by their names in a request.
var preferences = map[string]preference{
	"vegetarian":   dietPreference(foods.Vegetarian),
	"vegan":        dietPreference(foods.Vegan),
	"pescatarian":  dietPreference(foods.Pescatarian),
	"gluten_free":  avoidPreference("gluten"),
	"dairy_free":   avoidPreference("dairy"),
	"egg_free":     avoidPreference("egg"),
	"soy_free":     avoidPreference("soy"),
	"nut_free":     avoidPreference("nuts", "peanut"),
	"high_protein": func(r *planner.Request) { r.Preferences.HighProtein = true },
	"low_sodium":   func(r *planner.Request) { r.Preferences.LowSodium = true },
}

// Validate returns every violated rule.
func (p *PlanRequest) Validate() []httpapi.FieldError {
	var rules httpapi.Rules
	rules.CheckUserID(p.UserID)
	rules.CheckAllOf("#/goals", p.Goals, goals)
	rules.CheckAllOf("#/preferences", p.Preferences, preferenceNames)
	rules.CheckAllOf("#/allergies", p.Allergies, allergens)
	httpapi.CheckWithin(&rules, "#/duration", p.Duration, 1, planner.MaxDays)
	httpapi.CheckWithin(&rules, "#/age", p.Age, energy.MinAge, energy.MaxAge)
	httpapi.CheckWithin(&rules, "#/heightCm", p.HeightCm, energy.MinHeight, energy.MaxHeight)
	httpapi.CheckWithin(&rules, "#/weightKg", p.WeightKg, energy.MinWeight, energy.MaxWeight)
	if p.Sex != "" {
		rules.CheckOneOf("#/sex", p.Sex, sexes)
	}
	if p.ActivityLevel != "" {
		rules.CheckOneOf("#/activityLevel", p.ActivityLevel, activities)
	}
	return rules
}

// TakeUserID returns the user's id and removes it from the request.
func (p *PlanRequest) TakeUserID() string {
	id := p.UserID
	p.UserID = ""
	return id
}

// toPlannerRequest converts a valid request to a request of the planner. It also
// returns the names of the fields that have the reference adult's values.
func (p *PlanRequest) toPlannerRequest() (r planner.Request, assumed []string) {
	sex := energy.Sex(cmp.Or(p.Sex, string(energy.Unspecified)))
	r = planner.Request{Person: energy.ReferenceAdult(sex), Diet: foods.Omnivore, Days: defaultDays, Seed: httpapi.Seed(p)}
	for _, goal := range p.Goals {
		if g := energy.Goal(goal); !slices.Contains(r.Goals, g) {
			r.Goals = append(r.Goals, g)
		}
	}
	for _, name := range p.Preferences {
		preferences[name](&r)
	}
	for _, allergen := range p.Allergies {
		r.Avoid = append(r.Avoid, foods.Allergen(allergen))
	}
	slices.Sort(r.Avoid)
	r.Avoid = slices.Compact(r.Avoid)
	setIfPresent(&r.Days, p.Duration)
	isPresent := map[string]bool{
		"age": setIfPresent(&r.Person.AgeYears, p.Age), "heightCm": setIfPresent(&r.Person.HeightCm, p.HeightCm), "weightKg": setIfPresent(&r.Person.WeightKg, p.WeightKg),
		"sex": p.Sex != "", "activityLevel": p.ActivityLevel != "",
	}
	for field, present := range isPresent {
		if !present {
			assumed = append(assumed, field)
		}
	}
	slices.Sort(assumed)
	r.Person.Activity = energy.Activity(cmp.Or(p.ActivityLevel, string(r.Person.Activity)))
	return r, assumed
}

// setIfPresent copies the value to the target and returns true. Without a value it returns false.
func setIfPresent[T any](target, value *T) bool {
	if value == nil {
		return false
	}
	*target = *value
	return true
}
