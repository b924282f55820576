// Package dependencies opens and closes the dependencies of the four services: the
// database, the cache, the token issuer's keys, metrics and traces. Each of these has its
// own package.
package dependencies

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/telemetry"
)

// Config is the configuration of all dependencies.
type Config struct {
	Auth  auth.Config
	Store database.Config
	Cache cache.Config
	Trace telemetry.TraceConfig
}

// ReadConfig reads the variables of all dependencies.
func ReadConfig(env *envconfig.Reader) Config {
	return Config{auth.ReadConfig(env), database.ReadConfig(env), cache.ReadConfig(env), telemetry.ReadTraceConfig(env)}
}

// Set is the dependencies of one process.
type Set struct {
	Tokens  *auth.Verifier
	Store   *database.Store
	Cache   *cache.Cache
	Metrics *prometheus.Registry
	Tracing *telemetry.Tracing
	http    *telemetry.HTTP
}

// Open opens the dependencies of the named service. It does not wait until they are
// available, because a service must start without them.
func Open(ctx context.Context, cfg Config, name string, log *slog.Logger) (_ *Set, err error) {
	s := &Set{Metrics: telemetry.NewRegistry()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close(ctx))
		}
	}()
	if s.Tokens, err = auth.New(cfg.Auth); err != nil {
		return nil, err
	}
	if s.Tracing, err = telemetry.NewTracing(ctx, cfg.Trace, name); err != nil {
		return nil, err
	}
	if s.Store, err = database.Open(ctx, cfg.Store); err != nil {
		return nil, err
	}
	if s.Cache, err = cache.New(ctx, cfg.Cache, log); err != nil {
		return nil, err
	}
	s.Metrics.MustRegister(s.Store, s.Cache)
	s.http = telemetry.NewHTTP(s.Metrics)
	return s, nil
}

// Instrument makes the server count and trace its requests, and serve the metrics.
func (s *Set) Instrument(cfg *httpserver.Config) {
	cfg.RequestHook, cfg.Middleware = s.http.CountRequest, s.Tracing.Middleware()
	cfg.Metrics = telemetry.Handler(s.Metrics)
}

// closeTimeout bounds the sending of the last spans.
const closeTimeout = 2 * time.Second

// Close closes the dependencies in the reverse order of Open. After a failed Open, it closes
// only the dependencies that were opened.
func (s *Set) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	if s.Cache != nil {
		s.Cache.Close()
	}
	if s.Store != nil {
		s.Store.Close()
	}
	if s.Tracing != nil {
		return s.Tracing.Close(ctx)
	}
	return nil
}
