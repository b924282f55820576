// Command mca is the Master Coordination Agent: it takes a user's request,
// asks the other agents, and merges what they answer. This package wires the
// process only; the service is in internal/service.
package main

import (
	"context"
	"log/slog"

	"github.com/progressive-framework/platform/agents/internal/process"
	"github.com/progressive-framework/platform/agents/mca/internal/service"
)

func main() { process.Main(service.Name, program) }

var program = process.Program[service.Config]{
	ReadConfig: service.ReadConfig,
	Common:     func(c service.Config) process.Config { return c.Common },
	New: func(ctx context.Context, c service.Config, log *slog.Logger) (process.Service, error) {
		return service.New(ctx, c, greeting, log)
	},
}
