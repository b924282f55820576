package httpserver

import (
	"errors"
	"fmt"
	"time"
)

// Config bounds what a client may cost and how long an end may take. Every
// field must be set, DrainDelay alone may be zero; start from Defaults.
type Config struct {
	// Address is HOST:PORT; an empty host means every interface, port 0 any
	// free port.
	Address string

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

	// QuietPaths are logged at debug level: probes come every few seconds and
	// would bury the rest.
	QuietPaths []string
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
