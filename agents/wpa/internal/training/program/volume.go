package program

import "github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"

// weeklySets is the target of sets a week for each muscle, by the person's level. A set of
// an exercise counts as half a set for its secondary muscles. The sources are:
//   - beginner: one to three sets of an exercise on two to three days (ACSM 2009),
//   - intermediate: at least ten sets (Schoenfeld, Ogborn and Krieger, J Sports Sci 35
//     (2017) 1073),
//   - advanced: twelve to twenty sets (Baz-Valle et al., J Hum Kinet 81 (2022) 199).
var weeklySets = map[exercises.Level]float64{exercises.Beginner: 6, exercises.Intermediate: 10, exercises.Advanced: 16}

const (
	// maxOverTarget is the largest number of sets of a muscle in a week, divided by the
	// target.
	maxOverTarget = 1.25
	// sessionSets is the maximum number of sets of a muscle in one session. More sets
	// have no measurable effect (Remmert et al., SportRxiv 2025). They also count a set
	// of a secondary muscle as half.
	sessionSets = 11
	// secondary is the share of a set that counts for a secondary muscle.
	secondary = 0.5
)

// volume counts the sets of each muscle, in the week and today.
type volume struct {
	target      float64
	week, today map[exercises.Muscle]float64
}

// newVolume returns the volume of a week without sets. If the week has one training day,
// maxOverTarget times the target is at most sessionSets.
func newVolume(level exercises.Level, days int) *volume {
	target := weeklySets[level]
	if days == 1 {
		target = min(target, sessionSets/maxOverTarget)
	}
	return &volume{target: target, week: map[exercises.Muscle]float64{}}
}

// nextDay begins a day without sets.
func (v *volume) nextDay() { v.today = map[exercises.Muscle]float64{} }

// missing returns the share of its weekly sets that a muscle still lacks.
func (v *volume) missing(m exercises.Muscle) float64 { return max(1-v.week[m]/v.target, 0) }

// remainingSets returns how many sets with m as the primary muscle may be added.
func (v *volume) remainingSets(m exercises.Muscle) int {
	return int(min(maxOverTarget*v.target-v.week[m], sessionSets-v.today[m]))
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
