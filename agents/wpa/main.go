// Command wpa is the Workout Planning Agent: it answers how a person should
// train, session by session. This package wires the process only; the service
// is in internal/service.
package main

import (
	"context"
	"log/slog"

	"github.com/progressive-framework/platform/agents/internal/process"
	"github.com/progressive-framework/platform/agents/wpa/internal/service"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
	training "github.com/progressive-framework/platform/agents/wpa/internal/training/program"
)

func main() { process.Main(service.Name, program) }

var program = process.Program[service.Config]{
	ReadConfig: service.ReadConfig,
	Common:     func(c service.Config) process.Config { return c.Common },
	New: func(_ context.Context, c service.Config, log *slog.Logger) (process.Service, error) {
		table, err := exercises.Load()
		if err != nil {
			return nil, err
		}
		return service.New(c, training.New(table), log)
	},
}
