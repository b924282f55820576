// Command npa is the Nutrition Planning Agent: it answers what a person should
// eat, day by day. This package wires the process only; the service is in
// internal/service.
package main

import (
	"context"
	"log/slog"

	"github.com/progressive-framework/platform/agents/internal/process"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/planner"
	"github.com/progressive-framework/platform/agents/npa/internal/service"
)

func main() { process.Main(service.Name, program) }

var program = process.Program[service.Config]{
	ReadConfig: service.ReadConfig,
	Common:     func(c service.Config) process.Config { return c.Common },
	New: func(_ context.Context, c service.Config, log *slog.Logger) (process.Service, error) {
		table, err := foods.Load()
		if err != nil {
			return nil, err
		}
		return service.New(c, planner.New(table), log)
	},
}
