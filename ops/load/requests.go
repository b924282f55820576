package load

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
)

// Scenario is one of the three parts of the load test.
type Scenario string

// The scenarios are the design document's functions runMainAppTest,
// runAgentLoadTest and runWebSocketLoadTest.
const (
	Main      Scenario = "main"
	Agents    Scenario = "agents"
	WebSocket Scenario = "websocket"
)

// Scenarios lists every scenario.
var Scenarios = []Scenario{Main, Agents, WebSocket}

// limits has the limits of p95 and the highest rates.
var limits = scaling.DesignThresholds()

// MaxPerSecond returns the highest rate of requests to the web app.
func MaxPerSecond() int { return limits.Web.RequestsPerSecondMax }

// InterAgentLimit returns the highest allowed p95 of the time between mca's request to an agent and the
// agent's response. The design document allows this time for a message. Here it includes the agent's work.
func InterAgentLimit() time.Duration { return limits.Agents.InterAgent }

const (
	// DefaultConnections is the design document's default.
	DefaultConnections = 100
	// maxSockets is the highest number of WebSockets. Each WebSocket sends a message every
	// socketInterval. Both numbers are from the design document.
	maxSockets     = 50
	socketInterval = 5 * time.Second
)

// Request is one request of the load test.
type Request struct {
	Name         string
	Scenario     Scenario
	Method, Path string
	// Public requests need no token.
	Public bool
	// Share is the request's share of its scenario's connections and rate. The main scenario has
	// the design document's weights. In the scenario agents, each agent has a
	// third.
	Share float64
	// Limit is the highest allowed p95.
	Limit time.Duration
	// Body returns the JSON body of request number n. nil means that the request has no body.
	Body func(user string, n int) any
	// Check returns an error if the body of a response with status 200 is incorrect. nil accepts
	// any body.
	Check func(user string, body []byte) error

	// vary changes a copy of the body, so that the response is not in the cache.
	vary func(body object, n int64)
}

type object = map[string]any

// constantBody returns a Body that is the same for each user and request.
func constantBody(body object) func(string, int) any { return func(string, int) any { return body } }

// The values in the design document's requests. The responses must have the same values.
const (
	planDays       = 7
	fitnessLevel   = "intermediate"
	workoutMinutes = 45
)

// The requests of the design document's load test (ProgressiveFrameworkLoadTest
// in scripts/performance-testing/load-test.js). The document always sends the
// user test-user-123. These send the token's user, because users may only read
// their own data.
var (
	Health = Request{
		Name: "GET /health", Scenario: Main, Method: http.MethodGet, Path: "/health", Public: true,
		Share: 10. / 35, Limit: limits.Web.ResponseTime, Check: checkHealth,
	}
	GetProfile = Request{
		Name: "GET profile", Scenario: Main, Method: http.MethodGet, Path: "/api/v1/users/profile",
		Share: 20. / 35, Limit: limits.Web.ResponseTime, Check: checkProfile,
	}
	Preferences = StorePreferences("dark", true)
	Coordinate  = Request{
		Name: "POST mca/coordinate", Scenario: Agents, Method: http.MethodPost, Path: "/api/v1/agents/mca/coordinate",
		Share: 1. / 3, Limit: limits.Agents.MCACoordination, Check: checkCoordination,
		Body: constantBody(object{"task": "coordinate_agents", "agents": []string{"npa", "wpa"}, "priority": "normal"}),
		vary: func(body object, n int64) {
			body["nutrition"], body["training"] = object{"weightKg": variedWeight(n)}, object{"history": variedHistory(n)}
		},
	}
	Plan = Request{
		Name: "POST npa/plan", Scenario: Agents, Method: http.MethodPost, Path: "/api/v1/agents/npa/plan",
		Share: 1. / 3, Limit: limits.Agents.NPACalculation, Check: checkPlan,
		Body: func(user string, _ int) any {
			return object{"userId": user, "goals": []string{"weight_loss", "muscle_gain"}, "preferences": []string{"vegetarian"}, "duration": planDays}
		},
		vary: func(body object, n int64) { body["weightKg"] = variedWeight(n) },
	}
	Generate = Request{
		Name: "POST wpa/generate", Scenario: Agents, Method: http.MethodPost, Path: "/api/v1/agents/wpa/generate",
		Share: 1. / 3, Limit: limits.Agents.WPAGeneration, Check: checkWorkout,
		Body: func(user string, _ int) any {
			return object{"userId": user, "fitnessLevel": fitnessLevel, "equipment": []string{"dumbbells", "resistance_bands"}, "duration": workoutMinutes}
		},
		vary: func(body object, n int64) { body["history"] = variedHistory(n) },
	}
	Socket = Request{Name: "WebSocket status", Scenario: WebSocket, Method: http.MethodGet, Path: "/ws", Limit: limits.Web.ResponseTime}
)

// Requests lists every request.
var Requests = []Request{Health, GetProfile, Preferences, Coordinate, Plan, Generate, Socket}

// StorePreferences returns a request that stores these preferences. The variable Preferences is
// such a request with the design document's values.
func StorePreferences(theme string, notifications bool) Request {
	return Request{
		Name: "POST preferences", Scenario: Main, Method: http.MethodPost, Path: "/api/v1/users/preferences",
		Share: 5. / 35, Limit: limits.Web.ResponseTime, Check: checkPreferences(theme, notifications),
		Body: constantBody(object{"theme": theme, "notifications": notifications}),
	}
}

// sequence numbers the uncached requests of this process.
var sequence atomic.Int64

// WithUncachedBody returns a request to an agent with a different body each time, so that the agent
// must compute each response. It returns other requests unchanged.
func (r Request) WithUncachedBody() Request {
	if r.vary == nil {
		return r
	}
	body := r.Body
	r.Body = func(user string, n int) any {
		changed := maps.Clone(body(user, n).(object))
		r.vary(changed, sequence.Add(1))
		return changed
	}
	return r
}

// variedWeight returns a weight for request n: 50 to 150 kg in steps of a gram. It repeats after
// 100,000 requests.
func variedWeight(n int64) float64 { return 50 + float64(n%100_000)/1000 }

// variedHistory returns a history for request n. It has one exercise that is not in the catalog of
// wpa. wpa counts such an exercise as a day of training.
func variedHistory(n int64) []object {
	return []object{{"date": "2026-01-31", "exerciseId": fmt.Sprint("load-", n)}}
}

// Shape returns the shape of the request's stream. connections and perSecond are the values of the
// whole scenario. WebSockets have their own rate, so perSecond has no effect on them.
func (r Request) Shape(connections int, perSecond float64, duration time.Duration) Shape {
	if r.Scenario == WebSocket {
		sockets := min(connections, maxSockets)
		return Shape{Connections: sockets, PerSecond: float64(sockets) / socketInterval.Seconds(), Duration: duration}
	}
	return Shape{Connections: int(math.Ceil(float64(connections) * r.Share)), PerSecond: perSecond * r.Share, Duration: duration}
}
