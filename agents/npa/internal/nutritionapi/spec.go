// Package nutritionapi is npa's part of the agent service: requests, responses, the
// OpenAPI document, and the calls of the planner. The packages energy, foods and planner
// own the nutrition itself.
package nutritionapi

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/telemetry"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/planner"
)

//go:embed openapi.yaml
var document []byte

// Spec is the Nutrition Planning Agent. Names and defaults are from the design
// document's section "NPA Resource Optimization".
var Spec = agent.Spec[*PlanRequest]{
	Name: "npa", Action: "plan", Document: document,
	// The longest valid request has less than 2 KiB.
	MaxBody:         16 << 10,
	TimeoutVariable: "CALCULATION_TIMEOUT", DefaultTimeout: 30 * time.Second,
	CacheVariable: "NUTRITION_DB_CACHE_SIZE", DefaultCache: "256MB",
	Strategy: cache.NutritionData, KeyPrefix: "npa:plan:gzip:",
	PlanKind: database.Nutrition, NewCounter: telemetry.NewNutritionCalculations,
	NewRequest: func() *PlanRequest { return &PlanRequest{} },
	NewPlanner: func() (agent.Planner[*PlanRequest], error) {
		table, err := foods.Load()
		if err != nil {
			return nil, err
		}
		return NewAgentPlanner(planner.New(table)), nil
	},
	TimeoutDetail: "no plan was found within %s; request fewer days, or try again",
}

// MealPlanner computes meal plans, as *planner.Planner does.
type MealPlanner interface {
	Plan(ctx context.Context, r planner.Request) (planner.Plan, error)
}

// NewAgentPlanner returns an agent.Planner that converts requests and responses and calls p.
func NewAgentPlanner(p MealPlanner) agent.Planner[*PlanRequest] {
	return func(ctx context.Context, r *PlanRequest) (any, error) {
		request, assumed := r.toPlannerRequest()
		plan, err := p.Plan(ctx, request)
		if infeasible, ok := errors.AsType[*planner.Infeasible](err); ok {
			return nil, toAgentInfeasible(r, infeasible)
		}
		if err != nil {
			return nil, err
		}
		return newResponse(r, assumed, plan), nil
	}
}

// toAgentInfeasible converts the planner's conflicts to errors of request fields.
func toAgentInfeasible(r *PlanRequest, infeasible *planner.Infeasible) *agent.Infeasible {
	converted := &agent.Infeasible{Detail: infeasible.Error()}
	for _, c := range infeasible.Conflicts {
		converted.Errors = append(converted.Errors, conflictError(r, c))
	}
	return converted
}

// conflictError returns a field error for a conflict. Its pointer is the request field
// that the user would have to change.
func conflictError(r *PlanRequest, c planner.Conflict) httpapi.FieldError {
	newFieldError := func(pointer, cause string) httpapi.FieldError {
		return httpapi.FieldError{Pointer: pointer, Detail: "without " + cause + " there is a plan"}
	}
	switch c.Part {
	case planner.Allergy:
		if i := slices.Index(r.Allergies, c.Name); i >= 0 {
			return newFieldError(fmt.Sprintf("#/allergies/%d", i), "the allergy to "+c.Name)
		}
		return newFieldError("#/preferences", "avoiding "+c.Name) // such as gluten_free
	case planner.Diet:
		return newFieldError("#/preferences", "the diet")
	default:
		if c.Name == foods.Sodium.String() {
			return newFieldError("#/preferences", "the limit of sodium")
		}
		return newFieldError("#/goals", "the bounds of "+c.Name)
	}
}
