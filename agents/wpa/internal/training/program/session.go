package program

import (
	"math/rand/v2"

	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
)

// builder plans the sessions of one week in order.
type builder struct {
	doable  []*exercises.Exercise
	style   style
	history history
	volume  *volume
	used    map[string]int // how often the week has an exercise, by its id
	rng     *rand.Rand
}

const (
	// warmUpShare is the warm-up's share of the session. The warm-up takes at least
	// minWarmUp and at most maxWarmUp seconds. ACSM's Guidelines for Exercise Testing and
	// Prescription (11th edition) require 5 to 10 minutes. A short session does not have
	// that much time.
	warmUpShare          = 0.10
	minWarmUp, maxWarmUp = 120, 600
	// minCardio is the shortest cardio exercise in seconds.
	minCardio = 60
	// shortRest is the rest in seconds after exercises that tire less: core and carry.
	shortRest = 60
)

// planSession plans a session of this length. It adds strength exercises first: one exercise
// for each pattern of the day in turn, until the time or the volume is used up. Then it adds
// cardio, and last the cool-down.
func (b *builder) planSession(d day, minutes int) Session {
	budget := 60 * minutes // in seconds
	s := Session{Weekday: d.weekday, Focus: d.focus, WarmUp: min(max(int(warmUpShare*float64(budget)), minWarmUp), maxWarmUp)}
	cardioSeconds := int(b.style.cardio * float64(budget))
	remaining := budget - s.WarmUp - cardioSeconds // in seconds
	b.volume.startDay(patternOrder[d.focus])
	today := map[string]bool{}
	for added := true; added; {
		added = false
		for _, pattern := range patternOrder[d.focus] {
			item, found := b.pickExercise(pattern, remaining, today)
			if !found {
				continue
			}
			s.Items = append(s.Items, item)
			remaining -= item.WorkTime() + item.RestTime()
			today[item.Exercise.ID] = true
			b.used[item.Exercise.ID]++
			b.volume.add(item.Exercise, item.Sets)
			added = true
		}
	}
	remaining += cardioSeconds
	if item, found := b.pickCardio(remaining); found {
		s.Items = append(s.Items, item)
		remaining -= item.WorkTime() + item.RestTime()
	}
	s.CoolDown = remaining // so that the session takes exactly the requested minutes
	return s
}

// pickExercise returns the exercise of the pattern that has the highest score, with as many sets as
// time and volume allow. It skips the exercises of today. It returns false if none fits.
func (b *builder) pickExercise(pattern exercises.Pattern, remaining int, today map[string]bool) (Item, bool) {
	var best Item
	highest := 0.0
	for _, e := range b.doable {
		score := b.score(e) // computed for each exercise, so that the random numbers do not depend on which exercises fit
		if e.Pattern != pattern || today[e.ID] || score <= highest {
			continue
		}
		if item, fits := b.fitSets(e, remaining); fits {
			best, highest = item, score
		}
	}
	return best, highest > 0
}

// score returns how useful an exercise is for the week. Missing sets of its muscles count
// most. An exercise from the history, which can progress, gets 0.5. The level and a random
// number count less. An exercise that the week already has gets a lower score, for variety. This
// project has chosen these numbers. A score is always above 0.
func (b *builder) score(e *exercises.Exercise) float64 {
	score := 1 + b.volume.missingShare(e.Primary) + 0.1*float64(e.Level) + 0.3*b.rng.Float64()
	for _, m := range e.Secondary {
		score += 0.3 * b.volume.missingShare(m) / float64(len(e.Secondary))
	}
	if b.history.hasExercise(e.ID) {
		score += 0.5
	}
	return score / float64(1+b.used[e.ID])
}

// fitSets returns the exercise with as many sets as the style, the remaining seconds and the volume
// allow. It returns false if not even one set fits.
func (b *builder) fitSets(e *exercises.Exercise, remaining int) (Item, bool) {
	item := b.history.prescribe(e, b.style)
	for item.Sets = min(b.style.sets, b.volume.remainingSets(e)); item.Sets > 0; item.Sets-- {
		if item.WorkTime()+item.RestTime() <= remaining {
			return item, true
		}
	}
	return item, false
}

// pickCardio returns one cardio exercise that fills the remaining seconds, in whole minutes. It returns
// false if the time is too short, or if the person can do no cardio exercise.
func (b *builder) pickCardio(remaining int) (Item, bool) {
	seconds := (remaining - changeOver) / 60 * 60
	if seconds < minCardio {
		return Item{}, false
	}
	var best *exercises.Exercise
	highest := 0.0
	for _, e := range b.doable {
		if score := b.score(e); e.Pattern == exercises.Cardio && score > highest {
			best, highest = e, score
		}
	}
	if best == nil {
		return Item{}, false
	}
	b.used[best.ID]++
	return Item{Exercise: best, Sets: 1, HoldSeconds: seconds}, true
}
