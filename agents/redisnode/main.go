// Command redisnode runs as a sidecar of a Redis node in Kubernetes. It keeps the node in
// its Redis Cluster, also after pods got new addresses. This package owns the process
// only: environment, logs, signals and exit code. Package node owns the cluster.
//
// Exit codes: 0 after a signal, 1 when serving failed, 2 when the environment
// is wrong.
package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/redisnode/internal/node"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.LookupEnv, os.Stdout))
}

// run reads the configuration, serves until ctx ends, and returns the exit
// code.
func run(ctx context.Context, lookup func(string) (string, bool), out io.Writer) int {
	cfg, err := node.ReadConfig(lookup)
	log := slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: cfg.HTTP.LogLevel})).With("service", "redisnode")
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

// serve runs the node and its HTTP server until ctx ends.
func serve(ctx context.Context, cfg node.Config, log *slog.Logger) error {
	n := node.New(cfg, net.DefaultResolver, log)
	state := &httpserver.State{}
	cfg.HTTP.Metrics = n.Metrics()
	server, err := httpserver.New(cfg.HTTP, n.Handler(state), state, log)
	if err != nil {
		return err
	}
	runCtx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { n.Run(runCtx) })
	err = server.Run(ctx)
	stop()
	wg.Wait()
	return err
}
