package program

import "github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"

// Goal is a person's training goal.
type Goal string

// The goals.
const (
	GeneralFitness Goal = "general_fitness"
	Strength       Goal = "strength"
	MuscleGain     Goal = "muscle_gain"
	WeightLoss     Goal = "weight_loss"
	Endurance      Goal = "endurance"
	Maintenance    Goal = "maintenance"
)

// Goals lists every goal.
var Goals = []Goal{GeneralFitness, Strength, MuscleGain, WeightLoss, Endurance, Maintenance}

// style is the sets, repetitions and rests of a session.
type style struct {
	sets   int
	reps   Range
	rest   int     // s
	cardio float64 // share of the session
	load   float64 // factor on the weight of the progression
}

// styles follow the ACSM position stand (2009): repetitions and rests by goal.
// The shares of cardio are our choice. Three sessions of an hour then reach a
// third (weight loss) or half (endurance) of the WHO's 150 minutes a week
// (2020).
var styles = map[Goal]style{
	GeneralFitness: {3, Range{8, 12}, 90, 0, 1},
	Maintenance:    {2, Range{8, 12}, 90, 0, 1},
	Strength:       {4, Range{4, 6}, 180, 0, 1},
	MuscleGain:     {3, Range{8, 12}, 90, 0, 1},
	WeightLoss:     {3, Range{10, 15}, 60, 0.25, 1},
	Endurance:      {2, Range{15, 20}, 45, 0.40, 1},
}

// styleFor returns the first goal's style, with the highest cardio share of all
// goals. Beginners train strength as general fitness: ACSM 2009 has novices do 8
// to 12 repetitions.
func styleFor(goals []Goal, level exercises.Level) style {
	s := styles[GeneralFitness]
	if len(goals) > 0 && (goals[0] != Strength || level != exercises.Beginner) {
		s = styles[goals[0]]
	}
	for _, g := range goals {
		s.cardio = max(s.cardio, styles[g].cardio)
	}
	return s
}

// deload halves the sets and reduces the weights by a tenth, as coaches do (Bell
// et al., Sports Med Open 9 (2023) 87).
func (s style) deload() style {
	s.sets = max(s.sets/2, 1)
	s.load = 0.9
	return s
}
