package httpserver

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

// Service is what the process serves. One that is a Closer too is closed after
// the last request, and one that is an Adjuster adjusts its server.
type Service interface {
	Handler() http.Handler
	State() *State
}

// Closer is a Service that has something to close; the context lasts.
type Closer interface{ Close(context.Context) error }

// Adjuster is a Service with a say in how it is served, such as telemetry's.
type Adjuster interface{ Adjust(*Config) }

// Main runs the program name under the signals of an orchestrator and ends
// with its exit code.
func Main[C any](name string, program Program[C]) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	// After the first signal the second one ends the process at once, for a
	// person who does not want to wait for the drain.
	context.AfterFunc(ctx, stop)
	os.Exit(program.Run(ctx, name, os.LookupEnv, os.Stdout))
}

// Program makes a service from its own configuration C.
//
// Its exit codes: 0 after a full drain, 1 when serving failed or requests were cut
// off, 2 when the environment is wrong.
type Program[C any] struct {
	// ReadConfig's error is an envconfig.Problems; the C beside it serves to log.
	ReadConfig func(lookup func(string) (string, bool)) (C, error)
	// HTTP returns the server's part of C.
	HTTP func(C) Config
	// New's context lasts as long as the process, not only until the signal: a
	// service that drains still needs its connections.
	New func(context.Context, C, *slog.Logger) (Service, error)
}

// gcPercent is how far the heap may grow before it is collected, in percent of
// what is live. A service has some 10 MB live; at Go's default of 100 it would
// collect them ten times a second under load. The memory limit bounds the heap
// of a service with large caches.
const gcPercent = 400

// tuneGC sets Go's memory limit to nine tenths of the container's, and
// gcPercent. GOMEMLIMIT and GOGC win where they are set.
func tuneGC(log *slog.Logger) {
	limit, err := memlimit.SetGoMemLimitWithOpts()
	if err != nil {
		log.Warn("memory limit of the container: not read, so the heap is not limited; set GOMEMLIMIT", "error", err)
	}
	log.Debug("memory limit", "bytes", limit) // 0: none, or GOMEMLIMIT is set
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// Run serves until ctx ends and returns the exit code.
func (p Program[C]) Run(ctx context.Context, name string, lookup func(string) (string, bool), out io.Writer) int {
	cfg, err := p.ReadConfig(lookup)
	http := p.HTTP(cfg)
	log := NewLogger(out, name, http.LogLevel)
	if err != nil {
		problems, _ := errors.AsType[envconfig.Problems](err)
		for _, problem := range problems {
			log.Error("wrong configuration: "+problem.Error(), "variable", problem.Variable)
		}
		return 2
	}
	tuneGC(log)
	if err := p.serve(ctx, cfg, http, log); err != nil {
		log.Error("stopped", "error", err)
		return 1
	}
	return 0
}

func (p Program[C]) serve(ctx context.Context, cfg C, http Config, log *slog.Logger) (err error) {
	service, err := p.New(context.WithoutCancel(ctx), cfg, log)
	if err != nil {
		return err
	}
	if closer, ok := service.(Closer); ok {
		defer func() { err = errors.Join(err, closer.Close(context.WithoutCancel(ctx))) }()
	}
	if adjuster, ok := service.(Adjuster); ok {
		adjuster.Adjust(&http)
	}
	server, err := New(http, service.Handler(), service.State(), log)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
