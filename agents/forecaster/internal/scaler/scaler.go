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
	learners     map[string]*learner // by the name of the service
	serviceNames []string            // in the order of the configuration
	now          func() time.Time
	log          *slog.Logger
}

// New returns a scaler that reads from metrics.
func New(cfg Config, metrics rangeReader, log *slog.Logger) *Scaler {
	s := &Scaler{learners: map[string]*learner{}, now: time.Now, log: log}
	for _, service := range cfg.Services {
		s.serviceNames = append(s.serviceNames, service.Name)
		s.learners[service.Name] = &learner{service: service, metrics: metrics}
	}
	return s
}

// Run reads the loads every 15 s until ctx ends. Each service has its own goroutine, so that a slow
// query of one service does not delay the others.
func (s *Scaler) Run(ctx context.Context) {
	var group sync.WaitGroup
	for _, l := range s.learners {
		group.Go(func() { s.readLoads(ctx, l) })
	}
	group.Wait()
}

// readLoads reads the loads of one service after each step, until ctx ends.
func (s *Scaler) readLoads(ctx context.Context, l *learner) {
	lastFailed := false
	for {
		err := l.catchUp(ctx, s.now())
		if ctx.Err() != nil {
			return
		}
		// Only the first failure and the first success after it are logged. A record for each
		// read would fill the log during an outage of Prometheus.
		failed := err != nil
		if failed && !lastFailed {
			s.log.Warn("cannot read the load from Prometheus; trying again every 15 s", "load", l.service.Name, "error", err)
		}
		if !failed && lastFailed {
			s.log.Warn("the load can be read from Prometheus again", "load", l.service.Name)
		}
		lastFailed = failed
		now := s.now()
		nextRead := now.Truncate(step).Add(step + readDelay)
		select {
		case <-ctx.Done():
			return
		case <-time.After(nextRead.Sub(now)):
		}
	}
}

// Handler serves the probes. The process is ready from its start: for a service without history it
// publishes the state "no history".
func (s *Scaler) Handler(state *httpserver.State) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", state.ServeLiveness)
	mux.HandleFunc("GET /health/ready", state.ServeReadiness)
	return httpserver.HandleUnknownRoutes(mux)
}
