// Package energy says what a person's day should hold: energy need by
// Mifflin-St Jeor, and bounds of energy, macronutrients, fibre and sodium by
// goal. It owns the physiology and its sources; it knows no food.
//
// The numbers are for healthy adults. Pregnancy, illness and sport at the top
// need a person, not a table.
package energy

import "math"

// Sex chooses the constant of the basal equation.
type Sex string

// The sexes. Unspecified takes the mean of the two constants.
const (
	Female      Sex = "female"
	Male        Sex = "male"
	Unspecified Sex = "unspecified"
)

// Activity is how much someone moves, training included.
type Activity string

// The activities, least first.
const (
	Sedentary  Activity = "sedentary"
	Light      Activity = "light"
	Moderate   Activity = "moderate"
	Active     Activity = "active"
	VeryActive Activity = "very_active"
)

// Factors multiply the basal need. They are the customary ones (McArdle, Katch
// and Katch, Exercise Physiology), each inside the ranges of physical activity
// level that FAO/WHO/UNU 2001 gives for it or a little below.
var Factors = map[Activity]float64{Sedentary: 1.2, Light: 1.375, Moderate: 1.55, Active: 1.725, VeryActive: 1.9}

// Person is what the equations ask for.
type Person struct {
	AgeYears int
	Sex      Sex
	HeightCm float64
	WeightKg float64
	Activity Activity
}

// Bounds of a Person. Mifflin and St Jeor measured ages of 19 to 78; the rest
// keeps to adults whom the food table can feed.
const (
	MinAge    = 18
	MaxAge    = 80
	MinHeight = 130
	MaxHeight = 220
	MinWeight = 35
	MaxWeight = 250
)

// Reference is the adult that stands in for one who says nothing of
// themselves: the reference heights and weights of the Dietary Reference
// Intakes (IOM 2005, table 1-1, ages 19 to 30; their mean where the sex is
// unspecified), age 30, moderately active, as users of a training platform are.
func Reference(sex Sex) Person {
	p := Person{AgeYears: 30, Sex: sex, Activity: Moderate}
	switch sex {
	case Female:
		p.HeightCm, p.WeightKg = 163, 57
	case Male:
		p.HeightCm, p.WeightKg = 177, 70
	default:
		p.HeightCm, p.WeightKg = 170, 63.5
	}
	return p
}

// Basal is the resting need in kcal a day: Mifflin, St Jeor et al., Am J Clin
// Nutr 51 (1990) 241-247.
func (p Person) Basal() float64 {
	constant := map[Sex]float64{Female: -161, Male: 5}
	c, known := constant[p.Sex]
	if !known {
		c = (constant[Female] + constant[Male]) / 2
	}
	return 10*p.WeightKg + 6.25*p.HeightCm - 5*float64(p.AgeYears) + c
}

// Need is the whole need in kcal a day.
func (p Person) Need() float64 { return p.Basal() * Factors[p.Activity] }

// proteinWeight is the weight in kg that protein and carbohydrate are counted
// by: above a BMI of 25 only a quarter of the excess counts, the adjusted body
// weight of clinical practice (Krenitsky, Nutr Clin Pract 20 (2005) 468-473).
func (p Person) proteinWeight() float64 {
	height := p.HeightCm / 100
	normal := 25 * height * height
	return math.Min(p.WeightKg, normal) + 0.25*math.Max(p.WeightKg-normal, 0)
}
