// Package program makes training weeks: which exercises on which day, with how
// many sets, repetitions and kilograms, inside the minutes that a person has.
// It owns the choice, the clock and the progression; the exercises are
// exercises'.
package program

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
)

// Bounds of a request: minutes of a session, days of a week.
const (
	MinMinutes = 10
	MaxMinutes = 180
	MinDays    = 1
	MaxDays    = 7
)

// Request is what a week is made from.
type Request struct {
	Level     exercises.Level
	Equipment []string
	Minutes   int // of each session
	Days      int // of the week; 1 is a single session
	Goals     []Goal
	History   []Done
	// Seed decides between exercises that are equally good.
	Seed uint64
}

// Week is a list of sessions, in order of their days.
type Week struct {
	// Deload says that this is a lighter week, after weeks without a pause.
	Deload   bool
	Sessions []Session
}

// Session is one training. Its times are in seconds; together they are never
// more than the minutes asked for.
type Session struct {
	Weekday  int // 1 to 7
	Focus    Focus
	WarmUp   int
	Items    []Item
	CoolDown int
}

// Item is an exercise as it is to be done.
type Item struct {
	Exercise *exercises.Exercise
	Sets     int
	// Reps is the range of a set, Target where to aim in it this time; both are
	// zero for what is held or counted in minutes.
	Reps   Range
	Target int
	// HoldSeconds is how long a set is held, or how long cardio lasts.
	HoldSeconds int
	RestSeconds int     // after each set but the last
	WeightKg    float64 // 0 where history knows none, or there is none
	Why         string  // what history changed
}

// Range is a number of repetitions, both ends included.
type Range struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// changeOver in s is the way to the next exercise and its set-up.
const changeOver = 30

// Work is the time under work in seconds.
func (i Item) Work() int {
	one := i.HoldSeconds
	if i.Exercise.Work == exercises.Reps {
		one = i.Reps.Max * i.Exercise.Seconds
	}
	if i.Exercise.Unilateral {
		one *= 2
	}
	return i.Sets * one
}

// Rest is the time between sets and before the exercise in seconds.
func (i Item) Rest() int { return changeOver + (i.Sets-1)*i.RestSeconds }

// Seconds is how long the session takes.
func (s Session) Seconds() int {
	sum := s.WarmUp + s.CoolDown
	for _, item := range s.Items {
		sum += item.Work() + item.Rest()
	}
	return sum
}

// Maker makes weeks from one table of exercises. It is safe for use by several
// goroutines.
type Maker struct{ table []exercises.Exercise }

// New returns a Maker of the table, which must not change after.
func New(table []exercises.Exercise) *Maker { return &Maker{table} }

// Week returns the week of the request: the same for the same request.
func (m *Maker) Week(ctx context.Context, r Request) (Week, error) {
	if r.Minutes < MinMinutes || r.Minutes > MaxMinutes {
		return Week{}, fmt.Errorf("a session of %d minutes was asked for, must be %d to %d", r.Minutes, MinMinutes, MaxMinutes)
	}
	if r.Days < MinDays || r.Days > MaxDays {
		return Week{}, fmt.Errorf("a week of %d days was asked for, must be %d to %d", r.Days, MinDays, MaxDays)
	}
	past := remember(r.History)
	b := builder{
		can:    m.doable(r),
		style:  styleOf(r.Goals, r.Level),
		past:   past,
		volume: newLedger(r.Level, r.Days),
		used:   map[string]int{},
		luck:   rand.New(rand.NewPCG(r.Seed, uint64(r.Minutes))),
	}
	week := Week{Deload: past.needsDeload()}
	if week.Deload {
		b.style = b.style.deloaded()
	}
	for _, day := range splits[r.Days-1] {
		if err := ctx.Err(); err != nil {
			return Week{}, fmt.Errorf("make the session of day %d: %w", day.weekday, err)
		}
		week.Sessions = append(week.Sessions, b.session(day, r.Minutes))
	}
	return week, nil
}

func (m *Maker) doable(r Request) []*exercises.Exercise {
	var can []*exercises.Exercise
	for i := range m.table {
		if e := &m.table[i]; e.DoableWith(r.Level, r.Equipment) {
			can = append(can, e)
		}
	}
	return can
}
