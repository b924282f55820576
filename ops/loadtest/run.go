package loadtest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/progressive-framework/platform/ops/load"
)

// readBackWithin is how long another pod of the web app may return the old preferences. Redis tells
// it that they changed.
const readBackWithin = 2 * time.Second

// test is one load test.
type test struct {
	cfg      config
	client   *load.Client
	requests []load.Request
	cluster  *cluster  // nil: pods are not read
	progress io.Writer // nil: none
}

// newTest returns the test of the configured scenarios.
func newTest(cfg config) *test {
	// The web app gets cfg.connections, each of the three agents a third of them. There are at most
	// 50 WebSockets.
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

// run runs the whole test. An error means that the test could not run. Errors of the platform are
// in the report.
func (t *test) run(ctx context.Context) (*report, error) {
	defer t.client.HTTP.CloseIdleConnections()
	r := &report{
		Schema: schemaVersion, URL: t.cfg.url.String(), User: t.client.User, Profile: t.cfg.profile, Uncached: t.cfg.uncached,
		Connections: t.cfg.connections, Rate: t.cfg.rate, AgentsRate: t.cfg.agentsRate, Started: time.Now().UTC(),
	}
	otherIssuer, err := t.cfg.token.signedByOtherIssuer(r.Started)
	if err != nil {
		return nil, err
	}
	r.Refusals = t.checkRefusals(ctx, otherIssuer)
	r.Answers = t.checkAnswers(ctx)
	if !r.hasErrors() {
		t.load(ctx, r)
	}
	r.Seconds, r.Interrupted = time.Since(r.Started).Seconds(), ctx.Err() != nil
	return r, nil
}

// checkRefusals sends every request without a valid token. The status must be 401, or 200 for a
// public request.
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
		// Two different values, because one of them may already be stored.
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
	limit, cancel := context.WithTimeout(ctx, readBackWithin)
	defer cancel()
	profile := load.Profile
	profile.Check = store.Check
	for {
		err := t.client.Send(ctx, profile, 0) // with limit, the last error would be its end and not the wrong response
		if err == nil {
			return nil
		}
		select {
		case <-limit.Done():
			return err
		case <-time.After(readBackWithin / 20):
		}
	}
}

// load sends all requests concurrently, each at its share of the rate. It adds a row for each
// request, and one for the agents' responses to mca.
func (t *test) load(ctx context.Context, r *report) {
	var (
		interAgent load.InterAgent
		counter    load.Counter
		streams    []load.Stream
	)
	for _, request := range t.requests {
		if request.Path == load.Coordinate.Path {
			request = interAgent.Watch(request)
		}
		rate := t.cfg.rate
		if request.Scenario == load.Agents {
			rate = t.cfg.agentsRate
		}
		shape := request.Shape(t.cfg.connections, rate, t.cfg.duration)
		if request.Scenario != load.WebSocket { // WebSockets have the design document's interval
			shape.Curve = t.cfg.curve
		}
		stream, end := t.client.Stream(request, shape)
		defer end()
		stream.Counter = &counter
		streams = append(streams, stream)
	}
	var history replicaHistory
	load.CollectLess()
	stopWatching := t.watch(ctx, &counter, &history)
	results := load.RunAll(ctx, streams)
	stopWatching()
	for i, result := range results {
		r.Load = append(r.Load, newRow(streams[i], result))
	}
	if result := interAgent.Result(results[0].Elapsed); result.Sent() > 0 {
		r.Load = append(r.Load, newRow(load.Stream{Name: "between agents", Limit: load.InterAgentLimit()}, result))
	}
	r.Replicas, r.Bounds = history.services, history.bounds
	r.Notes = append(r.Notes, history.notes()...)
}

// watch shows the progress and reads the numbers of pods until the returned function is called.
func (t *test) watch(ctx context.Context, counter *load.Counter, history *replicaHistory) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	if t.progress != nil {
		wg.Go(func() { showProgress(ctx, t.progress, counter, t.cfg.duration) })
	}
	if t.cluster != nil {
		wg.Go(func() { history.record(ctx, t.cluster) })
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// showProgress rewrites one line each second, and erases it at the end.
func showProgress(ctx context.Context, out io.Writer, counter *load.Counter, duration time.Duration) {
	start, before := time.Now(), int64(0)
	defer fmt.Fprint(out, "\r\x1b[K") // erases the line
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticks.C:
			sent := counter.Sent.Load()
			fmt.Fprintf(out, "\r\x1b[K%s of %s: %d responses, %d/s, %d wrong", now.Sub(start).Round(time.Second), duration, sent, sent-before, counter.Failed.Load())
			before = sent
		}
	}
}
