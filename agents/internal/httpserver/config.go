package httpserver

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

// Config bounds what a client may cost and how long an end may take. Zero is
// refused unless a field allows it; start from Defaults.
type Config struct {
	// Address is HOST:PORT; an empty host means every interface, port 0 any
	// free port.
	Address string
	// LogLevel is LOG_LEVEL: debug, info, warn or error.
	LogLevel slog.Level

	// ReadHeaderTimeout bounds how slowly a client may send its headers,
	// ReadTimeout headers and body together.
	ReadHeaderTimeout time.Duration
	ReadTimeout       time.Duration
	// WriteTimeout bounds handler and answer together.
	WriteTimeout time.Duration
	// IdleTimeout is how long a kept connection may wait for its next request.
	IdleTimeout time.Duration

	// MaxHeaderBytes bounds request line and headers; net/http allows 4 KiB
	// beyond it, then answers 431.
	MaxHeaderBytes int
	// MaxBodyBytes bounds a request's body; more is answered 413.
	MaxBodyBytes int64

	// DrainDelay is how long the server goes on serving after it has said that
	// it is not ready, so that every balancer has time to hear of it.
	DrainDelay time.Duration
	// ShutdownTimeout is how long requests under way may take to end after the
	// delay. DrainDelay and ShutdownTimeout together must stay below the pod's
	// terminationGracePeriodSeconds (Kubernetes' default is 30 s).
	ShutdownTimeout time.Duration

	// ClientRate is how many requests a second one client may send, ClientBurst
	// how many at once; more are answered 429. Zero means no limit. QuietPaths
	// are free: a probe must not be refused.
	ClientRate, ClientBurst int
	// TrustedProxies is how many proxies of ours stand before the service, each
	// of which adds its client to X-Forwarded-For, as AWS' load balancers do.
	// With zero the header is a stranger's word and the connection counts.
	TrustedProxies int

	// QuietPaths are logged at debug level: probes come every few seconds and
	// would bury the rest.
	QuietPaths []string

	// Observe is told of every request when it ends; Around stands around every
	// request, its log included. Both may be nil; telemetry has them.
	Observe Observer
	Around  func(http.Handler) http.Handler
}

// Observer is told how a request ended. The request's Pattern is the route's,
// empty where there is none.
type Observer func(r *http.Request, status int, took time.Duration)

// ReadConfig reads LISTEN_ADDRESS, DRAIN_DELAY, SHUTDOWN_TIMEOUT, CLIENT_RATE,
// CLIENT_BURST, TRUSTED_PROXIES and LOG_LEVEL over Defaults.
func ReadConfig(env *envconfig.Reader, address string, quietPaths ...string) Config {
	c := Defaults()
	c.QuietPaths = quietPaths
	c.Address = env.Address("LISTEN_ADDRESS", address)
	c.DrainDelay = env.Duration("DRAIN_DELAY", c.DrainDelay, 0, 5*time.Minute)
	c.ShutdownTimeout = env.Duration("SHUTDOWN_TIMEOUT", c.ShutdownTimeout, time.Second, 10*time.Minute)
	c.ClientRate = env.Int("CLIENT_RATE", c.ClientRate, 0, 1_000_000)
	c.ClientBurst = env.Int("CLIENT_BURST", c.ClientBurst, 0, 1_000_000)
	c.TrustedProxies = env.Int("TRUSTED_PROXIES", c.TrustedProxies, 0, 5)
	c.LogLevel = env.LogLevel("LOG_LEVEL")
	return c
}

// Defaults returns the bounds that every service starts from, without an
// address.
func Defaults() Config {
	return Config{
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		// Above the slowest agent of the seed (GENERATION_TIMEOUT, 45 s).
		WriteTimeout: 60 * time.Second,
		// Above the idle timeout of an AWS load balancer (60 s unless set), so
		// that it is the balancer who closes: a server that closes first loses
		// the request that is just on its way, which clients see as a 502.
		IdleTimeout:     75 * time.Second,
		MaxHeaderBytes:  32 << 10,
		MaxBodyBytes:    1 << 20,
		DrainDelay:      5 * time.Second,
		ShutdownTimeout: 20 * time.Second,
		// The seed's requests_per_second_max of the whole web tier: no single
		// client may take more than that.
		ClientRate:  1000,
		ClientBurst: 1000,
	}
}

// validate refuses a zero where net/http would take it for "no bound".
func (c Config) validate() error {
	var errs []error
	for _, f := range []struct {
		name  string
		value int64
		least int64
	}{
		{"ReadHeaderTimeout", int64(c.ReadHeaderTimeout), 1},
		{"ReadTimeout", int64(c.ReadTimeout), 1},
		{"WriteTimeout", int64(c.WriteTimeout), 1},
		{"IdleTimeout", int64(c.IdleTimeout), 1},
		{"MaxHeaderBytes", int64(c.MaxHeaderBytes), 1},
		{"MaxBodyBytes", c.MaxBodyBytes, 1},
		{"DrainDelay", int64(c.DrainDelay), 0},
		{"ShutdownTimeout", int64(c.ShutdownTimeout), 1},
		{"ClientRate", int64(c.ClientRate), 0},
		{"ClientBurst", int64(c.ClientBurst), min(1, int64(c.ClientRate))}, // a burst of none refuses everything
		{"TrustedProxies", int64(c.TrustedProxies), 0},
	} {
		if f.value < f.least {
			errs = append(errs, fmt.Errorf("httpserver: %s is %d, must be at least %d: start from Defaults", f.name, f.value, f.least))
		}
	}
	if c.Address == "" {
		errs = append(errs, errors.New(`httpserver: Address is empty, must be HOST:PORT: use ":8000" or the like`))
	}
	return errors.Join(errs...)
}
