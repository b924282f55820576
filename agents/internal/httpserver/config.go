package httpserver

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

// Config has the server's limits and timeouts. A zero value is an error unless
// the field allows it; start from Defaults.
type Config struct {
	// Address is HOST:PORT. An empty host means every interface. Port 0 means any free port.
	Address string
	// MetricsAddress is METRICS_ADDRESS, HOST:PORT of /metrics. It is a separate port
	// that load balancers do not reach. If it is empty, no metrics are served.
	MetricsAddress string
	// LogLevel is LOG_LEVEL: debug, info, warn or error.
	LogLevel slog.Level

	// ReadHeaderTimeout bounds the reading of the headers. ReadTimeout bounds the
	// reading of headers and body together.
	ReadHeaderTimeout time.Duration
	ReadTimeout       time.Duration
	// WriteTimeout bounds handler and response together.
	WriteTimeout time.Duration
	// IdleTimeout bounds the wait of a kept-alive connection for its next
	// request.
	IdleTimeout time.Duration

	// MaxHeaderBytes bounds request line and headers. net/http allows 4 KiB
	// more, then responds 431.
	MaxHeaderBytes int
	// MaxBodyBytes bounds a request's body. A request with a larger body gets 413.
	MaxBodyBytes int64

	// DrainDelay is the time from the first readiness response 503 until the
	// listener closes. Load balancers need it to stop sending requests.
	DrainDelay time.Duration
	// ShutdownTimeout is how long running requests may take after the delay. The sum with
	// DrainDelay must be below the pod's terminationGracePeriodSeconds (default
	// 30 s).
	ShutdownTimeout time.Duration

	// ClientRate is the number of requests a second that one client may send. ClientBurst is
	// the number of requests that it may send in a burst. Further requests get 429. A rate of zero
	// means no limit. QuietPaths have no limit, because probes must not fail.
	ClientRate, ClientBurst int
	// TrustedProxies is the number of our own proxies in front of the service. Each proxy
	// appends the address of its client to X-Forwarded-For, as AWS load balancers do. With
	// zero, the header is ignored, and the address of the connection is the address of the
	// client.
	TrustedProxies int

	// QuietPaths are paths such as those of probes. Their requests are logged at level
	// debug, because probes come every few seconds.
	QuietPaths []string

	// RequestHook is called at the end of every request. Middleware wraps the whole
	// handler, including the access log. Both may be nil; package telemetry
	// provides them.
	RequestHook RequestHook
	Middleware  func(http.Handler) http.Handler
	// Metrics serves /metrics at MetricsAddress. nil means that no metrics are served.
	Metrics http.Handler
}

// RequestHook is called at the end of each request. r.Pattern is the matched route, or empty.
type RequestHook func(r *http.Request, status int, duration time.Duration)

// ReadConfig reads LISTEN_ADDRESS, METRICS_ADDRESS, DRAIN_DELAY, SHUTDOWN_TIMEOUT, CLIENT_RATE,
// CLIENT_BURST, TRUSTED_PROXIES and LOG_LEVEL. Other fields are from Defaults.
func ReadConfig(env *envconfig.Reader, address string, quietPaths ...string) Config {
	c := Defaults()
	c.QuietPaths = quietPaths
	c.Address = env.Address("LISTEN_ADDRESS", address)
	c.MetricsAddress = env.Address("METRICS_ADDRESS", "")
	c.DrainDelay = env.Duration("DRAIN_DELAY", c.DrainDelay, 0, 5*time.Minute)
	c.ShutdownTimeout = env.Duration("SHUTDOWN_TIMEOUT", c.ShutdownTimeout, time.Second, 10*time.Minute)
	c.ClientRate = env.Int("CLIENT_RATE", c.ClientRate, 0, 1_000_000)
	c.ClientBurst = env.Int("CLIENT_BURST", c.ClientBurst, 0, 1_000_000)
	c.TrustedProxies = env.Int("TRUSTED_PROXIES", c.TrustedProxies, 0, 5)
	c.LogLevel = env.LogLevel("LOG_LEVEL")
	return c
}

// Defaults returns the common limits of all services, without an address.
func Defaults() Config {
	return Config{
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		// Above the timeout of the design document's slowest agent (GENERATION_TIMEOUT, 45 s).
		WriteTimeout: 60 * time.Second,
		// Above the default idle timeout of an AWS load balancer (60 s), so
		// that the balancer closes first. If the server closes first, a request
		// in flight is lost and the client gets a 502.
		IdleTimeout:     75 * time.Second,
		MaxHeaderBytes:  32 << 10,
		MaxBodyBytes:    1 << 20,
		DrainDelay:      5 * time.Second,
		ShutdownTimeout: 20 * time.Second,
		// The design document's requests_per_second_max of the whole web tier:
		// a single client must not use more.
		ClientRate:  1000,
		ClientBurst: 1000,
	}
}

// validate returns an error for each field that is below its minimum. net/http would treat a
// zero as "no limit".
func (c Config) validate() error {
	var errs []error
	for _, f := range []struct {
		name  string
		value int64
		min   int64
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
		{"ClientBurst", int64(c.ClientBurst), min(1, int64(c.ClientRate))}, // a burst of 0 would reject every request
		{"TrustedProxies", int64(c.TrustedProxies), 0},
	} {
		if f.value < f.min {
			errs = append(errs, fmt.Errorf("httpserver: %s is %d, must be at least %d: start from Defaults", f.name, f.value, f.min))
		}
	}
	if c.Address == "" {
		errs = append(errs, errors.New(`httpserver: Address is empty, must be HOST:PORT, such as ":8000"`))
	}
	return errors.Join(errs...)
}
