package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// goals has the goals of p50 and p95 by service. The goals of web and mca include the scale-up
// windows of the design document, 60 s and 30 s. 0 means no goal.
var goals = map[string]struct{ p50, p95 time.Duration }{
	"web": {80 * time.Second, 0},
	"mca": {50 * time.Second, 0},
	"npa": {20 * time.Second, 30 * time.Second},
	"wpa": {20 * time.Second, 30 * time.Second},
}

// writeTable writes the table of docs/performance.md. The columns metric, decision, schedule and start
// have the medians of the durations of these stages.
func writeTable(out io.Writer, results []result, steadyDuration time.Duration) {
	fmt.Fprintln(out, "| service | runs | metric | decision | schedule | start | step to ready pod, p50 | p95 | goal p50, p95 | scaling events per steady hour | requests | failed |")
	fmt.Fprintln(out, "|---|---:|---:|---:|---:|---:|---:|---:|---|---:|---:|---:|")
	for _, r := range results {
		median := func(duration func(stepTimes) time.Duration) time.Duration {
			var durations []time.Duration
			for _, t := range r.steps {
				durations = append(durations, duration(t))
			}
			return percentile(durations, 50)
		}
		var total []time.Duration
		for _, t := range r.steps {
			total = append(total, t.start)
		}
		events := "–"
		if r.changesCounted {
			events = fmt.Sprintf("%.0f", float64(r.changes)*float64(time.Hour)/float64(steadyDuration))
		}
		fmt.Fprintf(out, "| %s | %d | %s | %s | %s | %s | %s | %s | %s, %s | %s | %d | %d |\n", r.service, len(r.steps),
			formatSeconds(median(func(t stepTimes) time.Duration { return t.metric })),
			formatSeconds(median(func(t stepTimes) time.Duration { return t.decision - t.metric })),
			formatSeconds(median(func(t stepTimes) time.Duration { return t.schedule - t.decision })),
			formatSeconds(median(func(t stepTimes) time.Duration { return t.start - t.schedule })),
			formatSeconds(percentile(total, 50)), formatSeconds(percentile(total, 95)), formatGoal(goals[r.service].p50), formatGoal(goals[r.service].p95),
			events, r.sent, r.failed)
	}
}

// formatGoal returns a goal as text. It returns a dash for 0, which means no goal.
func formatGoal(goal time.Duration) string {
	if goal != 0 {
		return formatSeconds(goal)
	}
	return "–"
}

// formatSeconds returns a duration as text in seconds.
func formatSeconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// percentile returns percentile p by nearest rank. It returns 0 for an empty list.
func percentile(durations []time.Duration, p int) time.Duration {
	if len(durations) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}
