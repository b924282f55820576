package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/progressive-framework/platform/agents/internal/load"
	"github.com/progressive-framework/platform/agents/internal/load/traffic"
)

const (
	// clients is how many connections send at once at saturation.
	clients = 16
	// openClients is how many may at a fixed rate: enough that no request waits
	// for a client, and that a WebSocket keeps to its ten messages a second.
	openClients = 200
	// warmUp precedes each measurement and is not counted.
	warmUp = time.Second
)

// rates are the fixed ones in requests per second; an endpoint gets its share.
var rates = []float64{100, 1000}

// first sends one request, whose answer must be a real one, and returns it;
// those that follow are judged by their status, as the load shares the machine
// with what it measures.
func first(ctx context.Context, e endpoint) (answer []byte, err error) {
	request, check := e.request, e.request.Check
	request.Check = func(user string, body []byte) error {
		answer = body
		if check == nil {
			return nil
		}
		return check(user, body)
	}
	stream, end := e.client.Stream(request, load.Shape{Connections: 1})
	defer end()
	if err := stream.Send(ctx, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", e.name, err)
	}
	return answer, nil
}

// measure sends at saturation to an endpoint whose process has a core of its
// own, and says how much of it that had.
func (c *cores) measure(ctx context.Context, e endpoint, each time.Duration) (r load.Result, used float64, err error) {
	if err := c.alone(e.process.PID); err != nil {
		return r, 0, err
	}
	send, end, err := e.client.Wires(e.request, clients)
	if err != nil {
		return r, 0, err
	}
	defer end()
	before := c.used(e.process.PID)
	r = load.Run(ctx, load.Shape{Connections: clients, WarmUp: warmUp, Duration: each}, send)
	return r, (c.used(e.process.PID) - before) / (warmUp + each).Seconds(), ctx.Err()
}

// saturation is what an endpoint reached: beside the echo, which takes and gives
// 40 bytes and to which the goals are compared, and, to tell what the size of an
// answer costs from what the service does, beside an echo of what it answers.
type saturation struct {
	result               load.Result
	used, toSmall, toOwn float64
}

// rounds is how often what has a goal is measured: the machine is not as fast
// at all times, so each round has its own echoes and the median counts.
const rounds = 7

func (c *cores) saturation(ctx context.Context, echo, e endpoint, answer []byte, each time.Duration) (s saturation, err error) {
	small, _, err := c.measure(ctx, echo, each)
	if err != nil {
		return s, err
	}
	if s.result, s.used, err = c.measure(ctx, e, each); err != nil {
		return s, err
	}
	s.toSmall = s.result.PerSecond() / small.PerSecond()
	if e.ratio == 0 {
		return s, nil
	}
	echo.request.Body = func(string, int) any { return json.RawMessage(answer) }
	own, _, err := c.measure(ctx, echo, each)
	s.toOwn = s.result.PerSecond() / own.PerSecond()
	return s, err
}

// saturate prints what each endpoint's process can do on a core of its own.
// Where a process had not all of its core, what it waited for was the limit.
func saturate(ctx context.Context, endpoints []endpoint, each time.Duration) (err error) {
	cores, err := newCores()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cores.together()) }()
	fmt.Println("| endpoint, at saturation | requests/s | of its core | to the echo | to an echo of its answer | p50 | p95 | p99 | failed | goal |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|")
	for _, e := range endpoints {
		if e.bounded {
			continue
		}
		answer, err := first(ctx, e)
		if err != nil {
			return err
		}
		own, goal, read := "", "", make([]saturation, 1)
		if e.ratio > 0 {
			read = make([]saturation, rounds)
		}
		for i := range read {
			if read[i], err = cores.saturation(ctx, endpoints[0], e, answer, each); err != nil {
				return err
			}
		}
		slices.SortFunc(read, func(a, b saturation) int { return cmp.Compare(a.toSmall, b.toSmall) })
		s := read[len(read)/2]
		if e.ratio > 0 {
			own, goal = fmt.Sprintf("%.2f", s.toOwn), fmt.Sprintf("at least %.2f", e.ratio)
			if s.toSmall < e.ratio {
				goal += ": missed"
			}
		}
		fmt.Printf("| %s | %.0f | %.0f %% | %.2f | %s | %s | %s |\n", e.name, s.result.PerSecond(), 100*s.used, s.toSmall, own, figures(s.result), goal)
	}
	return nil
}

// atRates prints how long each endpoint takes at fixed rates.
func atRates(ctx context.Context, endpoints []endpoint, each time.Duration) error {
	fmt.Println("| endpoint, at a fixed rate | requests/s | p50 | p95 | p99 | failed | goal of the p95 |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---|")
	for _, e := range endpoints {
		for _, rate := range rates {
			rate *= e.share
			if _, err := first(ctx, e); err != nil {
				return err
			}
			shape := load.Shape{Connections: openClients, PerSecond: rate, WarmUp: warmUp, Duration: each}
			request := e.request
			request.Check = nil
			stream, end := e.client.Stream(request, shape)
			r := load.Run(ctx, shape, stream.Send)
			end()
			goal := ""
			if e.p95 > 0 {
				goal = "under " + e.p95.String()
			}
			fmt.Printf("| %s | %.0f | %s | %s |\n", e.name, rate, figures(r), goal)
		}
	}
	return nil
}

// perAgent is how many coordinations, plans and workouts a second are asked for
// beside the web app's load, each of which is worked out anew.
const perAgent = 5

// documentsLoad prints the document's limits while the web app gets the most
// requests that it is to take, and the agents work; all through web.
func (w *world) documentsLoad(ctx context.Context, each time.Duration) error {
	fmt.Printf("| with %d requests/s on the web app | requests/s | p50 | p95 | p99 | failed | the document's limit |\n", traffic.MaxPerSecond)
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|")
	var (
		client  = w.client(w.Web)
		between traffic.Between
		streams []load.Stream
	)
	for _, r := range []traffic.Request{
		traffic.Health, traffic.Profile, traffic.Preferences, traffic.Socket, between.Watch(freshWeek), freshPlan, freshGenerate,
	} {
		shape := r.Shape(openClients, traffic.MaxPerSecond, each)
		shape.WarmUp = warmUp
		if r.Part == traffic.Agents {
			shape.PerSecond = perAgent
		}
		stream, end := client.Stream(r, shape)
		defer end()
		streams = append(streams, stream)
	}
	results := load.RunAll(ctx, streams)
	streams = append(streams, load.Stream{Name: "between agents", Limit: traffic.BetweenAgentsLimit})
	for i, r := range append(results, between.Result(each)) {
		fmt.Printf("| %s | %.0f | %s | %s |\n", streams[i].Name, r.PerSecond(), figures(r), streams[i].Limit)
	}
	return nil
}

// figures are the columns p50, p95, p99 and failed.
func figures(r load.Result) string {
	round := func(p int) time.Duration { return r.Percentile(p).Round(10 * time.Microsecond) }
	failed := "0"
	if len(r.Failed) > 0 {
		failed = r.Failed.String()
	}
	return fmt.Sprintf("%s | %s | %s | %s", round(50), round(95), round(99), failed)
}
