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

// Client asks an upstream questions that may be asked twice. A question that is
// not answered within the p95 of late, or that fails at once, is asked a second
// time, and the first good answer counts; at most one question in ten is.
type Client struct {
	upstream *Upstream
	http     *http.Client
	latency  latency
	budget   budget
	after    func(time.Duration) <-chan time.Time // time.After outside tests
}

// NewClient returns a Client of the upstream.
func NewClient(u *Upstream) *Client {
	return &Client{upstream: u, after: time.After, http: &http.Client{
		Transport:     u,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
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
	type result struct {
		answer Answer
		err    error
	}
	results := make(chan result, 2) // nobody waits for the second
	try := func() {
		began := time.Now()
		answer, err := c.post(ctx, path, header, body)
		if err == nil {
			c.latency.add(time.Since(began))
		}
		results <- result{answer, err}
	}
	c.budget.earn()
	go try()
	under, hedged := 1, false
	var late <-chan time.Time
	if p95 := c.latency.percentile95(); p95 > 0 {
		late = c.after(p95)
	}
	again := func() {
		if !hedged && ctx.Err() == nil && c.budget.spend() {
			hedged = true
			under++
			go try()
		}
	}
	for {
		select {
		case <-late:
			late = nil
			again()
		case r := <-results:
			under--
			if r.err != nil && !errors.Is(r.err, ErrOpen) {
				again()
			}
			if r.err == nil || under == 0 {
				r.answer.Hedged = hedged
				return r.answer, r.err
			}
		}
	}
}

func (c *Client) post(ctx context.Context, path string, header http.Header, body []byte) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.upstream.URL(path), bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	request.Header = header.Clone()
	request.Header.Set("Content-Type", "application/json")
	got, err := c.http.Do(request)
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
