// Package upstream is the HTTP client of one service for another. For each
// upstream service it owns one connection pool and one circuit breaker, which
// Client and Proxy share. Callers own the requests and the meaning of
// responses.
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
	// idleTimeout is below the servers' idle timeout (httpserver.Defaults, 75
	// s), so that the client closes idle connections first. A server that
	// closes first may drop a request.
	idleTimeout = 60 * time.Second
	// maxConnections bounds the connections of one process to one service.
	maxConnections = 512

	// The breaker opens when at least minRequests requests ended within window, and at
	// least half of them failed. The window moves in steps of bucket. While the breaker is
	// open, no request is sent. After openFor, the next requests are sent as probes. If this
	// number of probes succeeds, the breaker closes.
	window      = 10 * time.Second
	bucket      = time.Second
	minRequests = 20
	openFor     = 2 * time.Second
	probes      = 3
)

// ErrOpen means that the request was not sent, because too many recent requests
// failed.
var ErrOpen = errors.New("circuit breaker open")

// Upstream is a service that this service calls. It is safe for concurrent use.
type Upstream struct {
	name      string
	baseURL   *url.URL
	pool      *http.Transport
	transport http.RoundTripper // adds the request's id and trace, and sends through pool
	breaker   *gobreaker.CircuitBreaker[*http.Response]
}

// New returns the upstream with this name. baseURL is a URL such as
// http://npa-service, without a path.
func New(name, baseURL string, tracing *telemetry.Tracing) (*Upstream, error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Host == "" || (u.Path != "" && u.Path != "/") {
		return nil, fmt.Errorf("base URL of %s is %q, must be a scheme and a host without a path: set it to a URL such as http://%s-service", name, baseURL, name)
	}
	pool := &http.Transport{
		DialContext:         connectTwice((&net.Dialer{Timeout: connectTimeout, KeepAlive: 15 * time.Second}).DialContext),
		TLSHandshakeTimeout: 2 * connectTimeout,
		IdleConnTimeout:     idleTimeout,
		MaxConnsPerHost:     maxConnections,
		MaxIdleConnsPerHost: maxConnections / 4,
		DisableCompression:  true,
	}
	return &Upstream{
		name: name, baseURL: &url.URL{Scheme: u.Scheme, Host: u.Host}, pool: pool, transport: tracing.Transport(pool),
		breaker: gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{
			Name: name, Interval: window, BucketPeriod: bucket, Timeout: openFor, MaxRequests: probes,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.Requests >= minRequests && 2*c.TotalFailures >= c.Requests },
			// A canceled request is not a failure of the service: the client has
			// disconnected, or the other attempt of the request was faster.
			IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
		}),
	}, nil
}

// Name returns the upstream's name.
func (u *Upstream) Name() string { return u.name }

// BreakerState returns the breaker's state: closed, half-open or open.
func (u *Upstream) BreakerState() string { return u.breaker.State().String() }

// URL returns the absolute URL of a path of the upstream.
func (u *Upstream) URL(path string) string { return u.baseURL.JoinPath(path).String() }

// failedResponse is an error that contains a response of 500 or above. The breaker
// counts only errors as failures.
type failedResponse struct{ response *http.Response }

func (f failedResponse) Error() string { return f.response.Status }

// RoundTrip implements http.RoundTripper. Connection errors, timeouts and
// responses of 500 and above count as failures of the upstream. RoundTrip returns
// such a response without an error. While the breaker is open, RoundTrip sends
// nothing and returns ErrOpen.
func (u *Upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := u.breaker.Execute(func() (*http.Response, error) {
		response, err := u.transport.RoundTrip(r)
		if err == nil && response.StatusCode >= http.StatusInternalServerError {
			return response, failedResponse{response}
		}
		return response, err
	})
	if failed, ok := errors.AsType[failedResponse](err); ok {
		return failed.response, nil
	}
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return nil, fmt.Errorf("%s: %w", u.name, ErrOpen)
	}
	return response, err
}

// CloseIdleConnections closes the pool's idle connections.
func (u *Upstream) CloseIdleConnections() { u.pool.CloseIdleConnections() }
