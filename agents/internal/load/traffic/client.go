package traffic

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
	"syscall"
	"time"

	"github.com/progressive-framework/platform/agents/internal/load"
)

// maxAnswer bounds an answer that is read, in bytes; a plan of 31 days has well
// under a quarter of it.
const maxAnswer = 1 << 20

// Client sends requests to one base URL as one user. It follows no redirect and
// asks no proxy of the environment: what is loaded is the host that was named.
type Client struct {
	Base        *url.URL
	User, Token string
	HTTP        *http.Client
}

// NewClient returns a Client with room for that many connections, which are
// opened to this machine only unless remote is set.
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

// loopbackOnly is asked with the address that a name has led to.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !to.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("%s is not an address of this machine's loopback", to.Addr())
	}
	return nil
}

// Stream is the request in that shape, and what closes its own connections.
func (c *Client) Stream(r Request, shape load.Shape) (stream load.Stream, end func()) {
	stream = load.Stream{Name: r.Name, Limit: r.Limit, Shape: shape}
	if r.Part == WebSocket {
		s := newSockets(c, shape.Connections)
		stream.Send = s.ask
		return stream, s.close
	}
	stream.Send = func(ctx context.Context, n int) error { return c.Send(ctx, r, n) }
	return stream, func() {}
}

// Send sends request number n of the HTTP API and checks the answer: any status
// but 200, and what the request's Check finds, is a Wrong.
func (c *Client) Send(ctx context.Context, r Request, n int) error {
	token := c.Token
	if r.Public {
		token = ""
	}
	status, body, err := c.ask(ctx, r, n, token)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return wrongStatus(status, body)
	case r.Check == nil:
		return nil
	}
	return r.Check(c.User, body)
}

// Status is how the request is answered with another token; "" sends none.
func (c *Client) Status(ctx context.Context, r Request, token string) (int, error) {
	if r.Part == WebSocket {
		conn, status, err := c.dial(ctx, token)
		if err == nil {
			defer conn.CloseNow()
		}
		if status != 0 {
			err = nil // it was answered
		}
		return status, err
	}
	status, _, err := c.ask(ctx, r, 0, token)
	return status, err
}

func (c *Client) ask(ctx context.Context, r Request, n int, token string) (int, []byte, error) {
	request, err := c.request(ctx, r, n, token)
	if err != nil {
		return 0, nil, err
	}
	answer, err := c.HTTP.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return 0, nil, err
	case len(body) > maxAnswer:
		return 0, nil, wrongf("the answer has more than %d bytes", maxAnswer)
	}
	return answer.StatusCode, body, nil
}

func (c *Client) request(ctx context.Context, r Request, n int, token string) (*http.Request, error) {
	var sent io.Reader
	if r.Body != nil {
		text, err := json.Marshal(r.Body(c.User, n))
		if err != nil {
			return nil, fmt.Errorf("encode the body of %s: %w", r.Name, err)
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, c.Base.JoinPath(r.Path).String(), sent)
	if err != nil {
		return nil, err
	}
	if sent != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request, nil
}

// wrongStatus names the status, and the code of our services' problem details.
func wrongStatus(status int, body []byte) error {
	var problem struct{ Code string }
	if json.Unmarshal(body, &problem) == nil && problem.Code != "" {
		return wrongf("answered %d (%.40s)", status, problem.Code)
	}
	return wrongf("answered %d", status)
}
