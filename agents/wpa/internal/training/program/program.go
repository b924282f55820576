// Package program plans training weeks. It chooses the exercises of each day, with sets,
// repetitions and weights, that fit into the available minutes. It owns the selection, the
// time budget and the progression. Package exercises has the exercises.
package program

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
)

// The bounds of a request: minutes of a session, and days of a week.
const (
	MinMinutes = 10
	MaxMinutes = 180
	MinDays    = 1
	MaxDays    = 7
)

// Request is the input of a week.
type Request struct {
	Level     exercises.Level
	Equipment []string
	Minutes   int // the length of each session
	Days      int // the training days of the week; 1 means a single session
	Goals     []Goal
	History   []PastExercise
	// Seed is the seed of the random numbers. They choose between equally good exercises.
	Seed uint64
}

// Week is a list of sessions, ordered by day.
type Week struct {
	// Deload is true for a lighter week. It comes after several weeks of training without
	// a pause.
	Deload   bool
	Sessions []Session
}

// Session is one training. WarmUp and CoolDown are in seconds. The whole session is at most
// as long as requested.
type Session struct {
	Weekday  int // 1 to 7
	Focus    Focus
	WarmUp   int
	Items    []Item
	CoolDown int
}

// Item is a prescribed exercise.
type Item struct {
	Exercise *exercises.Exercise
	Sets     int
	// Reps is the range of repetitions in a set, and TargetReps is their number for this
	// session. Both are zero for an exercise that is held or counted in minutes.
	Reps       Range
	TargetReps int
	// HoldSeconds is the time that a set is held, or the time of cardio.
	HoldSeconds int
	RestSeconds int     // after each set except the last
	WeightKg    float64 // 0 if the history has no weight or the exercise needs none
	Why         string  // how and why the item differs from the last time
}

// Range bounds a number of repetitions. Both ends are included.
type Range struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// changeOver is the time in seconds to go to the next exercise and prepare it.
const changeOver = 30

// WorkTime returns the time of all sets in seconds.
func (i Item) WorkTime() int {
	perSet := i.HoldSeconds
	if i.Exercise.Work == exercises.Reps {
		perSet = i.Reps.Max * i.Exercise.Seconds
	}
	if i.Exercise.Unilateral {
		perSet *= 2
	}
	return i.Sets * perSet
}

// RestTime returns the time before the exercise and between its sets, in seconds.
func (i Item) RestTime() int { return changeOver + (i.Sets-1)*i.RestSeconds }

// Seconds returns the length of the session.
func (s Session) Seconds() int {
	sum := s.WarmUp + s.CoolDown
	for _, item := range s.Items {
		sum += item.WorkTime() + item.RestTime()
	}
	return sum
}

// Planner plans weeks from one exercise table. It is safe for concurrent use.
type Planner struct{ table []exercises.Exercise }

// New returns a Planner of the table. The caller must not change the table
// afterwards.
func New(table []exercises.Exercise) *Planner { return &Planner{table} }

// PlanWeek returns the week of the request. Equal requests get equal weeks.
func (p *Planner) PlanWeek(ctx context.Context, r Request) (Week, error) {
	if r.Minutes < MinMinutes || r.Minutes > MaxMinutes {
		return Week{}, fmt.Errorf("minutes is %d, must be %d to %d", r.Minutes, MinMinutes, MaxMinutes)
	}
	if r.Days < MinDays || r.Days > MaxDays {
		return Week{}, fmt.Errorf("days is %d, must be %d to %d", r.Days, MinDays, MaxDays)
	}
	past := newHistory(r.History)
	b := builder{
		doable:  p.doableExercises(r),
		style:   styleFor(r.Goals, r.Level),
		history: past,
		volume:  newVolume(r.Level, r.Days),
		used:    map[string]int{},
		// The random numbers depend only on the request, so that equal requests get equal weeks.
		rng: rand.New(rand.NewPCG(r.Seed, uint64(r.Minutes))),
	}
	week := Week{Deload: past.needsDeload()}
	if week.Deload {
		b.style = b.style.deloadStyle()
	}
	for _, day := range splits[r.Days-1] {
		if err := ctx.Err(); err != nil {
			return Week{}, fmt.Errorf("plan the session of day %d: %w", day.weekday, err)
		}
		week.Sessions = append(week.Sessions, b.planSession(day, r.Minutes))
	}
	return week, nil
}

// doableExercises returns the exercises that the person can do.
func (p *Planner) doableExercises(r Request) []*exercises.Exercise {
	var doable []*exercises.Exercise
	for i := range p.table {
		if e := &p.table[i]; e.DoableWith(r.Level, r.Equipment) {
			doable = append(doable, e)
		}
	}
	return doable
}
