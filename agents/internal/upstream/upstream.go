// Package upstream is the HTTP client of one of our services for another. It
// owns one connection pool and one circuit breaker for each, which Client and
// Proxy share. It owns neither what is requested nor what an answer means.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/progressive-framework/platform/agents/internal/telemetry"
)

const (
	// connectTimeout is five times the design document's limit between agents
	// (inter_agent_communication, 100 ms).
	connectTimeout = 500 * time.Millisecond
	// idleTimeout is below the servers' own (httpserver.Defaults, 75 s), so that
	// the client closes idle connections: see there.
	idleTimeout = 60 * time.Second
	// maxConnections bounds what one process may open to one service.
	maxConnections = 512

	// The breaker opens when at least enough requests ended in the last window
	// and half of them failed. After openFor it lets probes through.
	window  = 10 * time.Second
	bucket  = time.Second
	enough  = 20
	openFor = 2 * time.Second
	probes  = 3
)

// ErrOpen means that too many of the latest requests failed, and that none is
// sent until the breaker lets probes through.
var ErrOpen = errors.New("circuit breaker open")

// Upstream is one of our services as a server of another. It is safe for use by
// several goroutines.
type Upstream struct {
	name      string
	base      *url.URL
	pool      *http.Transport
	transport http.RoundTripper // the pool, with the request's id and trace
	breaker   *gobreaker.CircuitBreaker[*http.Response]
}

// New returns the upstream of that name at a base URL such as
// http://npa-service, whose path must be empty.
func New(name, base string, tracing *telemetry.Tracing) (*Upstream, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Path != "" && u.Path != "/") {
		return nil, fmt.Errorf("the base URL of %s is %q, must be a scheme and a host without a path: write it as http://%s-service", name, base, name)
	}
	pool := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: connectTimeout, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: 2 * connectTimeout,
		IdleConnTimeout:     idleTimeout,
		MaxConnsPerHost:     maxConnections,
		MaxIdleConnsPerHost: maxConnections / 4,
		DisableCompression:  true,
	}
	return &Upstream{
		name: name, base: &url.URL{Scheme: u.Scheme, Host: u.Host}, pool: pool, transport: tracing.Transport(pool),
		breaker: gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{
			Name: name, Interval: window, BucketPeriod: bucket, Timeout: openFor, MaxRequests: probes,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.Requests >= enough && 2*c.TotalFailures >= c.Requests },
			// A caller that left, and the slower try of a hedge, are no failure of
			// the service.
			IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
		}),
	}, nil
}

// Name is the upstream's name.
func (u *Upstream) Name() string { return u.name }

// Breaker is closed, half-open or open.
func (u *Upstream) Breaker() string { return u.breaker.State().String() }

// URL is the absolute URL of a path of the upstream.
func (u *Upstream) URL(path string) string { return u.base.JoinPath(path).String() }

// failed carries an answer of 500 and above through the breaker as an error.
type failed struct{ answer *http.Response }

func (f failed) Error() string { return f.answer.Status }

// RoundTrip is http.RoundTripper's. An error of connection, an ended deadline
// and an answer of 500 and above count as failures; while the breaker is open
// the error is ErrOpen and nothing is sent.
func (u *Upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := u.breaker.Execute(func() (*http.Response, error) {
		answer, err := u.transport.RoundTrip(r)
		if err == nil && answer.StatusCode >= http.StatusInternalServerError {
			return answer, failed{answer}
		}
		return answer, err
	})
	switch f, is := errors.AsType[failed](err); {
	case is:
		return f.answer, nil
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return nil, fmt.Errorf("%s: %w", u.name, ErrOpen)
	}
	return answer, err
}

// CloseIdleConnections closes the pool's idle connections.
func (u *Upstream) CloseIdleConnections() { u.pool.CloseIdleConnections() }
