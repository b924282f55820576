package trainingapi

import (
	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/program"
)

// WeekResponse is the body of a 200 response to POST /generate.
type WeekResponse struct {
	FitnessLevel string            `json:"fitnessLevel"`
	Duration     int               `json:"duration"` // minutes of a session
	Deload       bool              `json:"deload"`
	Sessions     []SessionResponse `json:"sessions"`
}

// SessionResponse is one session. TotalSeconds is the sum of WarmUpSeconds, WorkSeconds,
// RestSeconds and CoolDownSeconds.
type SessionResponse struct {
	Weekday         int            `json:"weekday"` // 1 to 7
	Focus           program.Focus  `json:"focus"`
	WarmUpSeconds   int            `json:"warmUpSeconds"`
	WorkSeconds     int            `json:"workSeconds"`
	RestSeconds     int            `json:"restSeconds"`
	CoolDownSeconds int            `json:"coolDownSeconds"`
	TotalSeconds    int            `json:"totalSeconds"`
	Exercises       []ItemResponse `json:"exercises"`
}

// ItemResponse is a prescribed exercise.
type ItemResponse struct {
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

// newResponse converts a week to the response.
func newResponse(g *GenerateRequest, minutes int, week program.Week) WeekResponse {
	response := WeekResponse{FitnessLevel: g.FitnessLevel, Duration: minutes, Deload: week.Deload}
	for _, s := range week.Sessions {
		response.Sessions = append(response.Sessions, newSessionResponse(s))
	}
	return response
}

// newSessionResponse converts a session to a session of the response.
func newSessionResponse(s program.Session) SessionResponse {
	response := SessionResponse{Weekday: s.Weekday, Focus: s.Focus, WarmUpSeconds: s.WarmUp, CoolDownSeconds: s.CoolDown, TotalSeconds: s.Seconds()}
	for _, item := range s.Items {
		e := item.Exercise
		exercise := ItemResponse{
			ExerciseID: e.ID, Name: e.Name, Pattern: e.Pattern, Primary: e.Primary, Secondary: append([]exercises.Muscle{}, e.Secondary...),
			EachSide: e.Unilateral, Sets: item.Sets, TargetReps: item.TargetReps, HoldSeconds: item.HoldSeconds,
			RestSeconds: item.RestSeconds, WeightKg: item.WeightKg, Why: item.Why,
		}
		if item.Reps.Max > 0 {
			exercise.Reps = &item.Reps
		}
		response.WorkSeconds += item.WorkTime()
		response.RestSeconds += item.RestTime()
		response.Exercises = append(response.Exercises, exercise)
	}
	return response
}
