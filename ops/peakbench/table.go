package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/forecast"
	"github.com/progressive-framework/platform/forecast/autoscale"
	"github.com/progressive-framework/platform/forecast/backtest"
)

const step = forecast.StepSeconds * time.Second

// report prints both runs, and what the simulation makes of the loads that Prometheus measured in
// them. The forecast has the two weeks before as its history.
func (s *sandbox) report(ctx context.Context, predicted, reactive run) error {
	from := predicted.begin.Add(-historyDays * 24 * time.Hour).Truncate(step).Add(time.Hour)
	loads, err := s.loads(ctx, from, reactive.end)
	if err != nil {
		return err
	}
	service := backtest.Service{Document: document(), Target: 0.7, Floor: float64(scaling.PredictionFloor) / 100}
	trace, err := backtest.MeasuredTrace("web", from, loads, service)
	if err != nil {
		return err
	}
	index := func(at time.Time) int { return min(int(at.Sub(from)/step), len(trace.Load)) }

	ours := trace
	ours.From, ours.Load = index(predicted.begin), trace.Load[:index(predicted.end)]
	theirs := trace
	theirs.Start, theirs.From, theirs.Load = reactive.begin.Unix(), 0, trace.Load[index(reactive.begin):index(reactive.end)]

	fmt.Printf("| | requests | failed | slower than 500 ms | pods ready for the peak | pod-minutes | pod-minutes, simulated | difference |\n|---|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, row := range []struct {
		name       string
		run        run
		controller backtest.Controller
		trace      backtest.Trace
	}{{"the document's HPA", reactive, backtest.Document, theirs}, {"with the forecast", predicted, backtest.Ours, ours}} {
		ready := fmt.Sprintf("%.0f s after the rise began", row.run.ready.Seconds())
		switch {
		case row.run.never:
			ready = "never"
		case row.run.ready < 0:
			ready = fmt.Sprintf("%.0f s before the rise began", -row.run.ready.Seconds())
		}
		simulated := 60 * backtest.Simulate(row.controller, row.trace).PodHours
		fmt.Printf("| %s | %d | %d | %d | %s | %.1f | %.1f | %+.0f %% |\n", row.name, row.run.sent, row.run.failed, row.run.slow, ready,
			row.run.podMinutes, simulated, 100*(simulated/row.run.podMinutes-1))
	}
	if err := s.printForecaster(ctx, predicted); err != nil {
		return err
	}
	fmt.Println("\nPods over time, as second:wanted/ready.")
	for _, r := range []run{reactive, predicted} {
		last := replicas{}
		for _, p := range r.pods {
			if p.Wanted != last.Wanted || p.Ready != last.Ready {
				fmt.Printf("%.0f:%d/%d ", p.Second, p.Wanted, p.Ready)
			}
			last = p
		}
		fmt.Println()
	}
	return nil
}

// printForecaster prints what the forecaster needed during a run, with the platform's four services.
func (s *sandbox) printForecaster(ctx context.Context, r run) error {
	const job = `{job="forecaster"}`
	window := fmt.Sprintf("[%.0fs]", r.end.Sub(r.begin).Seconds())
	for _, figure := range []struct{ name, query string }{
		{"cores", "max(rate(process_cpu_seconds_total" + job + window + "))"},
		{"bytes of memory", "max(max_over_time(process_resident_memory_bytes" + job + window + "))"},
	} {
		values, err := s.query(ctx, figure.query, r.end, r.end, step)
		if err != nil {
			return err
		}
		fmt.Printf("\nThe forecaster: %.4g %s.", values[r.end.Unix()], figure.name)
	}
	fmt.Println()
	return nil
}

// document is the document's HPA of the main application with the bounds of this run.
func document() autoscale.Spec {
	d := backtest.MainApplication().Document
	d.Min, d.Max = minPods, maxPods
	return d
}

// loads reads the load of each step, in pods. NaN is a step without one.
func (s *sandbox) loads(ctx context.Context, from, to time.Time) (loads []float64, err error) {
	const chunk = 10_000 * step // Prometheus refuses more than 11,000 points
	for at := from; at.Before(to); at = at.Add(chunk) {
		until := at.Add(chunk - step)
		if until.After(to) {
			until = to
		}
		values, err := s.query(ctx, arrivals(), at.Add(step), until.Add(step), step)
		if err != nil {
			return nil, err
		}
		for end := at.Add(step); !end.After(until.Add(step)); end = end.Add(step) {
			load, ok := values[end.Unix()]
			if !ok {
				load = math.NaN()
			}
			loads = append(loads, load/capacity())
		}
	}
	return loads, nil
}
