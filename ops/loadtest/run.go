package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/progressive-framework/platform/ops/load"
)

// readBackWithin is how long another process of the web app may return the old
// preferences. It learns of a change through Redis.
const readBackWithin = 2 * time.Second

// test is one load test.
type test struct {
	cfg      config
	client   *load.Client
	requests []load.Request
}

// newTest returns the test of the configured scenarios.
func newTest(cfg config) *test {
	// The agents together have as many connections as the web app.
	t := &test{cfg: cfg, client: load.NewClient(cfg.url, cfg.token.claims.Subject, cfg.token.text, 3*cfg.connections, cfg.remote)}
	for _, r := range load.Requests {
		if !slices.Contains(cfg.scenarios, r.Scenario) {
			continue
		}
		if cfg.uncached {
			r = r.Uncached()
		}
		t.requests = append(t.requests, r)
	}
	return t
}

// run runs the whole test. An error means that the test could not run. The
// report has the platform's errors.
func (t *test) run(ctx context.Context) (*report, error) {
	defer t.client.HTTP.CloseIdleConnections()
	r := &report{URL: t.cfg.url.String(), User: t.client.User, Connections: t.cfg.connections, Rate: t.cfg.rate, Started: time.Now().UTC()}
	otherIssuer, err := t.cfg.token.signedByOtherIssuer(r.Started)
	if err != nil {
		return nil, err
	}
	r.Refusals = t.checkRefusals(ctx, otherIssuer)
	r.Answers = t.checkAnswers(ctx)
	if !r.hasErrors() {
		r.Load = t.load(ctx)
	}
	r.Seconds, r.Interrupted = time.Since(r.Started).Seconds(), ctx.Err() != nil
	return r, nil
}

// checkRefusals sends every request without a valid token. The status must be
// 401, or 200 for public requests.
func (t *test) checkRefusals(ctx context.Context, otherIssuer string) (p checkResult) {
	for _, r := range t.requests {
		want := http.StatusUnauthorized
		if r.Public {
			want = http.StatusOK
		}
		for _, invalid := range []struct{ name, token string }{
			{"no token", ""}, {"the token test-token", "test-token"}, {"another issuer's token", otherIssuer},
		} {
			p.do(ctx, r.Name+" with "+invalid.name, func(ctx context.Context) error {
				status, err := t.client.Status(ctx, r, invalid.token)
				if err == nil && status != want {
					err = load.InvalidAnswer(fmt.Sprintf("status %d, must be %d", status, want))
				}
				return err
			})
		}
	}
	return p
}

// checkAnswers sends every request once with the token.
func (t *test) checkAnswers(ctx context.Context) (p checkResult) {
	for _, r := range t.requests {
		stream, end := t.client.Stream(r, load.Shape{Connections: 1})
		p.do(ctx, r.Name, func(ctx context.Context) error { return stream.Send(ctx, 0) })
		end()
	}
	if slices.Contains(t.cfg.scenarios, load.Main) {
		// Two different preferences, because one of them may be stored already.
		for _, r := range []load.Request{load.StorePreferences("light", false), load.Preferences} {
			p.do(ctx, "preferences, stored and read back", func(ctx context.Context) error { return t.readBack(ctx, r) })
		}
	}
	return p
}

// readBack stores preferences and reads the profile until it has them.
func (t *test) readBack(ctx context.Context, store load.Request) error {
	if err := t.client.Send(ctx, store, 0); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readBackWithin)
	defer cancel()
	profile := load.Profile
	profile.Check = store.Check
	for {
		err := t.client.Send(ctx, profile, 0)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(readBackWithin / 20):
		}
	}
}

// load sends all requests concurrently, each at its share of the rate. It returns
// a row for each request, and one for the agents' responses to mca.
func (t *test) load(ctx context.Context) (rows []row) {
	var (
		interAgent load.InterAgent
		streams    []load.Stream
	)
	for _, r := range t.requests {
		if r.Path == load.Coordinate.Path {
			r = interAgent.Watch(r)
		}
		rate := t.cfg.rate
		if r.Scenario == load.Agents {
			rate = t.cfg.agentsRate
		}
		stream, end := t.client.Stream(r, r.Shape(t.cfg.connections, rate, t.cfg.duration))
		defer end()
		streams = append(streams, stream)
	}
	results := load.RunAll(ctx, streams)
	for i, result := range results {
		rows = append(rows, newRow(streams[i], result))
	}
	if result := interAgent.Result(results[0].Elapsed); result.Sent() > 0 {
		rows = append(rows, newRow(load.Stream{Name: "between agents", Limit: load.InterAgentLimit()}, result))
	}
	return rows
}
