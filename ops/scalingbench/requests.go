package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/progressive-framework/platform/ops/load"
)

// sequence numbers the requests of all streams. It starts at the current time, so that the numbers
// of two runs differ. A request with an old number would get its response from the cache, which
// causes no work for npa and wpa.
var sequence atomic.Int64

func init() { sequence.Store(time.Now().UnixMilli()) }

// requests has for each service the request that the metric of its HPA counts.
var requests = map[string]load.Request{
	"web": load.GetProfile,
	"mca": load.Coordinate, // its response is cached, so it causes no work for npa and wpa
	"npa": {
		Name: "plan", Method: http.MethodPost, Path: "/api/v1/agents/npa/plan",
		Body: func(user string, _ int) any {
			grams := sequence.Add(1) % 100_000
			return map[string]any{"userId": user, "duration": 1, "weightKg": 50 + float64(grams)/1000}
		},
	},
	"wpa": {
		Name: "workout", Method: http.MethodPost, Path: "/api/v1/agents/wpa/generate",
		Body: func(user string, _ int) any {
			return map[string]any{
				"userId": user, "fitnessLevel": "intermediate", "duration": 45,
				"history": []map[string]any{{"date": "2026-01-31", "exerciseId": fmt.Sprint("bench-", sequence.Add(1))}},
			}
		},
	},
}
