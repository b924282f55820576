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

// soonest is when a second try may begin, a tenth of the seed's limit between
// agents (inter_agent_communication, 100 ms). What is sooner answered needs
// none: where the p95 is a millisecond, a twentieth of all questions would be
// asked twice to save less than a connection costs, which is what a try that
// is broken off takes with it.
const soonest = 10 * time.Millisecond

// Client asks an upstream questions that may be asked twice. A question that is
// not answered within the p95 of late and 10 ms, or that fails at once, is asked
// a second time, and the first good answer counts; at most one question in ten
// is.
type Client struct {
	upstream *Upstream
	latency  latency
	budget   budget
	// after calls f a time later, unless stop comes before and says so: that of
	// time.AfterFunc outside tests.
	after func(d time.Duration, f func()) (stop func() bool)
}

// NewClient returns a Client of the upstream.
func NewClient(u *Upstream) *Client {
	after := func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	return &Client{upstream: u, after: after}
}

// Upstream is whom the Client asks.
func (c *Client) Upstream() *Upstream { return c.upstream }

// Answer is what came back. A status below 500 is an answer; the rest is an
// error.
type Answer struct {
	Status int
	Body   []byte
	// Hedged is whether the question was asked twice.
	Hedged bool
}

// Post asks with a JSON body and these headers. ctx bounds both tries together.
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
	// late has the second try's result once it was time for one; nobody may wait.
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

// errNoBudget is why there was no second try.
var errNoBudget = errors.New("one in ten was asked twice already")

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
		return Answer{}, fmt.Errorf("the answer of %s has more than %d bytes", c.upstream.name, maxAnswer)
	case got.StatusCode >= http.StatusInternalServerError:
		return Answer{}, fmt.Errorf("%s answered %s", c.upstream.name, got.Status)
	}
	return Answer{Status: got.StatusCode, Body: text}, nil
}
