package main

import (
	"context"
	"fmt"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/forecast"
	"github.com/progressive-framework/platform/forecast/autoscale"
	"github.com/progressive-framework/platform/forecast/backtest"
)

const step = forecast.StepSeconds * time.Second

// printTableHeader begins the table of the runs.
func printTableHeader() {
	fmt.Printf("| | requests | failed | slower than 500 ms | pods ready for the peak | pod-minutes | pod-minutes, simulated | difference |\n|---|---:|---:|---:|---:|---:|---:|---:|\n")
}

// printResult prints the result of a replay as a row. The row also has the pod-minutes of a
// simulation with the load that Prometheus measured in the replay. The history of the simulated
// forecast is the two weeks before the replay.
func (s *sandbox) printResult(ctx context.Context, controller backtest.Controller, r replayResult) error {
	from := r.begin.Truncate(step)
	if controller != backtest.Document {
		from = from.Add(-historyDays*24*time.Hour + time.Hour)
	}
	loads, err := s.readLoads(ctx, from, r.end)
	if err != nil {
		return err
	}
	trace := backtest.Trace{
		Start: from.Unix(), Load: loads, FirstEvaluated: int(r.begin.Sub(from) / step),
		Service: backtest.Service{Document: documentHPA(), Target: 0.7, Floor: float64(scaling.PredictionFloor) / 100},
	}
	simulated := 60 * backtest.Simulate(controller, trace).PodHours
	fmt.Printf("| %s | %d | %d | %d | %s | %.1f | %.1f | %+.0f %% |\n", controller, r.sent, r.failed, r.slow, r.formatReadiness(), r.podMinutes, simulated, 100*(simulated/r.podMinutes-1))
	lastPods := replicas{}
	for _, p := range r.pods {
		if p.Desired != lastPods.Desired || p.Ready != lastPods.Ready {
			logf("second %.0f: %d pods desired, %d ready", p.Second, p.Desired, p.Ready)
		}
		lastPods = p
	}
	return nil
}

// formatReadiness returns the time at which the pods for the peak were ready, as text such as
// "3 s after the rise began".
func (r replayResult) formatReadiness() string {
	switch {
	case r.neverReady:
		return "never"
	case r.readyAfterRise < 0:
		return fmt.Sprintf("%.0f s before the rise began", -r.readyAfterRise.Seconds())
	}
	return fmt.Sprintf("%.0f s after the rise began", r.readyAfterRise.Seconds())
}

// printForecasterUsage prints the CPU and the memory that the forecaster used during a replay. The
// forecaster has the four services of the platform.
func (s *sandbox) printForecasterUsage(ctx context.Context, r replayResult) error {
	const job = `{job="forecaster"}`
	window := fmt.Sprintf("[%.0fs]", r.end.Sub(r.begin).Seconds())
	for _, figure := range []struct{ name, query string }{
		{"cores", "max(rate(process_cpu_seconds_total" + job + window + "))"},
		{"bytes of memory", "max(max_over_time(process_resident_memory_bytes" + job + window + "))"},
	} {
		value, _, err := s.prometheus.QueryValue(ctx, figure.query, r.end)
		if err != nil {
			return err
		}
		fmt.Printf("\nThe forecaster: %.4g %s.", value, figure.name)
	}
	fmt.Println()
	return nil
}

// documentHPA returns the design document's HPA of the main application with the bounds of this run.
func documentHPA() autoscale.Spec {
	d := backtest.MainApplication().Document
	d.Min, d.Max = minPods, maxPods
	return d
}

// readLoads returns the load of each step in pods. A step without a value has the load of the step
// before, or 0 before the first value.
func (s *sandbox) readLoads(ctx context.Context, from, to time.Time) (loads []float64, err error) {
	first, lastLoad := from.Add(step), 0.0
	measured, err := s.prometheus.QuerySeries(ctx, arrivalsQuery(), first, to, step)
	if err != nil {
		return nil, err
	}
	for end := first; !end.After(to); end = end.Add(step) {
		if load, ok := measured[end.Unix()]; ok {
			lastLoad = load / capacity()
		}
		loads = append(loads, lastLoad)
	}
	return loads, nil
}
