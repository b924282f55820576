// Package energy computes a person's daily targets. It computes the energy need with the
// equation of Mifflin and St Jeor. From the need and the goals it derives the bounds of
// energy, macronutrients, fibre and sodium. It owns the numbers and their sources. It
// does not depend on foods.
//
// The numbers are for healthy adults. Pregnancy, illness and elite sport need a
// professional instead.
package energy

import "math"

// Sex selects the constant in the equation of Person.BasalKcal.
type Sex string

// The sexes. Unspecified uses the mean of the two constants.
const (
	Female      Sex = "female"
	Male        Sex = "male"
	Unspecified Sex = "unspecified"
)

// Activity is how much a person moves, training included.
type Activity string

// The levels of activity, lowest first.
const (
	Sedentary  Activity = "sedentary"
	Light      Activity = "light"
	Moderate   Activity = "moderate"
	Active     Activity = "active"
	VeryActive Activity = "very_active"
)

// ActivityFactors has the total need divided by the basal need, for each activity (McArdle, Katch
// and Katch, Exercise Physiology). Each factor is within, or a little below, the range of the same
// activity in FAO/WHO/UNU 2001.
var ActivityFactors = map[Activity]float64{Sedentary: 1.2, Light: 1.375, Moderate: 1.55, Active: 1.725, VeryActive: 1.9}

// Person has the inputs of the equations.
type Person struct {
	AgeYears int
	Sex      Sex
	HeightCm float64
	WeightKg float64
	Activity Activity
}

// Bounds of a Person: years, cm and kg. Mifflin and St Jeor measured people from 19 to 78
// years. The foods of the table can meet the targets of adults within these heights and
// weights.
const (
	MinAge    = 18
	MaxAge    = 80
	MinHeight = 130
	MaxHeight = 220
	MinWeight = 35
	MaxWeight = 250
)

// ReferenceAdult returns a typical adult. Its values replace the values that a request omits.
// Heights and weights are the reference values of the Dietary Reference Intakes (IOM
// 2005, table 1-1, ages 19 to 30). An unspecified sex gets the mean of both sexes. Age 30
// and moderate activity are our assumption about the users of a training platform.
func ReferenceAdult(sex Sex) Person {
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

// BasalKcal returns the resting need in kcal a day: Mifflin, St Jeor et al., Am J Clin Nutr
// 51 (1990) 241-247.
func (p Person) BasalKcal() float64 {
	constants := map[Sex]float64{Female: -161, Male: 5}
	constant, known := constants[p.Sex]
	if !known {
		constant = (constants[Female] + constants[Male]) / 2
	}
	return 10*p.WeightKg + 6.25*p.HeightCm - 5*float64(p.AgeYears) + constant
}

// NeedKcal returns the total need in kcal a day.
func (p Person) NeedKcal() float64 { return p.BasalKcal() * ActivityFactors[p.Activity] }

// adjustedWeight returns the weight in kg from which the targets of protein and
// carbohydrate are computed. Only a quarter of the weight above a BMI of 25 counts. This
// is the adjusted body weight of clinical practice (Krenitsky, Nutr Clin Pract 20 (2005)
// 468-473).
func (p Person) adjustedWeight() float64 {
	height := p.HeightCm / 100 // m
	weightAtBMI25 := 25 * height * height
	return math.Min(p.WeightKg, weightAtBMI25) + 0.25*math.Max(p.WeightKg-weightAtBMI25, 0)
}
