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

// style has the sets, repetitions and rests of a session.
type style struct {
	sets         int     // the number of sets of each exercise
	reps         Range   // the repetitions in each set
	rest         int     // seconds after each set
	cardio       float64 // the share of the session that is cardio
	weightFactor float64 // multiplies each weight
}

// styles has the style of each goal. Repetitions and rests follow the ACSM position stand
// (2009). The shares of cardio are our choice. The WHO recommends 150 minutes of endurance
// work a week (2020). Three sessions of an hour contain about a third of that for weight
// loss, and half of it for endurance.
var styles = map[Goal]style{
	GeneralFitness: {3, Range{8, 12}, 90, 0, 1},
	Maintenance:    {2, Range{8, 12}, 90, 0, 1},
	Strength:       {4, Range{4, 6}, 180, 0, 1},
	MuscleGain:     {3, Range{8, 12}, 90, 0, 1},
	WeightLoss:     {3, Range{10, 15}, 60, 0.25, 1},
	Endurance:      {2, Range{15, 20}, 45, 0.40, 1},
}

// styleFor returns the style of the first goal, with the highest cardio share of all goals.
// Without goals it returns the style of general fitness. A beginner with the goal strength
// also gets the style of general fitness, because ACSM 2009 advises 8 to 12 repetitions for
// novices.
func styleFor(goals []Goal, level exercises.Level) style {
	firstGoal := GeneralFitness
	if len(goals) > 0 {
		firstGoal = goals[0]
	}
	if firstGoal == Strength && level == exercises.Beginner {
		firstGoal = GeneralFitness
	}
	s := styles[firstGoal]
	for _, g := range goals {
		s.cardio = max(s.cardio, styles[g].cardio)
	}
	return s
}

// deloadStyle returns the style of a lighter week: half of the sets, and weights reduced by a
// tenth. Coaches do the same (Bell et al., Sports Med Open 9 (2023) 87).
func (s style) deloadStyle() style {
	s.sets = max(s.sets/2, 1)
	s.weightFactor = 0.9
	return s
}
