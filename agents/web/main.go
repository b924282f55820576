// Command web is the main app (the seed's progressive-framework-v5): the users'
// API, the live status over WebSocket, and the front page. This package wires
// the process only; the service is in internal/service.
package main

import (
	"context"
	"log/slog"

	"github.com/progressive-framework/platform/agents/internal/process"
	"github.com/progressive-framework/platform/agents/web/internal/service"
)

func main() { process.Main(service.Name, program) }

var program = process.Program[service.Config]{
	ReadConfig: service.ReadConfig,
	Common:     func(c service.Config) process.Config { return c.Common },
	New: func(ctx context.Context, c service.Config, log *slog.Logger) (process.Service, error) {
		return service.New(ctx, c, log)
	},
}
