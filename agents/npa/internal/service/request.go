package service

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"

	"github.com/progressive-framework/platform/agents/internal/reply"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/energy"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/planner"
)

// maxBody is the largest request in bytes; the largest that says something has
// well under 2 KiB.
const maxBody = 16 << 10

// defaultDays is the length of a plan that none was asked for, in days.
const defaultDays = 7

// PlanRequest is the body of POST /plan. The seed's load test sends the first
// four fields; the rest is about the person, whom the reference adult stands in
// for where they say nothing.
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

// userID allows what the ids of the usual identity providers hold.
var userID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:@|-]{0,127}$`)

var sexes = []string{"", string(energy.Female), string(energy.Male), string(energy.Unspecified)}

// preference is what a word of preferences does to a request.
type preference func(*planner.Request)

func diet(d foods.Diet) preference {
	return func(r *planner.Request) { r.Diet = min(r.Diet, d) } // the strictest wins
}

func without(allergens ...foods.Allergen) preference {
	return func(r *planner.Request) { r.Avoid = append(r.Avoid, allergens...) }
}

var preferences = map[string]preference{
	"vegetarian":   diet(foods.Vegetarian),
	"vegan":        diet(foods.Vegan),
	"pescatarian":  diet(foods.Pescatarian),
	"gluten_free":  without("gluten"),
	"dairy_free":   without("dairy"),
	"egg_free":     without("egg"),
	"soy_free":     without("soy"),
	"nut_free":     without("nuts", "peanut"),
	"high_protein": func(r *planner.Request) { r.Wishes.HighProtein = true },
	"low_sodium":   func(r *planner.Request) { r.Wishes.LowSodium = true },
}

// Validate returns every broken rule.
func (p *PlanRequest) Validate() []reply.FieldError {
	var wrong []reply.FieldError
	rule := func(kept bool, pointer, detail string, args ...any) {
		if !kept {
			wrong = append(wrong, reply.FieldError{Pointer: pointer, Detail: fmt.Sprintf(detail, args...)})
		}
	}
	rule(userID.MatchString(p.UserID), "#/userId", "must be 1 to 128 letters, digits or ._:@|- and begin with a letter or digit")
	for _, list := range []struct {
		name    string
		given   []string
		allowed []string
	}{
		{"goals", p.Goals, words(energy.Goals)},
		{"preferences", p.Preferences, known(preferences)},
		{"allergies", p.Allergies, words(foods.Allergens)},
	} {
		rule(len(list.given) <= len(list.allowed), "#/"+list.name, "has %d items, must have at most %d", len(list.given), len(list.allowed))
		for i, word := range list.given[:min(len(list.given), len(list.allowed))] {
			rule(slices.Contains(list.allowed, word), fmt.Sprintf("#/%s/%d", list.name, i), "must be one of %v", list.allowed)
		}
	}
	within(rule, "duration", p.Duration, 1, planner.MaxDays)
	within(rule, "age", p.Age, energy.MinAge, energy.MaxAge)
	within(rule, "heightCm", p.HeightCm, energy.MinHeight, energy.MaxHeight)
	within(rule, "weightKg", p.WeightKg, energy.MinWeight, energy.MaxWeight)
	rule(slices.Contains(sexes, p.Sex), "#/sex", "must be one of %v", sexes[1:])
	_, active := energy.Factors[energy.Activity(p.ActivityLevel)]
	rule(active || p.ActivityLevel == "", "#/activityLevel", "must be one of %v", known(energy.Factors))
	return wrong
}

func within[N int | float64](rule func(bool, string, string, ...any), name string, value *N, least, most N) {
	rule(value == nil || *value >= least && *value <= most, "#/"+name, "must be from %v to %v", least, most)
}

func words[W ~string](all []W) []string {
	text := make([]string, len(all))
	for i, w := range all {
		text[i] = string(w)
	}
	return text
}

func known[W ~string, V any](all map[W]V) []string {
	var text []string
	for w := range all {
		text = append(text, string(w))
	}
	slices.Sort(text)
	return text
}

// plan is the valid request as the planner takes it, and the names of the
// fields for which the reference adult stands in.
func (p *PlanRequest) plan() (r planner.Request, assumed []string) {
	sex := energy.Sex(cmp.Or(p.Sex, string(energy.Unspecified)))
	r = planner.Request{Person: energy.Reference(sex), Diet: foods.Omnivore, Days: defaultDays, Seed: p.seed()}
	for _, goal := range p.Goals {
		if g := energy.Goal(goal); !slices.Contains(r.Goals, g) {
			r.Goals = append(r.Goals, g)
		}
	}
	for _, word := range p.Preferences {
		preferences[word](&r)
	}
	for _, allergen := range p.Allergies {
		r.Avoid = append(r.Avoid, foods.Allergen(allergen))
	}
	slices.Sort(r.Avoid)
	r.Avoid = slices.Compact(r.Avoid)
	set(&r.Days, p.Duration)
	for name, given := range map[string]bool{
		"age": set(&r.Person.AgeYears, p.Age), "heightCm": set(&r.Person.HeightCm, p.HeightCm), "weightKg": set(&r.Person.WeightKg, p.WeightKg),
		"sex": p.Sex != "", "activityLevel": p.ActivityLevel != "",
	} {
		if !given {
			assumed = append(assumed, name)
		}
	}
	slices.Sort(assumed)
	r.Person.Activity = energy.Activity(cmp.Or(p.ActivityLevel, string(r.Person.Activity)))
	return r, assumed
}

func set[T any](target, value *T) bool {
	if value == nil {
		return false
	}
	*target = *value
	return true
}

// seed is the same for the same wishes of anyone: who asks is left out, so
// that a cached plan can serve everyone who asks the same.
func (p *PlanRequest) seed() uint64 {
	anyone := *p
	anyone.UserID = ""
	line, _ := json.Marshal(anyone) // strings and finite numbers always encode
	sum := fnv.New64a()
	_, _ = sum.Write(line) // a hash's Write never fails
	return sum.Sum64()
}
