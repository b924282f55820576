package cache

import (
	"slices"
	"time"
)

// Event is something that makes cached values wrong; the names are the seed's
// (section "Application-Level Caching Configuration", invalidateOn).
type Event string

// The seed's events.
const (
	Logout                Event = "logout"
	ProfileUpdate         Event = "profile_update"
	AgentStateChange      Event = "agent_state_change"
	CoordinationUpdate    Event = "coordination_update"
	NutritionDBUpdate     Event = "nutrition_db_update"
	WorkoutTemplateUpdate Event = "workout_template_update"
	DataUpdate            Event = "data_update"
)

// Strategy says how one kind of value is cached.
type Strategy struct {
	// Name is the seed's, and the label "strategy" of the metrics.
	Name string
	// TTL is how long a value lives in either tier, from its writing; in the
	// local tier up to 100 ms longer.
	TTL time.Duration
	// Local is whether a process keeps values of its own before Redis. Without
	// it every process sees the same.
	Local bool
	// Events end the values.
	Events []Event
}

// The seed's strategies, with its times.
var (
	UserSession       = Strategy{"userSession", 1800 * time.Second, false, []Event{Logout, ProfileUpdate}}
	AgentCoordination = Strategy{"agentCoordination", 60 * time.Second, true, []Event{AgentStateChange, CoordinationUpdate}}
	NutritionData     = Strategy{"nutritionData", 3600 * time.Second, true, []Event{NutritionDBUpdate}}
	WorkoutTemplates  = Strategy{"workoutTemplates", 86400 * time.Second, true, []Event{WorkoutTemplateUpdate}}
	APIResponse       = Strategy{"apiResponse", 300 * time.Second, false, []Event{DataUpdate}}
)

func (s Strategy) endedBy(event Event) bool { return slices.Contains(s.Events, event) }
