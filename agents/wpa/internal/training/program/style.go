package program

import "github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"

// Goal is what a person wants of their training.
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

// Goals lists all that a request may name.
var Goals = []Goal{GeneralFitness, Strength, MuscleGain, WeightLoss, Endurance, Maintenance}

// style is how sets are done.
type style struct {
	sets   int
	reps   Range
	rest   int     // s
	cardio float64 // share of the session
	load   float64 // of what progression says
}

// styles follow the ACSM position stand (2009): repetitions and rests by goal.
// The shares of cardio are ours: they bring three sessions of an hour to a
// third (weight loss) and half (endurance) of the 150 minutes a week that WHO
// 2020 asks for, the rest being everyday movement.
var styles = map[Goal]style{
	GeneralFitness: {3, Range{8, 12}, 90, 0, 1},
	Maintenance:    {2, Range{8, 12}, 90, 0, 1},
	Strength:       {4, Range{4, 6}, 180, 0, 1},
	MuscleGain:     {3, Range{8, 12}, 90, 0, 1},
	WeightLoss:     {3, Range{10, 15}, 60, 0.25, 1},
	Endurance:      {2, Range{15, 20}, 45, 0.40, 1},
}

// styleOf is the first goal's style with the most cardio of any. Beginners
// train strength as fitness: ACSM 2009 has novices do 8 to 12 repetitions.
func styleOf(goals []Goal, level exercises.Level) style {
	chosen := styles[GeneralFitness]
	if len(goals) > 0 && (goals[0] != Strength || level != exercises.Beginner) {
		chosen = styles[goals[0]]
	}
	for _, g := range goals {
		chosen.cardio = max(chosen.cardio, styles[g].cardio)
	}
	return chosen
}

// deloaded halves the sets and takes a tenth off the weights, as coaches do
// (Bell et al., Sports Med Open 9 (2023) 87).
func (s style) deloaded() style {
	s.sets = max(s.sets/2, 1)
	s.load = 0.9
	return s
}
