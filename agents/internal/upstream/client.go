package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxResponseBytes is the maximum size of a response body: more than four times the size
// of a plan of 31 days.
const maxResponseBytes = 1 << 20

// minHedgeDelay is the minimum time before the second attempt. It is a tenth of the design
// document's limit between agents (inter_agent_communication, 100 ms). Without this
// minimum, 5 % of all requests to a fast service would be sent twice. Each second attempt
// costs a connection: the slower attempt is canceled, and that closes its connection.
const minHedgeDelay = 10 * time.Millisecond

// Client sends requests that may be sent twice. The second attempt starts when the first
// attempt fails, or when the first attempt takes longer than the recent p95 and longer than
// 10 ms. The first good response counts. At most one request in ten is sent twice.
type Client struct {
	upstream *Upstream
	latency  latency
	budget   budget
	// after calls f after the duration d. Outside tests it is time.AfterFunc. stop
	// prevents the call of f and returns true. If f was already called, stop returns
	// false.
	after func(d time.Duration, f func()) (stop func() bool)
}

// NewClient returns a Client of the upstream.
func NewClient(u *Upstream) *Client {
	after := func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	return &Client{upstream: u, after: after}
}

// Upstream returns the service that the Client sends its requests to.
func (c *Client) Upstream() *Upstream { return c.upstream }

// Response is a response with a status below 500. Other responses are errors.
type Response struct {
	Status int
	Body   []byte
	// Hedged is true if the request was sent twice.
	Hedged bool
}

// Post sends a JSON body with these headers. ctx bounds both attempts together.
func (c *Client) Post(ctx context.Context, path string, header http.Header, body []byte) (Response, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the slower attempt
	attempt := func() (Response, error) {
		start := time.Now()
		response, err := c.send(ctx, path, header, body)
		if err == nil {
			c.latency.add(time.Since(start))
		}
		return response, err
	}
	c.budget.earn()
	type result struct {
		Response
		err error
	}
	// secondResult receives the result of the second attempt. The channel is buffered, because
	// nobody receives the result if the first attempt succeeds.
	secondResult := make(chan result, 1)
	// stopHedge prevents the second attempt. It returns false if the second attempt has begun.
	stopHedge := func() bool { return true }
	if p95 := c.latency.percentile95(); p95 > 0 {
		stopHedge = c.after(max(p95, minHedgeDelay), func() {
			if !c.budget.spend() {
				secondResult <- result{err: errNoBudget}
				return
			}
			response, err := attempt()
			response.Hedged = true
			secondResult <- result{response, err}
			if err == nil {
				cancel() // ends the first attempt
			}
		})
	}
	response, err := attempt()
	hedged := !stopHedge()
	switch {
	case err == nil:
		return response, nil
	case hedged: // the second attempt has begun, so its result counts
		if second := <-secondResult; !errors.Is(second.err, errNoBudget) {
			return second.Response, second.err
		}
	case !errors.Is(err, ErrOpen) && ctx.Err() == nil && c.budget.spend(): // the first attempt failed before the delay, so the second starts now
		response, err = attempt()
		response.Hedged = true
	}
	return response, err
}

// errNoBudget means that the second attempt was not sent.
var errNoBudget = errors.New("retry budget exceeded: one request in ten was sent twice")

// send sends the request once. A response of 500 or above is an error.
func (c *Client) send(ctx context.Context, path string, header http.Header, body []byte) (Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.upstream.URL(path), bytes.NewReader(body))
	if err != nil {
		return Response{}, err
	}
	request.Header = header.Clone()
	request.Header.Set("Content-Type", "application/json")
	httpResponse, err := c.upstream.RoundTrip(request) // does not follow redirects
	if err != nil {
		return Response{}, err
	}
	defer httpResponse.Body.Close()
	responseBody, err := io.ReadAll(io.LimitReader(httpResponse.Body, maxResponseBytes+1))
	switch {
	case err != nil:
		return Response{}, fmt.Errorf("read the response of %s: %w", c.upstream.name, err)
	case len(responseBody) > maxResponseBytes:
		return Response{}, fmt.Errorf("response of %s too large: must be at most %d bytes", c.upstream.name, maxResponseBytes)
	case httpResponse.StatusCode >= http.StatusInternalServerError:
		return Response{}, fmt.Errorf("%s responded %s", c.upstream.name, httpResponse.Status)
	}
	return Response{Status: httpResponse.StatusCode, Body: responseBody}, nil
}
