package program

import "github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"

// weeklySets are the sets a week that each muscle should get, a set of which
// it is a secondary muscle counted as half. Beginner: one to three sets of an
// exercise on two to three days (ACSM 2009). Intermediate: at least ten
// (Schoenfeld, Ogborn and Krieger, J Sports Sci 35 (2017) 1073). Advanced:
// within twelve to twenty (Baz-Valle et al., J Hum Kinet 81 (2022) 199).
var weeklySets = map[exercises.Level]float64{exercises.Beginner: 6, exercises.Intermediate: 10, exercises.Advanced: 16}

const (
	// overTarget is how far above its weekly target a muscle may get.
	overTarget = 1.25
	// sessionSets is the most that a muscle gets in one session; more added
	// nothing that could be measured (Remmert et al., SportRxiv 2025, 11 counted
	// like ours).
	sessionSets = 11
	// secondary is how much of a set counts for a secondary muscle.
	secondary = 0.5
)

// ledger counts the sets of each muscle, in the week and today.
type ledger struct {
	target      float64
	week, today map[exercises.Muscle]float64
}

// newLedger begins a week. A week of one day has no more room than a session.
func newLedger(level exercises.Level, days int) *ledger {
	target := weeklySets[level]
	if days == 1 {
		target = min(target, sessionSets/overTarget)
	}
	return &ledger{target: target, week: map[exercises.Muscle]float64{}}
}

func (l *ledger) nextDay() { l.today = map[exercises.Muscle]float64{} }

// lacks is which share of its weekly sets a muscle still lacks.
func (l *ledger) lacks(m exercises.Muscle) float64 { return max(1-l.week[m]/l.target, 0) }

// room is how many sets with m as the primary muscle may be added.
func (l *ledger) room(m exercises.Muscle) int {
	return int(min(overTarget*l.target-l.week[m], sessionSets-l.today[m]))
}

func (l *ledger) add(e *exercises.Exercise, sets int) {
	count := func(m exercises.Muscle, n float64) {
		l.week[m] += n
		l.today[m] += n
	}
	count(e.Primary, float64(sets))
	for _, m := range e.Secondary {
		count(m, secondary*float64(sets))
	}
}
