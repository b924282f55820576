// Package traffic is what the design document's load test sends
// (scripts/performance-testing/load-test.js, ProgressiveFrameworkLoadTest), as
// one table: requests, their shares, their limits and what makes an answer a
// real one. It owns the client that sends them, and no schedule; that is load's.
package traffic

import (
	"math"
	"net/http"
	"time"

	"github.com/progressive-framework/platform/agents/internal/load"
)

// Part is a part of the load test.
type Part string

// The parts, by the document's runMainAppTest, runAgentLoadTest and
// runWebSocketLoadTest.
const (
	Main      Part = "main"
	Agents    Part = "agents"
	WebSocket Part = "websocket"
)

// Parts are all of them.
var Parts = []Part{Main, Agents, WebSocket}

// The limits of the document's "Scaling Metrics & Thresholds"; we hold the p95
// against them.
const (
	WebLimit          = 500 * time.Millisecond // web_tier.response_time_threshold
	CoordinationLimit = 150 * time.Millisecond // agent_specific.mca_coordination_latency
	PlanLimit         = 300 * time.Millisecond // agent_specific.npa_calculation_time
	GenerationLimit   = 500 * time.Millisecond // agent_specific.wpa_generation_time
	// BetweenAgentsLimit is inter_agent_communication. We hold an agent's whole
	// answer to mca against it, its work included, which is stricter.
	BetweenAgentsLimit = 100 * time.Millisecond
)

// Bounds of the load test.
const (
	// MaxPerSecond is web_tier.requests_per_second_max.
	MaxPerSecond = 1000
	// Connections is the document's default.
	Connections = 100
	// maxSockets is how many WebSockets are opened at most, and socketEvery how
	// often each asks.
	maxSockets, socketEvery = 50, 5 * time.Second
)

// Request is one request of a load.
type Request struct {
	Name         string
	Part         Part
	Method, Path string
	// Public is whether it is answered without a token.
	Public bool
	// Share is how much it gets of the web app's connections and rate: the main
	// app's requests by their weight, each agent a third.
	Share float64
	// Limit is that of the p95.
	Limit time.Duration
	// Body makes the JSON of the user's request number n; nil sends none. Fresh
	// says that it is another each time.
	Body  func(user string, n int) any
	Fresh bool
	// Check says what is wrong with the body of a 200; nil takes any.
	Check func(user string, body []byte) error
}

type object = map[string]any

func same(body object) func(string, int) any { return func(string, int) any { return body } }

// What the document's requests ask for, and answers are held to.
const (
	planDays = 7
	level    = "intermediate"
	minutes  = 45
)

// The requests of the document. Where it sends test-user-123 the token's user
// stands, as nobody may ask for another.
var (
	Health = Request{
		Name: "GET /health", Part: Main, Method: http.MethodGet, Path: "/health", Public: true,
		Share: 10. / 35, Limit: WebLimit, Check: checkHealth,
	}
	Profile = Request{
		Name: "GET profile", Part: Main, Method: http.MethodGet, Path: "/api/v1/users/profile",
		Share: 20. / 35, Limit: WebLimit, Check: checkProfile,
	}
	Preferences = StorePreferences("dark", true)
	Coordinate  = Request{
		Name: "POST mca/coordinate", Part: Agents, Method: http.MethodPost, Path: "/api/v1/agents/mca/coordinate",
		Share: 1. / 3, Limit: CoordinationLimit, Check: checkCoordination,
		Body: same(object{"task": "coordinate_agents", "agents": []string{"npa", "wpa"}, "priority": "normal"}),
	}
	Plan = Request{
		Name: "POST npa/plan", Part: Agents, Method: http.MethodPost, Path: "/api/v1/agents/npa/plan",
		Share: 1. / 3, Limit: PlanLimit, Check: checkPlan,
		Body: func(user string, _ int) any {
			return object{"userId": user, "goals": []string{"weight_loss", "muscle_gain"}, "preferences": []string{"vegetarian"}, "duration": planDays}
		},
	}
	Generate = Request{
		Name: "POST wpa/generate", Part: Agents, Method: http.MethodPost, Path: "/api/v1/agents/wpa/generate",
		Share: 1. / 3, Limit: GenerationLimit, Check: checkWorkout,
		Body: func(user string, _ int) any {
			return object{"userId": user, "fitnessLevel": level, "equipment": []string{"dumbbells", "resistance_bands"}, "duration": minutes}
		},
	}
	Socket = Request{Name: "WebSocket status", Part: WebSocket, Method: http.MethodGet, Path: "/ws", Limit: WebLimit}
)

// Seed are all of them.
var Seed = []Request{Health, Profile, Preferences, Coordinate, Plan, Generate, Socket}

// StorePreferences is Preferences with others than the document's.
func StorePreferences(theme string, notifications bool) Request {
	return Request{
		Name: "POST preferences", Part: Main, Method: http.MethodPost, Path: "/api/v1/users/preferences",
		Share: 5. / 35, Limit: WebLimit, Check: checkPreferences(theme, notifications),
		Body: same(object{"theme": theme, "notifications": notifications}),
	}
}

// Shape is how the request is sent when the web app gets that many connections
// and requests per second. WebSockets have a pace of their own.
func (r Request) Shape(connections int, perSecond float64, duration time.Duration) load.Shape {
	if r.Part == WebSocket {
		sockets := min(connections, maxSockets)
		return load.Shape{Connections: sockets, PerSecond: float64(sockets) / socketEvery.Seconds(), Duration: duration}
	}
	return load.Shape{Connections: int(math.Ceil(float64(connections) * r.Share)), PerSecond: perSecond * r.Share, Duration: duration}
}
