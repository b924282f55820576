// Package trainingapi is wpa's part of the agent service: requests, responses, the OpenAPI
// document, and the calls of the planner. The packages exercises and program own the
// training itself.
package trainingapi

import (
	"context"
	_ "embed"
	"time"

	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/telemetry"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/program"
)

//go:embed openapi.yaml
var document []byte

// Spec is the Workout Planning Agent. Names and defaults are those of the
// design document's section "WPA Resource Optimization".
var Spec = agent.Spec[*GenerateRequest]{
	Name: "wpa", Action: "generate", Document: document,
	// A history of maxHistory exercises with a few sets each is about 64 KiB.
	MaxBody:         128 << 10,
	TimeoutVariable: "GENERATION_TIMEOUT", DefaultTimeout: 45 * time.Second,
	CacheVariable: "WORKOUT_TEMPLATE_CACHE", DefaultCache: "128MB",
	Strategy: cache.WorkoutTemplates, KeyPrefix: "wpa:week:gzip:",
	PlanKind: database.Workout, NewCounter: telemetry.NewWorkoutGenerations,
	NewRequest: func() *GenerateRequest { return &GenerateRequest{} },
	NewPlanner: func() (agent.Planner[*GenerateRequest], error) {
		table, err := exercises.Load()
		if err != nil {
			return nil, err
		}
		return NewAgentPlanner(program.New(table)), nil
	},
	TimeoutDetail: "no sessions were planned within %s; request fewer days, or try again",
}

// WeekPlanner plans training weeks, as *program.Planner does.
type WeekPlanner interface {
	PlanWeek(ctx context.Context, r program.Request) (program.Week, error)
}

// NewAgentPlanner returns an agent.Planner that converts requests and responses and calls p.
func NewAgentPlanner(p WeekPlanner) agent.Planner[*GenerateRequest] {
	return func(ctx context.Context, r *GenerateRequest) (any, error) {
		request := r.toPlannerRequest()
		week, err := p.PlanWeek(ctx, request)
		if err != nil {
			return nil, err
		}
		return newResponse(r, request.Minutes, week), nil
	}
}
