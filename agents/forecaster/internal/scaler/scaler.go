package scaler

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// Scaler computes and publishes the pods of all services. It is a prometheus.Collector.
type Scaler struct {
	learners map[string]*learner
	order    []string
	now      func() time.Time
	log      *slog.Logger
}

// New returns a scaler that reads from metrics.
func New(cfg Config, metrics ranger, log *slog.Logger) *Scaler {
	s := &Scaler{learners: map[string]*learner{}, now: time.Now, log: log}
	for _, service := range cfg.Services {
		s.order = append(s.order, service.Name)
		s.learners[service.Name] = &learner{service: service, metrics: metrics}
	}
	return s
}

// Run reads the loads every 15 s until ctx ends. Each service is read by itself, so that a slow
// query delays no other.
func (s *Scaler) Run(ctx context.Context) {
	var group sync.WaitGroup
	for _, l := range s.learners {
		group.Go(func() { s.follow(ctx, l) })
	}
	group.Wait()
}

func (s *Scaler) follow(ctx context.Context, l *learner) {
	failed := false
	for {
		err := l.catchUp(ctx, s.now())
		if ctx.Err() != nil {
			return
		}
		// One line when it begins, one when it ends: it is tried every 15 s.
		if (err != nil) != failed {
			failed = err != nil
			s.log.Warn("reads from Prometheus", "load", l.service.Name, "failed", failed, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.now().Truncate(step).Add(step + settle).Sub(s.now())):
		}
	}
}

// Handler serves the probes. The process is ready at once: without history it says so.
func (s *Scaler) Handler(state *httpserver.State) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", state.Live)
	mux.HandleFunc("GET /health/ready", state.Ready)
	return httpserver.Routes(mux)
}
