package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

// maxBody limits a response in bytes. A plan of 31 days has less than 256 KiB.
const maxBody = 1 << 20

// Client sends requests to one base URL as one user. It follows no redirect and uses no proxy, so
// the load reaches only the given host.
type Client struct {
	Base        *url.URL
	User, Token string
	HTTP        *http.Client
	// Limiter limits the rate of the HTTP requests of all streams. nil means no limit. After a pause
	// of the server, many requests are due at once. Without a Limiter the client would send them at
	// once, and a service responds 429 to a client above the allowed rate.
	Limiter *rate.Limiter
}

// NewClient returns a Client with this number of connections. The base URL has only a scheme and a
// host. Unless remote is true, the Client connects only to loopback addresses.
func NewClient(base *url.URL, user, token string, connections int, remote bool) *Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !remote {
		dialer.Control = checkLoopback
	}
	return &Client{Base: base, User: user, Token: token, HTTP: &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, MaxIdleConns: connections, MaxIdleConnsPerHost: connections},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// gcPercent lets the heap grow to five times the used memory before a garbage collection. The heap of
// a load test is small, and each garbage collection takes CPU time from a server on the same machine.
const gcPercent = 400

// ReduceGarbageCollection makes the garbage collector of this process run less often. A program calls
// it before it sends load.
func ReduceGarbageCollection() { debug.SetGCPercent(gcPercent) }

// checkLoopback returns an error if the resolved address of a connection is not a loopback address.
func checkLoopback(_, address string, _ syscall.RawConn) error {
	resolved, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !resolved.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("%s is not a loopback address", resolved.Addr())
	}
	return nil
}

// NewStream returns a stream of the request in this shape. The caller must call end when the stream
// has ended. end closes the WebSockets of the stream.
func (c *Client) NewStream(r Request, shape Shape) (stream Stream, end func()) {
	stream = Stream{Name: r.Name, Limit: r.Limit, Shape: shape}
	if r.Scenario == WebSocket {
		s := newSockets(c, shape.Connections)
		stream.Send = s.send
		return stream, s.close
	}
	stream.Send = func(ctx context.Context, n int) error { return c.Send(ctx, r, n) }
	return stream, func() {}
}

// Send sends request number n of the HTTP API and checks the response. It returns an
// InvalidResponse if the status is not 200, or if the request's Check fails.
func (c *Client) Send(ctx context.Context, r Request, n int) error {
	if c.Limiter != nil {
		if err := c.Limiter.Wait(ctx); err != nil {
			return err
		}
	}
	token := c.Token
	if r.Public {
		token = ""
	}
	status, body, err := c.do(ctx, r, n, token)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return invalidStatusError(status, body)
	case r.Check == nil:
		return nil
	}
	return r.Check(c.User, body)
}

// SendForStatus sends the request with this token instead of the client's token, and returns the
// status of the response. If token is empty, the request has no token.
func (c *Client) SendForStatus(ctx context.Context, r Request, token string) (int, error) {
	if r.Scenario == WebSocket {
		conn, status, err := c.dialSocket(ctx, token)
		if err == nil {
			defer conn.CloseNow()
		}
		if status != 0 {
			err = nil // the server responded
		}
		return status, err
	}
	status, _, err := c.do(ctx, r, 0, token)
	return status, err
}

// do sends a request once and reads the body of the response.
func (c *Client) do(ctx context.Context, r Request, n int, token string) (status int, body []byte, err error) {
	request, err := c.newRequest(ctx, r, n, token)
	if err != nil {
		return 0, nil, err
	}
	// http.Client.Do would copy the request, and handle redirects and cookies. A load test has
	// neither redirects nor cookies.
	response, err := c.HTTP.Transport.RoundTrip(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return 0, nil, err
	case len(body) > maxBody:
		return 0, nil, invalidResponsef("response too large: must be at most %d bytes", maxBody)
	}
	return response.StatusCode, body, nil
}

// newRequest returns request number n with this token.
func (c *Client) newRequest(ctx context.Context, r Request, n int, token string) (*http.Request, error) {
	var body io.Reader
	if r.Body != nil {
		text, err := json.Marshal(r.Body(c.User, n))
		if err != nil {
			return nil, fmt.Errorf("encode the body of %s: %w", r.Name, err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, "/", body)
	if err != nil {
		return nil, err
	}
	// The base URL has no path (NewClient), so nothing is parsed for each request.
	target := *c.Base
	target.Path = r.Path
	request.URL, request.Host = &target, target.Host
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request, nil
}

// invalidStatusError returns the error for a status. If the body has the problem details of the
// services, the error includes their code.
func invalidStatusError(status int, body []byte) error {
	var problem struct{ Code string }
	if json.Unmarshal(body, &problem) == nil && problem.Code != "" {
		return invalidResponsef("status %d (%.40s)", status, problem.Code)
	}
	return invalidResponsef("status %d", status)
}
