// Command pgexporter serves the metrics of PostgreSQL for Prometheus. The metrics have the
// names of postgres_exporter. pgexporter logs in as a role that can only read statistics.
// This package owns the process: environment, logs, signals and exit code. Package
// pgmetrics has the series.
//
// Exit codes: 0 after a signal, 1 when serving failed, 2 when the environment is wrong.
package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/pgexporter/internal/pgmetrics"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.LookupEnv, os.Stdout))
}

// healthPath is the path of the probes. Its requests are logged at level debug.
const healthPath = "/health"

// run reads the configuration, serves until ctx ends, and returns the exit code.
func run(ctx context.Context, lookup func(string) (string, bool), out io.Writer) int {
	env := envconfig.New(lookup)
	cfg := httpserver.Defaults()
	cfg.QuietPaths = []string{healthPath}
	cfg.Address = env.Address("LISTEN_ADDRESS", ":8000")
	cfg.MetricsAddress = env.Address("METRICS_ADDRESS", ":9090")
	cfg.LogLevel = env.LogLevel("LOG_LEVEL")
	cfg.DrainDelay = 0 // only the kubelet and Prometheus send requests
	databaseConfig := database.ReadConfig(env)
	databaseConfig.MaxConnections = 1
	log := slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: cfg.LogLevel})).With("service", "pgexporter")
	if err := env.Err(); err != nil {
		envconfig.LogProblems(log, err)
		return 2
	}
	if err := serve(ctx, cfg, databaseConfig, log); err != nil {
		log.Error("stopped", "error", err)
		return 1
	}
	return 0
}

// serve serves until ctx ends. The pod is also ready while PostgreSQL is down, because it
// then serves pg_up 0.
func serve(ctx context.Context, cfg httpserver.Config, databaseConfig database.Config, log *slog.Logger) error {
	pool, err := database.OpenPool(ctx, databaseConfig, nil)
	if err != nil {
		return err
	}
	defer pool.Close()
	cfg.Metrics = pgmetrics.New(pool, log).Handler()
	state := &httpserver.State{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+healthPath, state.ServeLiveness)
	server, err := httpserver.New(cfg, httpserver.HandleUnknownRoutes(mux), state, log)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
