// Command forecaster publishes how many pods each service will need. It reads the services' loads
// from Prometheus, and publishes its forecasts as metrics for Prometheus. This package owns the
// process only: environment, logs, signals and exit code. Package scaler reads and publishes;
// package forecast has the mathematics.
//
// Exit codes: 0 after a signal, 1 when serving failed, 2 when the environment is wrong.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/prometheus/client_golang/api"
	prometheusapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/progressive-framework/platform/agents/forecaster/internal/scaler"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// memoryLimit makes the garbage collector keep the process below 64 MB. Four services need 20 MB,
// and a chunk of history 2 MB.
const memoryLimit = 40 << 20

func main() {
	debug.SetMemoryLimit(memoryLimit)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.LookupEnv, os.Stdout))
}

// run reads the configuration, serves until ctx ends, and returns the exit code.
func run(ctx context.Context, lookup func(string) (string, bool), out io.Writer) int {
	cfg, err := scaler.ReadConfig(lookup)
	log := httpserver.NewLogger(out, "forecaster", cfg.HTTP.LogLevel)
	if err != nil {
		envconfig.LogProblems(log, err)
		return 2
	}
	if err := serve(ctx, cfg, log); err != nil {
		log.Error("stopped", "error", err)
		return 1
	}
	return 0
}

// serve runs the scaler with its HTTP servers until ctx ends or a server fails.
func serve(ctx context.Context, cfg scaler.Config, log *slog.Logger) error {
	client, err := api.NewClient(api.Config{Address: cfg.PrometheusURL, RoundTripper: boundedTransport{api.DefaultRoundTripper}})
	if err != nil {
		return fmt.Errorf("create the client of Prometheus: %w", err)
	}
	s := scaler.New(cfg, prometheusapi.NewAPI(client), log)
	registry := prometheus.NewRegistry()
	registry.MustRegister(s, collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	cfg.HTTP.Metrics = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	state := &httpserver.State{}
	server, err := httpserver.New(cfg.HTTP, s.Handler(state), state, log)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	scalerEnded := make(chan struct{})
	go func() {
		defer close(scalerEnded)
		s.Run(ctx)
	}()
	err = server.Run(ctx)
	stop()
	<-scalerEnded
	return err
}
