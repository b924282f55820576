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

// readBackTimeout is how long another pod of the web app may return the old preferences. Redis
// notifies the other pods of a change.
const readBackTimeout = 2 * time.Second

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
	// The web app gets cfg.connections. The three agents together get the same number, and the
	// WebSockets get at most the same number. So three times cfg.connections are enough.
	t := &test{cfg: cfg, client: load.NewClient(cfg.url, cfg.token.claims.Subject, cfg.token.text, 3*cfg.connections, cfg.remote)}
	for _, r := range load.Requests {
		if !slices.Contains(cfg.scenarios, r.Scenario) {
			continue
		}
		if cfg.uncached {
			r = r.WithUncachedBody()
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
	otherKeyToken, err := t.cfg.token.signWithOtherKey(r.Started)
	if err != nil {
		return nil, err
	}
	r.Refusals = t.checkRefusals(ctx, otherKeyToken)
	r.Responses = t.checkResponses(ctx)
	if !r.hasErrors() {
		t.runLoad(ctx, r)
	}
	r.Seconds, r.Interrupted = time.Since(r.Started).Seconds(), ctx.Err() != nil
	return r, nil
}

// checkRefusals sends every request without a valid token. The status must be 401, or 200 for a
// public request.
func (t *test) checkRefusals(ctx context.Context, otherKeyToken string) (result checkResult) {
	for _, r := range t.requests {
		want := http.StatusUnauthorized
		if r.Public {
			want = http.StatusOK
		}
		for _, invalid := range []struct{ name, token string }{
			{"no token", ""}, {"the token test-token", "test-token"}, {"a token signed by another key", otherKeyToken},
		} {
			result.send(ctx, r.Name+" with "+invalid.name, func(ctx context.Context) error {
				status, err := t.client.SendForStatus(ctx, r, invalid.token)
				if err == nil && status != want {
					err = load.InvalidResponse(fmt.Sprintf("status %d, must be %d", status, want))
				}
				return err
			})
		}
	}
	return result
}

// checkResponses sends every request once with the token. In the main scenario it also stores
// preferences, and reads them back.
func (t *test) checkResponses(ctx context.Context) (result checkResult) {
	for _, r := range t.requests {
		stream, end := t.client.NewStream(r, load.Shape{Connections: 1})
		result.send(ctx, r.Name, func(ctx context.Context) error { return stream.Send(ctx, 0) })
		end()
	}
	if slices.Contains(t.cfg.scenarios, load.Main) {
		// Two different values are sent, because one value may already be stored.
		for _, r := range []load.Request{load.StorePreferences("light", false), load.Preferences} {
			result.send(ctx, "preferences, stored and read back", func(ctx context.Context) error { return t.storeAndReadBack(ctx, r) })
		}
	}
	return result
}

// storeAndReadBack stores preferences, and reads the profile until it has these preferences. After
// readBackTimeout it returns the last error.
func (t *test) storeAndReadBack(ctx context.Context, storeRequest load.Request) error {
	if err := t.client.Send(ctx, storeRequest, 0); err != nil {
		return err
	}
	timeoutCtx, cancel := context.WithTimeout(ctx, readBackTimeout)
	defer cancel()
	profile := load.GetProfile
	profile.Check = storeRequest.Check
	for {
		err := t.client.Send(ctx, profile, 0) // with timeoutCtx, the last error could be the timeout and not the wrong response
		if err == nil {
			return nil
		}
		select {
		case <-timeoutCtx.Done():
			return err
		case <-time.After(readBackTimeout / 20):
		}
	}
}

// runLoad sends all requests concurrently, each at its share of the rate. It adds a row to the report
// for each request, and a row for the responses of the agents to mca.
func (t *test) runLoad(ctx context.Context, r *report) {
	var (
		interAgentLatencies load.InterAgentLatencies
		counter             load.Counter
		streams             []load.Stream
	)
	for _, request := range t.requests {
		if request.Path == load.Coordinate.Path {
			request = interAgentLatencies.Instrument(request)
		}
		rate := t.cfg.rate
		if request.Scenario == load.Agents {
			rate = t.cfg.agentsRate
		}
		shape := request.Shape(t.cfg.connections, rate, t.cfg.duration)
		if request.Scenario != load.WebSocket { // WebSockets have the design document's interval
			shape.Curve = t.cfg.curve
		}
		stream, end := t.client.NewStream(request, shape)
		defer end()
		stream.Counter = &counter
		streams = append(streams, stream)
	}
	var history replicaHistory
	load.ReduceGarbageCollection()
	stopWatching := t.startWatching(ctx, &counter, &history)
	results := load.RunAll(ctx, streams)
	stopWatching()
	for i, result := range results {
		r.Load = append(r.Load, newRow(streams[i], result))
	}
	if result := interAgentLatencies.Result(results[0].Elapsed); result.Sent() > 0 {
		r.Load = append(r.Load, newRow(load.Stream{Name: "between agents", Limit: load.InterAgentLimit()}, result))
	}
	r.Replicas, r.Bounds = history.replicas, history.bounds
	r.Notes = append(r.Notes, history.notes()...)
}

// startWatching shows the progress and reads the numbers of pods until the caller calls stop.
func (t *test) startWatching(ctx context.Context, counter *load.Counter, history *replicaHistory) (stop func()) {
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

// showProgress rewrites one line each second until ctx ends. Then it erases the line.
func showProgress(ctx context.Context, out io.Writer, counter *load.Counter, duration time.Duration) {
	start, lastSent := time.Now(), int64(0)
	defer fmt.Fprint(out, "\r\x1b[K") // erases the line
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticks.C:
			sent := counter.Sent.Load()
			fmt.Fprintf(out, "\r\x1b[K%s of %s: %d responses, %d/s, %d wrong", now.Sub(start).Round(time.Second), duration, sent, sent-lastSent, counter.Failed.Load())
			lastSent = sent
		}
	}
}
