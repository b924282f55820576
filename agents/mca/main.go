// Command mca is the Master Coordination Agent: it takes a user's request,
// asks the other agents, and merges what they answer. This package owns the
// process only: environment in, logs out, signals, exit code; the service is
// in internal/service.
//
// Exit codes: 0 after a full drain, 1 when serving failed or requests were cut
// off, 2 when the environment is wrong.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/logging"
	"github.com/progressive-framework/platform/agents/mca/internal/service"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	// After the first signal the second one ends the process at once, for a
	// person who does not want to wait for the drain.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.LookupEnv, os.Stdout))
}

func run(ctx context.Context, lookup func(string) (string, bool), out io.Writer) int {
	cfg, err := service.ReadConfig(lookup)
	log := logging.New(out, service.Name, cfg.LogLevel)
	if err != nil {
		problems, _ := errors.AsType[envconfig.Problems](err)
		for _, p := range problems {
			log.Error("wrong configuration: "+p.Error(), "variable", p.Variable)
		}
		return 2
	}
	if err := serve(ctx, cfg, log); err != nil {
		log.Error("stopped", "error", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, cfg service.Config, log *slog.Logger) error {
	svc, err := service.New(cfg, greeting)
	if err != nil {
		return err
	}
	server, err := httpserver.New(cfg.HTTP, svc.Handler(), svc.State(), log)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
