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

// maxAnswer bounds an answer that is read, in bytes; a plan of 31 days has well
// under a quarter of it.
const maxAnswer = 1 << 20

// soonest is the earliest time for a second try: a tenth of the design document's
// limit between agents (inter_agent_communication, 100 ms). Where the p95 is a
// millisecond, a twentieth of all requests would be sent twice otherwise. Each
// would cost a connection, because the slower try is canceled.
const soonest = 10 * time.Millisecond

// Client sends requests that may be sent twice. The second try begins when the
// answer takes longer than the latest p95 and 10 ms, or when the first one fails.
// The first good answer counts. At most one request in ten is sent twice.
type Client struct {
	upstream *Upstream
	latency  latency
	budget   budget
	// after calls f after d, unless stop is called before, which then returns
	// true. It is time.AfterFunc outside tests.
	after func(d time.Duration, f func()) (stop func() bool)
}

// NewClient returns a Client of the upstream.
func NewClient(u *Upstream) *Client {
	after := func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	return &Client{upstream: u, after: after}
}

// Upstream is the server of the Client's requests.
func (c *Client) Upstream() *Upstream { return c.upstream }

// Answer is a response with a status below 500; the rest is an error.
type Answer struct {
	Status int
	Body   []byte
	// Hedged is whether the request was sent twice.
	Hedged bool
}

// Post sends a JSON body with these headers. ctx bounds both tries together.
func (c *Client) Post(ctx context.Context, path string, header http.Header, body []byte) (Answer, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the slower try
	try := func() (Answer, error) {
		began := time.Now()
		answer, err := c.post(ctx, path, header, body)
		if err == nil {
			c.latency.add(time.Since(began))
		}
		return answer, err
	}
	c.budget.earn()
	type result struct {
		Answer
		err error
	}
	// late gets the second try's result if there was one. It has room for it,
	// because the first try may have answered already.
	late := make(chan result, 1)
	stop := func() bool { return true }
	if p95 := c.latency.percentile95(); p95 > 0 {
		stop = c.after(max(p95, soonest), func() {
			if !c.budget.spend() {
				late <- result{err: errNoBudget}
				return
			}
			answer, err := try()
			answer.Hedged = true
			late <- result{answer, err}
			if err == nil {
				cancel() // the first
			}
		})
	}
	answer, err := try()
	inTime := stop()
	switch {
	case err == nil:
		return answer, nil
	case !inTime:
		if second := <-late; !errors.Is(second.err, errNoBudget) {
			return second.Answer, second.err
		}
	case !errors.Is(err, ErrOpen) && ctx.Err() == nil && c.budget.spend():
		answer, err = try()
		answer.Hedged = true
	}
	return answer, err
}

// errNoBudget means that there was no second try.
var errNoBudget = errors.New("retry budget exceeded: one request in ten was sent twice")

func (c *Client) post(ctx context.Context, path string, header http.Header, body []byte) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.upstream.URL(path), bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	request.Header = header.Clone()
	request.Header.Set("Content-Type", "application/json")
	got, err := c.upstream.RoundTrip(request) // no redirect is followed
	if err != nil {
		return Answer{}, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(io.LimitReader(got.Body, maxAnswer+1))
	switch {
	case err != nil:
		return Answer{}, fmt.Errorf("read the answer of %s: %w", c.upstream.name, err)
	case len(text) > maxAnswer:
		return Answer{}, fmt.Errorf("answer of %s too large: must be at most %d bytes", c.upstream.name, maxAnswer)
	case got.StatusCode >= http.StatusInternalServerError:
		return Answer{}, fmt.Errorf("%s answered %s", c.upstream.name, got.Status)
	}
	return Answer{Status: got.StatusCode, Body: text}, nil
}
