package energy

import (
	"math"
	"slices"
)

// Goal is a person's nutrition goal.
type Goal string

// The goals. Recomposition loses fat and gains muscle at the same time.
// WeightLoss together with MuscleGain means the same.
const (
	WeightLoss    Goal = "weight_loss"
	MuscleGain    Goal = "muscle_gain"
	Maintenance   Goal = "maintenance"
	Endurance     Goal = "endurance"
	Recomposition Goal = "recomposition"
)

// Goals lists every goal.
var Goals = []Goal{WeightLoss, MuscleGain, Maintenance, Endurance, Recomposition}

// goalTargets are the targets of one goal.
type goalTargets struct {
	change       float64 // the change of the energy need, as a share of it
	protein      Range   // g a kg of body weight
	carbohydrate float64 // the minimum in g a kg of body weight
}

var targetsByGoal = map[Goal]goalTargets{
	// The deficit is about 500 kcal a day (AHA/ACC/TOS guideline of 2013). Protein is
	// from Leidy et al., Am J Clin Nutr 101 (2015) 1320S.
	WeightLoss: {-0.20, Range{1.2, 1.6}, 0},
	// The surplus is from Iraki et al., Sports 7 (2019) 154. Protein is from Morton et
	// al., Br J Sports Med 52 (2018) 376.
	MuscleGain: {0.10, Range{1.6, 2.2}, 0},
	// Protein: from the RDA (IOM 2005) to the upper value of Jäger et al.,
	// JISSN 14 (2017) 20.
	Maintenance: {0, Range{0.8, 2.0}, 0},
	// Protein and carbohydrate for about an hour of training a day: Thomas, Erdman
	// and Burke (ACSM), Med Sci Sports Exerc 48 (2016) 543.
	Endurance: {0, Range{1.2, 2.0}, 5},
	// The deficit is less than 500 kcal a day. A larger deficit prevents gains of lean mass
	// (Murphy and Koehler, Scand J Med Sci Sports 32 (2022) 125). Protein is from Hector and
	// Phillips, Int J Sport Nutr Exerc Metab 28 (2018) 170.
	Recomposition: {-0.10, Range{1.6, 2.4}, 0},
}

// Range bounds an amount. Both ends are included.
type Range struct {
	Min float64 `json:"min"`
	Max float64 `json:"max"`
}

// Contains reports whether the amount is within the range.
func (r Range) Contains(amount float64) bool { return amount >= r.Min && amount <= r.Max }

// Targets are the bounds of one day.
type Targets struct {
	BasalKcal float64 // resting need
	NeedKcal  float64 // need with activity
	GoalKcal  float64 // the day's target

	Energy       Range   // kcal
	Protein      Range   // g
	Carbohydrate Range   // g
	Fat          Range   // g
	FibreMin     float64 // g
	SodiumMax    float64 // mg
}

// Preferences change the targets.
type Preferences struct{ HighProtein, LowSodium bool }

const (
	// EnergyTolerance is the allowed deviation of a day's energy from its
	// target, as a share.
	EnergyTolerance = 0.05

	// maxDeficit is in kcal a day. AHA/ACC/TOS 2013 advises 500 to 750.
	maxDeficit = 750
	// minEnergy is in kcal a day. A diet with less energy needs medical supervision
	// (AHA/ACC/TOS 2013).
	minEnergy = 1200

	// fatLow, fatHigh, carbohydrateHigh and proteinHigh are limits of the acceptable macronutrient
	// distribution ranges, as shares of energy. carbohydrateRDA is the recommended dietary
	// allowance of carbohydrate in g (both IOM 2005).
	fatLow, fatHigh  = 0.20, 0.35
	carbohydrateHigh = 0.65
	proteinHigh      = 0.35
	carbohydrateRDA  = 130
	// proteinLow and carbohydrateLow are shares of energy. The minima of protein and
	// carbohydrate grow with the body weight, and these shares limit them. Without the
	// limits, the minima of a heavy person could need more than the day's energy.
	proteinLow, carbohydrateLow = 0.28, 0.50

	// fibrePer1000 is the adequate intake in g per 1,000 kcal. fibreMax is the adequate
	// intake of the reference man in g (IOM 2005).
	fibrePer1000, fibreMax = 14, 38
	// defaultSodiumMax is the chronic disease risk reduction intake (NASEM 2019), and lowSodiumMax
	// the American Heart Association's ideal limit. Both are in mg.
	defaultSodiumMax, lowSodiumMax = 2300, 1500

	kcalPerGramProtein, kcalPerGramCarbohydrate, kcalPerGramFat = 4, 4, 9 // Atwater
)

