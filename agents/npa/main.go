// Command npa is the Nutrition Planning Agent: it answers what a person should
// eat, day by day. This package wires the process only; the service is in
// internal/service.
package main

import (
	"context"
	"log/slog"

	"github.com/progressive-framework/platform/agents/internal/backing"
	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/desk"
	"github.com/progressive-framework/platform/agents/internal/process"
	"github.com/progressive-framework/platform/agents/internal/store"
	"github.com/progressive-framework/platform/agents/internal/telemetry"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/planner"
	"github.com/progressive-framework/platform/agents/npa/internal/service"
)

func main() { process.Main(service.Name, program) }

var program = process.Program[service.Config]{
	ReadConfig: service.ReadConfig,
	Common:     func(c service.Config) process.Config { return c.Common },
	New: func(ctx context.Context, c service.Config, log *slog.Logger) (process.Service, error) {
		table, err := foods.Load()
		if err != nil {
			return nil, err
		}
		services, err := backing.Open(ctx, c.Backing, service.Name, log)
		if err != nil {
			return nil, err
		}
		front, err := desk.New(ctx, services, desk.Config{
			Strategy: cache.NutritionData, Prefix: "npa:plan:", Bytes: c.CacheBytes, Kind: store.Nutrition,
			Count: telemetry.NewNutritionCalculations(services.Metrics, service.Name),
		}, log)
		if err != nil {
			return nil, err
		}
		inner, err := service.New(c, planner.New(table), front, log)
		if err != nil {
			return nil, err
		}
		return front.Serve(inner), nil
	},
}
