package trainingapi

import (
	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/program"
)

// WeekAnswer is the body of a 200 of POST /generate.
type WeekAnswer struct {
	UserID       string          `json:"userId"` // empty: package agent fills it in for each user
	FitnessLevel string          `json:"fitnessLevel"`
	Duration     int             `json:"duration"` // minutes of a session
	Deload       bool            `json:"deload"`
	Sessions     []SessionAnswer `json:"sessions"`
}

// SessionAnswer is one training. Its times add up to TotalSeconds.
type SessionAnswer struct {
	Weekday         int           `json:"weekday"` // 1 to 7
	Focus           program.Focus `json:"focus"`
	WarmUpSeconds   int           `json:"warmUpSeconds"`
	WorkSeconds     int           `json:"workSeconds"`
	RestSeconds     int           `json:"restSeconds"`
	CoolDownSeconds int           `json:"coolDownSeconds"`
	TotalSeconds    int           `json:"totalSeconds"`
	Exercises       []ItemAnswer  `json:"exercises"`
}

// ItemAnswer is an exercise as it is to be done.
type ItemAnswer struct {
	ExerciseID  string             `json:"exerciseId"`
	Name        string             `json:"name"`
	Pattern     exercises.Pattern  `json:"pattern"`
	Primary     exercises.Muscle   `json:"primary"`
	Secondary   []exercises.Muscle `json:"secondary"`
	EachSide    bool               `json:"eachSide"`
	Sets        int                `json:"sets"`
	Reps        *program.Range     `json:"reps,omitempty"`
	TargetReps  int                `json:"targetReps,omitempty"`
	HoldSeconds int                `json:"holdSeconds,omitempty"`
	RestSeconds int                `json:"restSeconds"`
	WeightKg    float64            `json:"weightKg,omitempty"`
	Why         string             `json:"why,omitempty"`
}

func answer(g *GenerateRequest, minutes int, week program.Week) WeekAnswer {
	a := WeekAnswer{FitnessLevel: g.FitnessLevel, Duration: minutes, Deload: week.Deload}
	for _, s := range week.Sessions {
		a.Sessions = append(a.Sessions, sessionAnswer(s))
	}
	return a
}

func sessionAnswer(s program.Session) SessionAnswer {
	a := SessionAnswer{Weekday: s.Weekday, Focus: s.Focus, WarmUpSeconds: s.WarmUp, CoolDownSeconds: s.CoolDown, TotalSeconds: s.Seconds()}
	for _, item := range s.Items {
		e := item.Exercise
		one := ItemAnswer{
			ExerciseID: e.ID, Name: e.Name, Pattern: e.Pattern, Primary: e.Primary, Secondary: append([]exercises.Muscle{}, e.Secondary...),
			EachSide: e.Unilateral, Sets: item.Sets, TargetReps: item.Target, HoldSeconds: item.HoldSeconds,
			RestSeconds: item.RestSeconds, WeightKg: item.WeightKg, Why: item.Why,
		}
		if item.Reps.Max > 0 {
			one.Reps = &item.Reps
		}
		a.WorkSeconds += item.Work()
		a.RestSeconds += item.Rest()
		a.Exercises = append(a.Exercises, one)
	}
	return a
}