// highProtein is the range in g per kg for Preferences.HighProtein. It begins at the top
// of the usual range (Jäger 2017). It ends a little above the top of the range for
// trained people in a deficit (Hector and Phillips 2018).
var highProtein = Range{2.0, 2.6}

// deficitFloor is the lowest energy of a day with a deficit, in kcal. The values are the
// lower ends of the ranges for women and men in AHA/ACC/TOS 2013. An unspecified sex gets
// their mean.
var deficitFloor = map[Sex]float64{Female: 1200, Male: 1500, Unspecified: 1350}

// TargetsFor returns the targets of a person with these goals. No goal means
// Maintenance. WeightLoss together with MuscleGain means Recomposition. For other
// combinations, the change of energy is the mean of the goals' changes. The bounds of
// protein and carbohydrate are the highest of the goals' bounds.
func TargetsFor(p Person, goals []Goal, prefs Preferences) Targets {
	goal := combineGoals(goals)
	if prefs.HighProtein {
		goal.protein = highProtein
	}
	need := p.NeedKcal()
	energy := math.Max(need*(1+goal.change), need-maxDeficit)
	energy = math.Max(energy, math.Min(need, deficitFloor[p.Sex]))
	energy = math.Max(energy, minEnergy)
	weight := p.adjustedWeight()
	toGrams := func(share, kcalPerGram float64) float64 { return share * energy / kcalPerGram }

	protein := Range{Min: math.Min(goal.protein.Min*weight, toGrams(proteinLow, kcalPerGramProtein))}
	// The maximum is at least 1.2 times the minimum, so that the range is never too narrow for a plan.
	protein.Max = math.Min(math.Max(goal.protein.Max*weight, 1.2*protein.Min), toGrams(proteinHigh, kcalPerGramProtein))
	t := Targets{
		BasalKcal: p.BasalKcal(), NeedKcal: need, GoalKcal: energy,
		Energy:  Range{energy * (1 - EnergyTolerance), energy * (1 + EnergyTolerance)},
		Protein: protein,
		Carbohydrate: Range{
			math.Max(carbohydrateRDA, math.Min(goal.carbohydrate*weight, toGrams(carbohydrateLow, kcalPerGramCarbohydrate))),
			toGrams(carbohydrateHigh, kcalPerGramCarbohydrate),
		},
		Fat:       Range{toGrams(fatLow, kcalPerGramFat), toGrams(fatHigh, kcalPerGramFat)},
		FibreMin:  math.Min(fibrePer1000*energy/1000, fibreMax),
		SodiumMax: defaultSodiumMax,
	}
	if prefs.LowSodium {
		t.SodiumMax = lowSodiumMax
	}
	return t
}

// combineGoals returns the targets of these goals together, as TargetsFor describes.
func combineGoals(goals []Goal) goalTargets {
	if slices.Contains(goals, WeightLoss) && slices.Contains(goals, MuscleGain) {
		goals = slices.DeleteFunc(slices.Clone(goals), func(g Goal) bool { return g == WeightLoss || g == MuscleGain })
		goals = append(goals, Recomposition)
	}
	if len(goals) == 0 {
		return targetsByGoal[Maintenance]
	}
	var combined goalTargets
	for _, g := range goals {
		targets := targetsByGoal[g]
		combined.change += targets.change / float64(len(goals))
		combined.protein.Min = math.Max(combined.protein.Min, targets.protein.Min)
		combined.protein.Max = math.Max(combined.protein.Max, targets.protein.Max)
		combined.carbohydrate = math.Max(combined.carbohydrate, targets.carbohydrate)
	}
	return combined
}
