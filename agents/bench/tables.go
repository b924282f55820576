package main

import (
	"cmp"
	"context"
	"fmt"
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

// measure sends one request after another. The first answer must be a real one;
// the rest is judged by its status, as the load shares the machine with what it
// measures.
func measure(ctx context.Context, e endpoint, shape load.Shape) (load.Result, error) {
	first, endFirst := e.client.Stream(e.request, load.Shape{Connections: 1})
	defer endFirst()
	if err := first.Send(ctx, 0); err != nil {
		return load.Result{}, fmt.Errorf("%s: %w", e.name, err)
	}
	e.request.Check = nil
	rest, endRest := e.client.Stream(e.request, shape)
	defer endRest()
	return load.Run(ctx, shape, rest.Send), nil
}

// saturate prints what each endpoint can do.
func saturate(ctx context.Context, endpoints []endpoint, each time.Duration) error {
	fmt.Println("| endpoint, at saturation | requests/s | to the echo | p50 | p95 | p99 | failed | goal |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|---|")
	base := 0.0
	for _, e := range endpoints {
		if e.bounded {
			continue
		}
		r, err := measure(ctx, e, load.Shape{Connections: clients, WarmUp: warmUp, Duration: each})
		if err != nil {
			return err
		}
		base = cmp.Or(base, r.PerSecond()) // the echo is the first
		goal := ""
		if e.ratio > 0 {
			goal = fmt.Sprintf("at least %.2f", e.ratio)
		}
		fmt.Printf("| %s | %.0f | %.2f | %s | %s |\n", e.name, r.PerSecond(), r.PerSecond()/base, figures(r), goal)
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
			r, err := measure(ctx, e, load.Shape{Connections: openClients, PerSecond: rate, WarmUp: warmUp, Duration: each})
			if err != nil {
				return err
			}
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
