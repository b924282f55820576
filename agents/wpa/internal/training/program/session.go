package program

import (
	"math/rand/v2"

	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
)

// builder makes the sessions of one week, one after the other.
type builder struct {
	can    []*exercises.Exercise
	style  style
	past   memory
	volume *ledger
	used   map[string]int // how often in the week, by id
	luck   *rand.Rand
}

const (
	// warmUpShare of the session warms up, between its bounds in s: ACSM's
	// Guidelines for Exercise Testing and Prescription (11th edition) ask 5 to
	// 10 minutes, which a short session can't give.
	warmUpShare             = 0.10
	leastWarmUp, mostWarmUp = 120, 600
	// leastCardio in s is what is worth a change of exercise.
	leastCardio = 60
	// shortRest in s is enough after core work and carries, which tire less.
	shortRest = 60
)

// session fills the minutes: strength by the day's patterns in turn until time
// or volume is used up, then cardio, then seconds to cool down.
func (b *builder) session(d day, minutes int) Session {
	budget := 60 * minutes
	s := Session{Weekday: d.weekday, Focus: d.focus, WarmUp: min(max(int(warmUpShare*float64(budget)), leastWarmUp), mostWarmUp)}
	cardio := int(b.style.cardio * float64(budget))
	left := budget - s.WarmUp - cardio
	b.volume.nextDay()
	today := map[string]bool{}
	for added := true; added; {
		added = false
		for _, pattern := range order[d.focus] {
			item, found := b.pick(pattern, left, today)
			if !found {
				continue
			}
			s.Items = append(s.Items, item)
			left -= item.Work() + item.Rest()
			today[item.Exercise.ID] = true
			b.used[item.Exercise.ID]++
			b.volume.add(item.Exercise, item.Sets)
			added = true
		}
	}
	left += cardio
	if item, found := b.cardio(left); found {
		s.Items = append(s.Items, item)
		left -= item.Work() + item.Rest()
	}
	s.CoolDown = left
	return s
}

// pick returns the exercise of the pattern that the week needs most, with as
// many sets as time and volume allow.
func (b *builder) pick(pattern exercises.Pattern, left int, today map[string]bool) (Item, bool) {
	var best Item
	most := 0.0
	for _, e := range b.can {
		score := b.score(e) // drawn for all, so that luck does not depend on what fits
		if e.Pattern != pattern || today[e.ID] || score <= most {
			continue
		}
		if item, fits := b.fit(e, left); fits {
			best, most = item, score
		}
	}
	return best, most > 0
}

// score is how much the week needs an exercise: what its muscles lack, then
// what was trained before and can progress, then what matches the level, then
// luck.
func (b *builder) score(e *exercises.Exercise) float64 {
	score := 1 + b.volume.lacks(e.Primary) + 0.1*float64(e.Level) + 0.3*b.luck.Float64()
	for _, m := range e.Secondary {
		score += 0.3 * b.volume.lacks(m) / float64(len(e.Secondary))
	}
	if b.past.knows(e.ID) {
		score += 0.5
	}
	return score / float64(1+b.used[e.ID])
}

// fit returns the exercise with the most sets, up to the style's, for which
// there is time and room.
func (b *builder) fit(e *exercises.Exercise, left int) (Item, bool) {
	item := b.past.prescribe(e, b.style)
	for item.Sets = min(b.style.sets, b.volume.room(e.Primary)); item.Sets > 0; item.Sets-- {
		if item.Work()+item.Rest() <= left {
			return item, true
		}
	}
	return item, false
}

// cardio fills the time, in whole minutes, with one exercise at an easy pace.
func (b *builder) cardio(left int) (Item, bool) {
	seconds := (left - changeOver) / 60 * 60
	if seconds < leastCardio {
		return Item{}, false
	}
	var best *exercises.Exercise
	most := 0.0
	for _, e := range b.can {
		if score := b.score(e); e.Pattern == exercises.Cardio && score > most {
			best, most = e, score
		}
	}
	if best == nil {
		return Item{}, false
	}
	b.used[best.ID]++
	return Item{Exercise: best, Sets: 1, HoldSeconds: seconds}, true
}
