// Command mca is the Master Coordination Agent: it receives a user's request,
// calls the other agents and merges their responses. This package only starts
// the process. Package coordination implements the service.
package main

import (
	"context"
	"log/slog"

	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/mca/internal/coordination"
)

func main() { httpserver.Main(coordination.Name, program) }

var program = httpserver.Program[coordination.Config]{
	ReadConfig: coordination.ReadConfig,
	HTTP:       func(c coordination.Config) httpserver.Config { return c.HTTP },
	New: func(ctx context.Context, c coordination.Config, log *slog.Logger) (httpserver.Service, error) {
		return coordination.New(ctx, c, greeting, log)
	},
}
