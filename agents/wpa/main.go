// Command wpa is the Workout Planning Agent: it answers how a person should
// train, session by session. This package wires the process only; the service
// is in internal/service.
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
	"github.com/progressive-framework/platform/agents/wpa/internal/service"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
	training "github.com/progressive-framework/platform/agents/wpa/internal/training/program"
)

func main() { process.Main(service.Name, program) }

var program = process.Program[service.Config]{
	ReadConfig: service.ReadConfig,
	Common:     func(c service.Config) process.Config { return c.Common },
	New: func(ctx context.Context, c service.Config, log *slog.Logger) (process.Service, error) {
		table, err := exercises.Load()
		if err != nil {
			return nil, err
		}
		services, err := backing.Open(ctx, c.Backing, service.Name, log)
		if err != nil {
			return nil, err
		}
		front, err := desk.New(ctx, services, desk.Config{
			Strategy: cache.WorkoutTemplates, Prefix: "wpa:week:", Bytes: c.CacheBytes, Kind: store.Workout,
			Count: telemetry.NewWorkoutGenerations(services.Metrics, service.Name),
		}, log)
		if err != nil {
			return nil, err
		}
		inner, err := service.New(c, training.New(table), front, log)
		if err != nil {
			return nil, err
		}
		return front.Serve(inner), nil
	},
}
