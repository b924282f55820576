package week

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"strings"
)

const (
	// resistanceMET is the Compendium of Physical Activities' code 02054,
	// "resistance (weight) training, multiple exercises, 8-15 repetitions at
	// varied resistance". One MET is rest, which the day's need already holds.
	resistanceMET, restMET = 3.5, 1.0
	// maxShift is by how much of itself a day's energy is moved at most, so
	// that a day of rest stays a full day of food.
	maxShift = 0.15
	// ReferenceKg is the body weight where none is known: npa's reference adult.
	ReferenceKg = 63.5
)

// SessionKcal is what a session uses beyond rest, for a body of kg: one MET is
// 1 kcal a kilogram and hour.
func SessionKcal(s Session, kg float64) float64 {
	return (resistanceMET - restMET) * kg * float64(s.TotalSeconds) / 3600
}

// Merge makes the week. Either part may be nil, when it was not asked for or
// its agent failed.
//
// The nutrition agent counts training into every day alike, by the activity
// level. So nothing is added to the week: energy moves from the days with less
// training than the mean to those with more, by scaling portions. Nutrients
// follow the portions, and may leave the day's bounds by as much; the week
// keeps them.
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
	factors := shift(w.Days, n)
	for _, from := range n.Days {
		if from.Day < 1 || from.Day > Days {
			continue
		}
		day := &w.Days[from.Day-1]
		day.Meals, day.Totals = scale(from, factors[from.Day-1])
	}
	if t != nil && len(t.Sessions) > 0 {
		w.Notes = append(w.Notes, "Days with training have more energy, the others less; the week has what the nutrition plan says.")
	}
	if len(n.Assumed) > 0 {
		w.Notes = append(w.Notes, fmt.Sprintf("A reference adult stood in for what was not said: %s.", inWords(n.Assumed)))
	}
	return w
}

// fieldWords are what people call the fields of a plan's request, where that is
// not the field's name.
var fieldWords = map[string]string{"activityLevel": "activity level", "heightCm": "height", "weightKg": "weight"}

// inWords lists fields as in a sentence: "age, height and weight".
func inWords(fields []string) string {
	words := make([]string, len(fields))
	for i, field := range fields {
		words[i] = cmp.Or(fieldWords[field], field)
	}
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

func addTraining(w *Week, t *Training, kg float64) {
	for _, s := range t.Sessions {
		if s.Weekday < 1 || s.Weekday > Days {
			continue
		}
		day := &w.Days[s.Weekday-1]
		day.Sessions = append(day.Sessions, s)
		day.TrainingKcal = tenth(day.TrainingKcal + SessionKcal(s, kg))
	}
	if t.Deload {
		w.Notes = append(w.Notes, "This is a lighter week of training, for recovery.")
	}
}

// shift returns by what each day's portions are multiplied.
func shift(days []Day, n *Nutrition) [Days]float64 {
	mean := 0.0
	for _, d := range days {
		mean += d.TrainingKcal / Days
	}
	energy := [Days]float64{}
	for _, d := range n.Days {
		if d.Day >= 1 && d.Day <= Days {
			energy[d.Day-1] = d.Totals[energyTotal]
		}
	}
	// One share for all days, so that what is taken is what is given.
	share := 1.0
	for i, d := range days {
		if move := math.Abs(d.TrainingKcal - mean); move > 0 {
			share = min(share, maxShift*energy[i]/move)
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

// scale multiplies the portions, to whole grams.
func scale(from NutritionDay, factor float64) ([]Meal, map[string]float64) {
	meals := make([]Meal, len(from.Meals))
	sum := 0.0
	for i, meal := range from.Meals {
		meals[i] = Meal{Meal: meal.Meal, Items: make([]Item, len(meal.Items))}
		for j, item := range meal.Items {
			if item.Grams > 0 {
				grams := max(1, int(math.Round(factor*float64(item.Grams))))
				item.Kcal = tenth(item.Kcal * float64(grams) / float64(item.Grams))
				item.Grams = grams
			}
			meals[i].Items[j] = item
			sum += item.Kcal
		}
	}
	totals := maps.Clone(from.Totals)
	for name, amount := range totals {
		totals[name] = tenth(factor * amount)
	}
	if totals != nil {
		totals[energyTotal] = tenth(sum)
	}
	return meals, totals
}

func tenth(x float64) float64 { return math.Round(10*x) / 10 }
