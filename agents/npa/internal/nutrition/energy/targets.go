package energy

import (
	"math"
	"slices"
)

// Goal is what a person wants of their food.
type Goal string

// The goals. Recomposition loses fat and gains muscle at once; it is also what
// WeightLoss and MuscleGain together mean.
const (
	WeightLoss    Goal = "weight_loss"
	MuscleGain    Goal = "muscle_gain"
	Maintenance   Goal = "maintenance"
	Endurance     Goal = "endurance"
	Recomposition Goal = "recomposition"
)

// Goals lists all that Aim knows.
var Goals = []Goal{WeightLoss, MuscleGain, Maintenance, Endurance, Recomposition}

// aim is what a goal asks.
type aim struct {
	change       float64 // of the energy need, as a share
	protein      Range   // g a kg of body weight
	carbohydrate float64 // at least, g a kg of body weight
}

var aims = map[Goal]aim{
	// About the 500 kcal a day of the AHA/ACC/TOS guideline of 2013; protein by
	// Leidy et al., Am J Clin Nutr 101 (2015) 1320S.
	WeightLoss: {-0.20, Range{1.2, 1.6}, 0},
	// Surplus by Iraki et al., Sports 7 (2019) 154; protein by Morton et al.,
	// Br J Sports Med 52 (2018) 376.
	MuscleGain: {0.10, Range{1.6, 2.2}, 0},
	// RDA (IOM 2005) up to the top of Jäger et al., JISSN 14 (2017) 20.
	Maintenance: {0, Range{0.8, 2.0}, 0},
	// Thomas, Erdman and Burke (ACSM), Med Sci Sports Exerc 48 (2016) 543:
	// about an hour of training a day.
	Endurance: {0, Range{1.2, 2.0}, 5},
	// A deficit well under the 500 kcal that stop gains of lean mass (Murphy and
	// Koehler, Scand J Med Sci Sports 32 (2022) 125); protein by Hector and
	// Phillips, Int J Sport Nutr Exerc Metab 28 (2018) 170.
	Recomposition: {-0.10, Range{1.6, 2.4}, 0},
}

// Range bounds an amount, both ends included.
type Range struct {
	Min float64 `json:"min"`
	Max float64 `json:"max"`
}

// Holds says whether the amount is within.
func (r Range) Holds(amount float64) bool { return amount >= r.Min && amount <= r.Max }

// Targets are the bounds of one day.
type Targets struct {
	BasalKcal float64 // resting need
	NeedKcal  float64 // need with activity
	GoalKcal  float64 // what the day aims at

	Energy       Range   // kcal
	Protein      Range   // g
	Carbohydrate Range   // g
	Fat          Range   // g
	FibreMin     float64 // g
	SodiumMax    float64 // mg
}

// Wishes are preferences that change targets.
type Wishes struct{ HighProtein, LowSodium bool }

const (
	// EnergyTolerance is how far a day's energy may lie from its aim, as a
	// share; issue 4's planner asks 5 %.
	EnergyTolerance = 0.05

	// mostDeficit in kcal a day: AHA/ACC/TOS 2013 advises 500 to 750.
	mostDeficit = 750
	// leastEnergy in kcal a day, for anyone; below it diets are for clinics
	// (AHA/ACC/TOS 2013).
	leastEnergy = 1200

	// Acceptable macronutrient distribution ranges as shares of energy (IOM
	// 2005), and the RDA of carbohydrate in g, which is what the brain uses.
	fatLow, fatHigh  = 0.20, 0.35
	carbohydrateHigh = 0.65
	proteinHigh      = 0.35
	carbohydrateRDA  = 130
	// proteinLow and carbohydrateLow limit what a count by body weight may ask
	// of the energy, so that the other ranges keep room beside it.
	proteinLow, carbohydrateLow = 0.28, 0.50

	// fibrePer1000 in g a 1,000 kcal and fibreMost in g: adequate intake, and
	// that of the reference man (IOM 2005).
	fibrePer1000, fibreMost = 14, 38
	// sodiumMost in mg: chronic disease risk reduction intake (NASEM 2019).
	// sodiumIdeal: the American Heart Association's ideal limit.
	sodiumMost, sodiumIdeal = 2300, 1500

	kcalPerGramProtein, kcalPerGramFat = 4, 9 // Atwater
)

// highProtein in g a kg: from the top of the usual range (Jäger 2017) to that
// of trained people in deficit (Hector and Phillips 2018, with room above).
var highProtein = Range{2.0, 2.6}

// lowestDiet in kcal is where a deficit stops: AHA/ACC/TOS 2013 (the lower ends
// for women and men; their mean where the sex is unspecified).
var lowestDiet = map[Sex]float64{Female: 1200, Male: 1500, Unspecified: 1350}

// Aim returns the targets of a person with these goals. No goal means
// Maintenance. Goals together: WeightLoss with MuscleGain is Recomposition;
// else the energy is the mean of theirs and each bound by weight the highest.
func Aim(p Person, goals []Goal, wishes Wishes) Targets {
	a := combine(goals)
	if wishes.HighProtein {
		a.protein = highProtein
	}
	need := p.Need()
	energy := math.Max(need*(1+a.change), need-mostDeficit)
	energy = math.Max(energy, math.Min(need, lowestDiet[p.Sex]))
	energy = math.Max(energy, leastEnergy)
	weight := p.proteinWeight()
	grams := func(share, kcalPerGram float64) float64 { return share * energy / kcalPerGram }

	protein := Range{Min: math.Min(a.protein.Min*weight, grams(proteinLow, kcalPerGramProtein))}
	protein.Max = math.Min(math.Max(a.protein.Max*weight, 1.2*protein.Min), grams(proteinHigh, kcalPerGramProtein))
	t := Targets{
		BasalKcal: p.Basal(), NeedKcal: need, GoalKcal: energy,
		Energy:  Range{energy * (1 - EnergyTolerance), energy * (1 + EnergyTolerance)},
		Protein: protein,
		Carbohydrate: Range{
			math.Max(carbohydrateRDA, math.Min(a.carbohydrate*weight, grams(carbohydrateLow, kcalPerGramProtein))),
			grams(carbohydrateHigh, kcalPerGramProtein),
		},
		Fat:       Range{grams(fatLow, kcalPerGramFat), grams(fatHigh, kcalPerGramFat)},
		FibreMin:  math.Min(fibrePer1000*energy/1000, fibreMost),
		SodiumMax: sodiumMost,
	}
	if wishes.LowSodium {
		t.SodiumMax = sodiumIdeal
	}
	return t
}

func combine(goals []Goal) aim {
	if slices.Contains(goals, WeightLoss) && slices.Contains(goals, MuscleGain) {
		goals = slices.DeleteFunc(slices.Clone(goals), func(g Goal) bool { return g == WeightLoss || g == MuscleGain })
		goals = append(goals, Recomposition)
	}
	if len(goals) == 0 {
		return aims[Maintenance]
	}
	var all aim
	for _, g := range goals {
		one := aims[g]
		all.change += one.change / float64(len(goals))
		all.protein.Min = math.Max(all.protein.Min, one.protein.Min)
		all.protein.Max = math.Max(all.protein.Max, one.protein.Max)
		all.carbohydrate = math.Max(all.carbohydrate, one.carbohydrate)
	}
	return all
}
