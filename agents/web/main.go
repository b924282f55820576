// Command web is the main app (the design document's progressive-framework-v5):
// the users' API, the live status over WebSocket, and the front page. This
// package only starts the process. Package webapp implements the service.
package main

import (
	"context"
	"log/slog"

	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/web/internal/webapp"
)

func main() { httpserver.Main(webapp.Name, program) }

var program = httpserver.Program[webapp.Config]{
	ReadConfig: webapp.ReadConfig,
	HTTP:       func(c webapp.Config) httpserver.Config { return c.HTTP },
	New: func(ctx context.Context, c webapp.Config, log *slog.Logger) (httpserver.Service, error) {
		return webapp.New(ctx, c, log)
	},
}
