package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/progressive-framework/platform/agents/internal/load"
	"github.com/progressive-framework/platform/agents/internal/load/traffic"
)

// readBackWithin is how long another process of the web app may show what was
// stored before: it hears of a change through Redis.
const readBackWithin = 2 * time.Second

// test is one load test.
type test struct {
	cfg      config
	client   *traffic.Client
	requests []traffic.Request
}

func newTest(cfg config) *test {
	// The agents' connections together are as many as the web app's.
	t := &test{cfg: cfg, client: traffic.NewClient(cfg.url, cfg.token.says.Subject, cfg.token.text, 3*cfg.connections, cfg.remote)}
	for _, r := range traffic.Seed {
		if slices.Contains(cfg.parts, r.Part) {
			t.requests = append(t.requests, r)
		}
	}
	return t
}

// run is the whole test; its error is none of the platform's.
func (t *test) run(ctx context.Context) (*report, error) {
	defer t.client.HTTP.CloseIdleConnections()
	r := &report{URL: t.cfg.url.String(), User: t.client.User, Connections: t.cfg.connections, Rate: t.cfg.rate, Started: time.Now().UTC()}
	foreign, err := t.cfg.token.foreign(r.Started)
	if err != nil {
		return nil, err
	}
	r.Refusals = t.refusals(ctx, foreign)
	r.Answers = t.answers(ctx)
	if !r.wrong() {
		r.Load = t.load(ctx)
	}
	r.Seconds, r.Interrupted = time.Since(r.Started).Seconds(), ctx.Err() != nil
	return r, nil
}

// refusals sends every request without a good token: 401 each, but 200 for
// those that are public.
func (t *test) refusals(ctx context.Context, foreign string) (p pass) {
	for _, r := range t.requests {
		want := http.StatusUnauthorized
		if r.Public {
			want = http.StatusOK
		}
		for _, bad := range []struct{ name, token string }{
			{"no token", ""}, {"the token test-token", "test-token"}, {"a foreign issuer's token", foreign},
		} {
			p.do(ctx, r.Name+" with "+bad.name, func(ctx context.Context) error {
				status, err := t.client.Status(ctx, r, bad.token)
				if err == nil && status != want {
					err = traffic.Wrong(fmt.Sprintf("answered %d, must be %d", status, want))
				}
				return err
			})
		}
	}
	return p
}

// answers sends every request once with the token.
func (t *test) answers(ctx context.Context) (p pass) {
	for _, r := range t.requests {
		one, end := t.client.Stream(r, load.Shape{Connections: 1})
		p.do(ctx, r.Name, func(ctx context.Context) error { return one.Send(ctx, 0) })
		end()
	}
	if slices.Contains(t.cfg.parts, traffic.Main) {
		// Two that differ, so that one of them can't have been there before.
		for _, r := range []traffic.Request{traffic.StorePreferences("light", false), traffic.Preferences} {
			p.do(ctx, "preferences, stored and read back", func(ctx context.Context) error { return t.readBack(ctx, r) })
		}
	}
	return p
}

// readBack stores preferences and asks for the profile until it has them.
func (t *test) readBack(ctx context.Context, store traffic.Request) error {
	if err := t.client.Send(ctx, store, 0); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readBackWithin)
	defer cancel()
	profile := traffic.Profile
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

// load sends all requests at once, each at its share.
func (t *test) load(ctx context.Context) (rows []row) {
	var (
		between traffic.Between
		streams []load.Stream
	)
	for _, r := range t.requests {
		if r.Path == traffic.Coordinate.Path {
			r = between.Watch(r)
		}
		stream, end := t.client.Stream(r, r.Shape(t.cfg.connections, t.cfg.rate, t.cfg.duration))
		defer end()
		streams = append(streams, stream)
	}
	results := load.RunAll(ctx, streams)
	for i, result := range results {
		rows = append(rows, newRow(streams[i], result))
	}
	if took := between.Result(results[0].Over); len(took.Took) > 0 {
		rows = append(rows, newRow(load.Stream{Name: "between agents", Limit: traffic.BetweenAgentsLimit}, took))
	}
	return rows
}
