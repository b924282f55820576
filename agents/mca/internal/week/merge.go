package week

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"strings"
)

const (
	// resistanceIntensity and restIntensity are in MET. 1 MET is 1 kcal an hour for each kg of
	// body weight. resistanceIntensity is code 02054 of the Compendium of Physical
	// Activities, "resistance (weight) training, multiple exercises, 8-15 repetitions
	// at varied resistance". The day's energy need already includes rest.
	resistanceIntensity, restIntensity = 3.5, 1.0
	// maxShift is the largest share of a day's energy that Merge moves to other days,
	// so that a rest day still has enough food.
	maxShift = 0.15
	// ReferenceKg is the body weight of npa's reference adult. It replaces an unknown
	// weight.
	ReferenceKg = 63.5
)

// SessionKcal returns the energy in kcal that a person of this weight needs for a
// session, in addition to rest.
func SessionKcal(s Session, kg float64) float64 {
	return (resistanceIntensity - restIntensity) * kg * float64(s.TotalSeconds) / 3600
}

// Merge creates the week from the responses of npa (n) and wpa (t). A response is nil if it
// was not requested or its agent failed. kg is the body weight.
//
// The nutrition plan has the same energy on each day, and this energy already includes
// training. So Merge adds no energy to the week. It moves energy from days with less
// training than the mean to days with more training, by scaling the portions. The
// nutrients of a day change by the same factor. A day may then violate the bounds of
// its nutrients, but the week as a whole keeps them.
func Merge(n *Nutrition, t *Training, kg float64) Week {
	w := Week{Days: make([]Day, Days), Notes: []string{}}
	for i := range w.Days {
		w.Days[i] = Day{Day: i + 1, Sessions: []Session{}, Meals: []Meal{}}
	}
	if t != nil {
		addTraining(&w, t, kg)
	}
	if n == nil {
		return w
	}
	w.Targets = n.Targets
	factors := shiftFactors(w.Days, n)
	for _, planned := range n.Days {
		if planned.Day < 1 || planned.Day > Days {
			continue
		}
		day := &w.Days[planned.Day-1]
		day.Meals, day.Totals = scaleDay(planned, factors[planned.Day-1])
	}
	if t != nil && len(t.Sessions) > 0 {
		w.Notes = append(w.Notes, "Days with training have more energy, other days have less. The week's energy is that of the nutrition plan.")
	}
	if len(n.Assumed) > 0 {
		w.Notes = append(w.Notes, fmt.Sprintf("Values of a reference adult were used for: %s.", formatList(n.Assumed)))
	}
	return w
}

// fieldNames has a readable name for each request field that needs one.
var fieldNames = map[string]string{"activityLevel": "activity level", "heightCm": "height", "weightKg": "weight"}

// formatList returns the names of the fields as in a sentence: "age, height and weight".
// fields must not be empty.
func formatList(fields []string) string {
	words := make([]string, len(fields))
	for i, field := range fields {
		words[i] = cmp.Or(fieldNames[field], field)
	}
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// addTraining adds the sessions to their days, with the energy of training for a
// body weight of kg.
func addTraining(w *Week, t *Training, kg float64) {
	for _, s := range t.Sessions {
		if s.Weekday < 1 || s.Weekday > Days {
			continue
		}
		day := &w.Days[s.Weekday-1]
		day.Sessions = append(day.Sessions, s)
		day.TrainingKcal = roundTenth(day.TrainingKcal + SessionKcal(s, kg))
	}
	if t.Deload {
		w.Notes = append(w.Notes, "This is a lighter week of training, for recovery.")
	}
}

// shiftFactors returns the factor for the portions of each day. Ideally a day's energy
// changes by the difference between its training energy and the mean training energy of
// all days. If a change is more than maxShift of its day's energy, all changes are
// reduced by the same factor.
func shiftFactors(days []Day, n *Nutrition) [Days]float64 {
	mean := 0.0
	for _, d := range days {
		mean += d.TrainingKcal / Days
	}
	energy := [Days]float64{}
	for _, d := range n.Days {
		if d.Day >= 1 && d.Day <= Days {
			energy[d.Day-1] = d.Totals[energyKey]
		}
	}
	// share is the part of the ideal change that is possible on every day. All days
	// have the same share, so the week's energy does not change.
	share := 1.0
	for i, d := range days {
		if change := math.Abs(d.TrainingKcal - mean); change > 0 {
			share = min(share, maxShift*energy[i]/change)
		}
	}
	factors := [Days]float64{}
	for i, d := range days {
		factors[i] = 1
		if energy[i] > 0 {
			factors[i] += share * (d.TrainingKcal - mean) / energy[i]
		}
	}
	return factors
}

// scaleDay returns a day's meals and totals, multiplied by factor. Portions are rounded to
// whole grams, of at least 1 g. The total of energy is the sum of the rounded portions.
func scaleDay(planned NutritionDay, factor float64) ([]Meal, map[string]float64) {
	meals := make([]Meal, len(planned.Meals))
	sumKcal := 0.0
	for i, meal := range planned.Meals {
		meals[i] = Meal{Meal: meal.Meal, Items: make([]Item, len(meal.Items))}
		for j, item := range meal.Items {
			if item.Grams > 0 {
				grams := max(1, int(math.Round(factor*float64(item.Grams))))
				item.Kcal = roundTenth(item.Kcal * float64(grams) / float64(item.Grams))
				item.Grams = grams
			}
			meals[i].Items[j] = item
			sumKcal += item.Kcal
		}
	}
	totals := maps.Clone(planned.Totals)
	for name, amount := range totals {
		totals[name] = roundTenth(factor * amount)
	}
	if totals != nil {
		totals[energyKey] = roundTenth(sumKcal)
	}
	return meals, totals
}

// roundTenth rounds to one decimal.
func roundTenth(x float64) float64 { return math.Round(10*x) / 10 }
