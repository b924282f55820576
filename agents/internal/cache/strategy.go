package cache

import (
	"slices"
	"time"
)

// Event is a change that makes cached values stale. Names are from the design
// document (section "Application-Level Caching Configuration", invalidateOn).
type Event string

// The events of the design document.
const (
	Logout                Event = "logout"
	ProfileUpdate         Event = "profile_update"
	AgentStateChange      Event = "agent_state_change"
	CoordinationUpdate    Event = "coordination_update"
	NutritionDBUpdate     Event = "nutrition_db_update"
	WorkoutTemplateUpdate Event = "workout_template_update"
	DataUpdate            Event = "data_update"
)

// Strategy defines how one kind of value is cached.
type Strategy struct {
	// Name is from the design document. It is the label "strategy" of the
	// metrics.
	Name string
	// TTL is how long a value is valid after it was written, in both tiers. In the
	// local tier it may be up to 100 ms longer.
	TTL time.Duration
	// Local is true if a process also keeps values in its own memory. If it is
	// false, values are only in Redis, so all processes read the same value.
	Local bool
	// Events invalidate the values.
	Events []Event
}

// The strategies and TTLs of the design document.
var (
	UserSession       = Strategy{"userSession", 1800 * time.Second, false, []Event{Logout, ProfileUpdate}}
	AgentCoordination = Strategy{"agentCoordination", 60 * time.Second, true, []Event{AgentStateChange, CoordinationUpdate}}
	NutritionData     = Strategy{"nutritionData", 3600 * time.Second, true, []Event{NutritionDBUpdate}}
	WorkoutTemplates  = Strategy{"workoutTemplates", 86400 * time.Second, true, []Event{WorkoutTemplateUpdate}}
	APIResponse       = Strategy{"apiResponse", 300 * time.Second, false, []Event{DataUpdate}}
)

func (s Strategy) isInvalidatedBy(event Event) bool { return slices.Contains(s.Events, event) }
