package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/progressive-framework/platform/agents/internal/fleet"
	"github.com/progressive-framework/platform/agents/internal/load/traffic"
)

// endpoint is one that is measured.
type endpoint struct {
	name    string
	process fleet.Process
	client  *traffic.Client
	request traffic.Request
	// share of the fixed rates that it gets: less where each request is worked
	// out anew.
	share float64
	// bounded: the service itself refuses to be saturated by one caller.
	bounded bool
	// The project's goals: at saturation at least this ratio to the echo, at a
	// fixed rate at most this p95. Zero is none.
	ratio float64
	p95   time.Duration
}

// unique makes requests that no cache has seen.
var unique atomic.Int64

// never returns the request with a body of its own each time.
func never(r traffic.Request, set func(body map[string]any, n int64)) traffic.Request {
	body := r.Body
	r.Fresh = true
	r.Body = func(user string, n int) any {
		own := map[string]any{}
		for name, value := range body(user, n).(map[string]any) {
			own[name] = value
		}
		set(own, unique.Add(1))
		return own
	}
	return r
}

// weight is from 50 to 150 kg, a gram more each time: enough for a run.
func weight(n int64) float64 { return 50 + float64(n%100_000)/1000 }

// history is of an exercise that wpa does not know: it counts as a trained day.
func history(n int64) []any {
	return []any{map[string]any{"date": "2026-01-31", "exerciseId": fmt.Sprint("bench-", n)}}
}

// The document's requests, never cached.
var (
	freshPlan     = never(traffic.Plan, func(body map[string]any, n int64) { body["weightKg"] = weight(n) })
	freshGenerate = never(traffic.Generate, func(body map[string]any, n int64) { body["history"] = history(n) })
	freshWeek     = never(traffic.Coordinate, func(body map[string]any, n int64) {
		body["nutrition"] = map[string]any{"weightKg": weight(n)}
		body["training"] = map[string]any{"history": history(n)}
	})
)

func get(path string) traffic.Request {
	return traffic.Request{Name: "GET " + path, Method: http.MethodGet, Path: path}
}

// endpoints are all of the services', the echo first.
func (w *world) endpoints() []endpoint {
	echoed := traffic.Request{Method: http.MethodPost, Path: "/", Body: traffic.Preferences.Body}
	// The least answers no week, so nothing is checked of it but its status.
	joined := traffic.Request{Method: http.MethodPost, Path: "/", Body: traffic.Coordinate.Body}
	all := []endpoint{
		{name: "bare net/http JSON echo", process: w.echo, request: echoed, share: 1},
		{name: "web GET /health", process: w.Web, request: traffic.Health, share: 1},
		{name: "web GET /health/ready", process: w.Web, request: get("/health/ready"), share: 1},
		{name: "web GET /metrics", process: w.Web, request: get("/metrics"), share: 0.01, bounded: true},
		{name: "web GET profile, cached in Redis", process: w.Web, request: traffic.Profile, share: 1, ratio: 0.6},
		{name: "web POST preferences", process: w.Web, request: traffic.Preferences, share: 1},
		{name: "web /ws agent_status_request", process: w.Web, request: traffic.Socket, share: 1, bounded: true},
		{name: "mca GET /health/coordination", process: w.MCA, request: get("/health/coordination"), share: 1},
		{name: "mca GET status", process: w.MCA, request: get("/api/v1/agents/mca/status"), share: 1},
		{name: "mca GET health", process: w.MCA, request: get("/api/v1/agents/mca/health"), share: 1},
		{name: "mca POST coordinate, cached", process: w.MCA, request: traffic.Coordinate, share: 1},
		{name: "the least: two requests to the stubs and a join", process: w.least, request: joined, share: 1},
		{name: "the barest: the same over bare connections, read and written", process: w.barest, request: joined, share: 1},
		{name: "mca POST coordinate, agents stubbed, never cached", process: w.stubbed, request: freshWeek, share: 1, ratio: 0.35},
		{name: "mca POST coordinate, never cached", process: w.MCA, request: freshWeek, share: 0.1},
		{name: "npa POST plan of 7 days, cached", process: w.NPA, request: traffic.Plan, share: 1, ratio: 0.6},
		{name: "npa POST plan of 7 days, never cached", process: w.NPA, request: freshPlan, share: 0.1, p95: 30 * time.Millisecond},
		{name: "wpa POST generate, cached", process: w.WPA, request: traffic.Generate, share: 1},
		{name: "wpa POST generate, never cached", process: w.WPA, request: freshGenerate, share: 0.1, p95: 5 * time.Millisecond},
	}
	for i := range all {
		all[i].client = w.client(all[i].process)
	}
	return all
}
