package program

import "github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"

// weeklySets is the target of sets a week for each muscle. A set of a secondary
// muscle counts as half. Beginner: one to three sets of an exercise on two to
// three days (ACSM 2009). Intermediate: at least ten (Schoenfeld, Ogborn and
// Krieger, J Sports Sci 35 (2017) 1073). Advanced: within twelve to twenty
// (Baz-Valle et al., J Hum Kinet 81 (2022) 199).
var weeklySets = map[exercises.Level]float64{exercises.Beginner: 6, exercises.Intermediate: 10, exercises.Advanced: 16}

const (
	// overTarget times its weekly target is the most that a muscle may reach.
	overTarget = 1.25
	// sessionSets is the maximum number of sets of a muscle in one session. More sets
	// have no measurable effect (Remmert et al., SportRxiv 2025, which counts sets in
	// the same way).
	sessionSets = 11
	// secondary is the share of a set that counts for a secondary muscle.
	secondary = 0.5
)

// volume counts the sets of each muscle, in the week and today.
type volume struct {
	target      float64
	week, today map[exercises.Muscle]float64
}

// newVolume begins a week. A week of one day has no more volume than a session.
func newVolume(level exercises.Level, days int) *volume {
	target := weeklySets[level]
	if days == 1 {
		target = min(target, sessionSets/overTarget)
	}
	return &volume{target: target, week: map[exercises.Muscle]float64{}}
}

// nextDay begins a day: no sets were done today.
func (v *volume) nextDay() { v.today = map[exercises.Muscle]float64{} }

// missing returns the share of its weekly sets that a muscle still lacks.
func (v *volume) missing(m exercises.Muscle) float64 { return max(1-v.week[m]/v.target, 0) }

// remainingSets returns how many sets with m as the primary muscle may be added.
func (v *volume) remainingSets(m exercises.Muscle) int {
	return int(min(overTarget*v.target-v.week[m], sessionSets-v.today[m]))
}

// add counts the sets of an exercise for its muscles.
func (v *volume) add(e *exercises.Exercise, sets int) {
	count := func(m exercises.Muscle, n float64) {
		v.week[m] += n
		v.today[m] += n
	}
	count(e.Primary, float64(sets))
	for _, m := range e.Secondary {
		count(m, secondary*float64(sets))
	}
}
