package trainingapi

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/program"
)

const (
	// maxHistory and maxSets bound the history. Half a year of three sessions a
	// week with six exercises is 468 entries.
	maxHistory, maxSets = 500, 20
	// defaultMinutes is the session length of the design document's load test.
	defaultMinutes = 45
	// maxReps and maxKg are far above real values. They reject typing errors.
	maxReps, maxKg = 1000, 1000
	// bodyweight is accepted as equipment, but no exercise needs it.
	bodyweight = "bodyweight"
)

// GenerateRequest is the body of POST /generate. The design document's load
// test sends the first four fields.
type GenerateRequest struct {
	UserID       string   `json:"userId"`
	FitnessLevel string   `json:"fitnessLevel"`
	Equipment    []string `json:"equipment"`
	Duration     *int     `json:"duration,omitempty"` // minutes of a session

	DaysPerWeek *int     `json:"daysPerWeek,omitempty"` // default 1, a single session
	Goals       []string `json:"goals,omitempty"`
	// History has the past exercises, in any order. If the table does not have an
	// exercise, only the date counts: it shows in which weeks the person has trained.
	History []HistoryEntry `json:"history,omitempty"`
}

// HistoryEntry is a past exercise on one day.
type HistoryEntry struct {
	Date       string       `json:"date"` // 2006-01-02
	ExerciseID string       `json:"exerciseId"`
	Sets       []HistorySet `json:"sets"`
}

// HistorySet is one set of a past exercise.
type HistorySet struct {
	Reps     int      `json:"reps"`
	WeightKg *float64 `json:"weightKg,omitempty"`
	RPE      *float64 `json:"rpe,omitempty"` // 1 to 10
}

// Validate returns every violated rule.
func (g *GenerateRequest) Validate() []httpapi.FieldError {
	var rules httpapi.Rules
	rules.CheckUserID(g.UserID)
	rules.CheckOneOf("#/fitnessLevel", g.FitnessLevel, httpapi.SortedKeys(exercises.Levels))
	rules.CheckAllOf("#/equipment", g.Equipment, append([]string{bodyweight}, exercises.Equipment...))
	httpapi.CheckWithin(&rules, "#/duration", g.Duration, program.MinMinutes, program.MaxMinutes)
	httpapi.CheckWithin(&rules, "#/daysPerWeek", g.DaysPerWeek, program.MinDays, program.MaxDays)
	rules.CheckAllOf("#/goals", g.Goals, httpapi.ToStrings(program.Goals))
	rules.Check(len(g.History) <= maxHistory, "#/history", "has %d items, must have at most %d", len(g.History), maxHistory)
	for i, entry := range g.History[:min(len(g.History), maxHistory)] {
		entry.validate(&rules, fmt.Sprintf("#/history/%d", i))
	}
	return rules
}

// validate checks the entry. pointer is the JSON pointer to the entry in the
// request.
func (e HistoryEntry) validate(rules *httpapi.Rules, pointer string) {
	_, err := time.Parse(time.DateOnly, e.Date)
	rules.Check(err == nil, pointer+"/date", "must be a day such as 2026-01-31")
	rules.Check(e.ExerciseID != "" && utf8.RuneCountInString(e.ExerciseID) <= 64, pointer+"/exerciseId", "must be 1 to 64 characters")
	rules.Check(len(e.Sets) <= maxSets, pointer+"/sets", "has %d items, must have at most %d", len(e.Sets), maxSets)
	for i, set := range e.Sets[:min(len(e.Sets), maxSets)] {
		setPointer := fmt.Sprintf("%s/sets/%d", pointer, i)
		httpapi.CheckWithin(rules, setPointer+"/reps", &set.Reps, 0, maxReps)
		httpapi.CheckWithin(rules, setPointer+"/weightKg", set.WeightKg, 0, maxKg)
		httpapi.CheckWithin(rules, setPointer+"/rpe", set.RPE, 1, 10)
	}
}

// TakeUserID returns the user's id and removes it from the request.
func (g *GenerateRequest) TakeUserID() string {
	id := g.UserID
	g.UserID = ""
	return id
}

// toPlannerRequest converts a valid request to a request of the planner.
func (g *GenerateRequest) toPlannerRequest() program.Request {
	r := program.Request{
		Level: exercises.Levels[g.FitnessLevel], Equipment: slices.Clone(g.Equipment),
		Minutes: valueOr(g.Duration, defaultMinutes), Days: valueOr(g.DaysPerWeek, 1), Seed: httpapi.Seed(g),
	}
	for _, goal := range g.Goals {
		r.Goals = append(r.Goals, program.Goal(goal))
	}
	for _, entry := range g.History {
		date, _ := time.Parse(time.DateOnly, entry.Date) // Validate has parsed it
		past := program.PastExercise{Date: date, Exercise: entry.ExerciseID}
		for _, set := range entry.Sets {
			past.Sets = append(past.Sets, program.Set{Reps: set.Reps, WeightKg: valueOr(set.WeightKg, 0), RPE: valueOr(set.RPE, 0)})
		}
		r.History = append(r.History, past)
	}
	return r
}

// valueOr returns the value, or the fallback if there is none.
func valueOr[T any](value *T, fallback T) T {
	if value == nil {
		return fallback
	}
	return *value
}
