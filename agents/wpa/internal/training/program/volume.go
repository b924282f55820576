package program

import (
	"slices"

	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
)

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
	// sessionSets is the maximum number of sets of a muscle in one session. More sets have
	// no measurable effect (Remmert et al., SportRxiv 2025). That study also counts a set as
	// half a set for a secondary muscle.
	sessionSets = 11
	// secondaryShare is the share of a set that counts for a secondary muscle.
	secondaryShare = 0.5
	// maxImbalance is the maximum ratio of the push sets of a week to its pull sets, and of its
	// pull sets to its push sets. It keeps the shoulders balanced. This project has chosen the
	// number; it has no source.
	maxImbalance = 2
)

// opposite has the patterns that balance each other.
var opposite = map[exercises.Pattern]exercises.Pattern{exercises.Push: exercises.Pull, exercises.Pull: exercises.Push}

// volume counts the sets of each muscle, in the week and today, and the sets of each pattern
// in the week.
type volume struct {
	target      float64
	week, today map[exercises.Muscle]float64
	byPattern   map[exercises.Pattern]int
	// trainsPushAndPull is true if today trains both push and pull. Only then is their ratio
	// limited. Otherwise another day trains the other pattern.
	trainsPushAndPull bool
}

// newVolume returns the volume of a week without sets. If the week has only one training day,
// the target is reduced: maxOverTarget times the target is then at most sessionSets.
func newVolume(level exercises.Level, days int) *volume {
	target := weeklySets[level]
	if days == 1 {
		target = min(target, sessionSets/maxOverTarget)
	}
	return &volume{target: target, week: map[exercises.Muscle]float64{}, byPattern: map[exercises.Pattern]int{}}
}

// startDay begins a day without sets, which trains these patterns.
func (v *volume) startDay(patterns []exercises.Pattern) {
	v.today = map[exercises.Muscle]float64{}
	v.trainsPushAndPull = slices.Contains(patterns, exercises.Push) && slices.Contains(patterns, exercises.Pull)
}

// missingShare returns how much of the target is missing for a muscle in this week, from 0 to 1.
func (v *volume) missingShare(m exercises.Muscle) float64 { return max(1-v.week[m]/v.target, 0) }

// remainingSets returns how many sets of e may be added. If none may be added, it returns 0 or
// a negative number.
func (v *volume) remainingSets(e *exercises.Exercise) int {
	remaining := int(min(maxOverTarget*v.target-v.week[e.Primary], sessionSets-v.today[e.Primary]))
	// The first exercise of a pattern is always allowed.
	if other, limited := opposite[e.Pattern]; limited && v.trainsPushAndPull && v.byPattern[e.Pattern] > 0 {
		remaining = min(remaining, maxImbalance*v.byPattern[other]-v.byPattern[e.Pattern])
	}
	return remaining
}

// add counts the sets of an exercise for its muscles and its pattern.
func (v *volume) add(e *exercises.Exercise, sets int) {
	v.byPattern[e.Pattern] += sets
	addSets := func(m exercises.Muscle, n float64) {
		v.week[m] += n
		v.today[m] += n
	}
	addSets(e.Primary, float64(sets))
	for _, m := range e.Secondary {
		addSets(m, secondaryShare*float64(sets))
	}
}
