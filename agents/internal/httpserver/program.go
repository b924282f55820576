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
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

// Service is the HTTP service of a process. A Service may also implement Closer and
// Configurer.
type Service interface {
	Handler() http.Handler
	State() *State
}

// Closer is closed after the last request. The context is not canceled by the
// shutdown.
type Closer interface{ Close(context.Context) error }

// Configurer changes the server's Config, such as for telemetry.
type Configurer interface{ Configure(*Config) }

// Main runs the program until SIGTERM or an interrupt, and ends the process
// with its exit code.
func Main[C any](name string, program Program[C]) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	// A second signal ends the process immediately, for an operator who does
	// not want to wait for the drain.
	context.AfterFunc(ctx, stop)
	os.Exit(program.Run(ctx, name, os.LookupEnv, os.Stdout))
}

// Program creates a service from its configuration C.
//
// Exit codes: 0 after a complete drain, 1 when serving failed or requests were
// canceled, 2 when the environment is wrong.
type Program[C any] struct {
	// ReadConfig reads the environment. Its error is an envconfig.Problems. On an
	// error, C has only the values that the logger needs.
	ReadConfig func(lookup func(string) (string, bool)) (C, error)
	// HTTP returns the HTTP server's configuration, which is a part of C.
	HTTP func(C) Config
	// New creates the service. Its context lasts as long as the process, because
	// a draining service still needs its connections.
	New func(context.Context, C, *slog.Logger) (Service, error)
}

// gcPercent is the heap growth between garbage collections, in percent of the
// live heap, which is about 10 MB. Go's default of 100 would mean ten collections
// a second under load. For services with large caches, the memory limit bounds
// the heap.
const gcPercent = 400

// limitRefresh is how often the container's memory limit is read again: a
// VerticalPodAutoscaler changes it while the service runs. The Go runtime does
// the same for GOMAXPROCS and the CPU limit (package runtime, GOMAXPROCS).
const limitRefresh = 15 * time.Second

// tuneGC sets Go's memory limit to nine tenths of the container's limit, and the
// heap growth to gcPercent. The variables GOMEMLIMIT and GOGC take precedence.
func tuneGC(log *slog.Logger, containerLimit memlimit.Provider, refresh time.Duration) {
	limit, err := memlimit.SetGoMemLimitWithOpts(memlimit.WithProvider(containerLimit), memlimit.WithRefreshInterval(refresh))
	if err != nil {
		log.Warn("cannot read the container's memory limit, so the heap has no limit: set GOMEMLIMIT", "error", err)
	}
	log.Debug("memory limit", "bytes", limit) // 0 if there is none or GOMEMLIMIT is set
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// Run serves until ctx ends and returns the exit code.
func (p Program[C]) Run(ctx context.Context, name string, lookup func(string) (string, bool), out io.Writer) int {
	cfg, err := p.ReadConfig(lookup)
	httpConfig := p.HTTP(cfg)
	log := NewLogger(out, name, httpConfig.LogLevel)
	if err != nil {
		envconfig.LogProblems(log, err)
		return 2
	}
	tuneGC(log, memlimit.FromCgroup, limitRefresh)
	if err := p.serve(ctx, cfg, httpConfig, log); err != nil {
		log.Error("stopped", "error", err)
		return 1
	}
	return 0
}

// serve creates the service and serves it until ctx ends. Then it closes the
// service.
func (p Program[C]) serve(ctx context.Context, cfg C, httpConfig Config, log *slog.Logger) (err error) {
	service, err := p.New(context.WithoutCancel(ctx), cfg, log)
	if err != nil {
		return err
	}
	if closer, ok := service.(Closer); ok {
		defer func() { err = errors.Join(err, closer.Close(context.WithoutCancel(ctx))) }()
	}
	if configurer, ok := service.(Configurer); ok {
		configurer.Configure(&httpConfig)
	}
	server, err := New(httpConfig, service.Handler(), service.State(), log)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
