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

// maxBody limits a response in bytes. A plan of 31 days needs less than a quarter of it.
const maxBody = 1 << 20

// Client sends requests to one base URL as one user. It follows no redirect and uses no proxy, so
// the load reaches only the given host.
type Client struct {
	Base        *url.URL
	User, Token string
	HTTP        *http.Client
	// Limiter delays the HTTP requests of all streams. nil means no delay. When a server pauses,
	// many requests become due. With a Limiter they are sent at its rate. Without it they are
	// sent together, and a service responds 429 to one client's requests above its rate.
	Limiter *rate.Limiter
}

// NewClient returns a Client with this number of connections. The base URL has only a scheme and a
// host. Unless remote is true, the Client connects only to loopback addresses.
func NewClient(base *url.URL, user, token string, connections int, remote bool) *Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !remote {
		dialer.Control = loopbackOnly
	}
	return &Client{Base: base, User: user, Token: token, HTTP: &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, MaxIdleConns: connections, MaxIdleConnsPerHost: connections},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// gcPercent lets the heap grow to five times the used memory. The heap of a load test is small, and
// each garbage collection takes CPU time from a server on the same machine.
const gcPercent = 400

// CollectLess makes the garbage collector of this process run less often. A program calls it before
// its load.
func CollectLess() { debug.SetGCPercent(gcPercent) }

// loopbackOnly returns an error unless the resolved address of a connection is a loopback address.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	resolved, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !resolved.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("%s is not a loopback address", resolved.Addr())
	}
	return nil
}

// Stream returns a stream of the request in this shape. Call end afterwards; it
// closes the stream's own connections.
func (c *Client) Stream(r Request, shape Shape) (stream Stream, end func()) {
	stream = Stream{Name: r.Name, Limit: r.Limit, Shape: shape}
	if r.Scenario == WebSocket {
		s := newSockets(c, shape.Connections)
		stream.Send = s.send
		return stream, s.close
	}
	stream.Send = func(ctx context.Context, n int) error { return c.Send(ctx, r, n) }
	return stream, func() {}
}

// Send sends request number n of the HTTP API and checks the response. A status
// other than 200, or an error of the request's Check, is an InvalidAnswer.
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
		return invalidStatus(status, body)
	case r.Check == nil:
		return nil
	}
	return r.Check(c.User, body)
}

// Status sends the request with this token instead of the client's token, and returns the status of
// the response. An empty token is not sent.
func (c *Client) Status(ctx context.Context, r Request, token string) (int, error) {
	if r.Scenario == WebSocket {
		conn, status, err := c.dial(ctx, token)
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
	// http.Client.Do would copy the request, and handle redirects and cookies, of which there are
	// none.
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
		return 0, nil, invalidf("response too large: must be at most %d bytes", maxBody)
	}
	return response.StatusCode, body, nil
}

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

// invalidStatus returns the error for a status, with the code of the services' problem details.
func invalidStatus(status int, body []byte) error {
	var problem struct{ Code string }
	if json.Unmarshal(body, &problem) == nil && problem.Code != "" {
		return invalidf("status %d (%.40s)", status, problem.Code)
	}
	return invalidf("status %d", status)
}
