// Package load generates load on the platform and checks every response. It owns the requests of
// the design document's load test with their limits, the client, and the schedule. Command loadtest
// owns the command line and the report.
//
// At a fixed rate (open loop), the latency of a request begins when the request was due. So a stall
// of the server increases the latency of every request that had to wait, as it does for users.
package load

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Timeout is the longest time between the due time of a request and the response. It is twenty
// times the longest limit of the design document.
const Timeout = 10 * time.Second

// Shape describes how a stream sends its requests.
type Shape struct {
	// Connections is the number of concurrent requests, at least 1.
	Connections int
	// PerSecond is the highest rate. Zero means that each connection sends its
	// next request after the response (closed loop).
	PerSecond float64
	// Curve is the rate over time, as a share of PerSecond. The zero value is a
	// constant rate.
	Curve Curve
	// WarmUp is the time at the start in which requests are sent but not counted. Duration is the
	// counted time after WarmUp.
	WarmUp, Duration time.Duration
}

// Stream sends one kind of request at its own rate.
type Stream struct {
	Name string
	// Limit is the highest allowed p95. Zero means no limit.
	Limit time.Duration
	Shape Shape
	// Send sends request number n, counted from 0. ctx ends when Timeout has passed since the due
	// time of the request.
	Send func(ctx context.Context, n int) error
	// Counter, if set, counts the responses while the stream runs.
	Counter *Counter
}

// Result has the latencies and failures of a stream.
type Result struct {
	// Latencies of the correct responses, sorted.
	Latencies []time.Duration
	// Failed is the number of failed requests by reason.
	Failed Reasons
	// Elapsed is the counted time. It is the Shape's Duration, or less after an interruption.
	Elapsed time.Duration
	// Seconds are the results by the second in which the request was due.
	Seconds []Second
}

// Second is the result of the requests that were due in one second.
type Second struct {
	// Latencies of the correct responses, sorted.
	Latencies []time.Duration
	Failed    int
}

// add adds the result of one request. due is the due time of the request since the start.
func (r *Result) add(due time.Duration, latency time.Duration, err error) {
	for int(due/time.Second) >= len(r.Seconds) {
		r.Seconds = append(r.Seconds, Second{})
	}
	second := &r.Seconds[due/time.Second]
	if err != nil {
		r.Failed.Add(failureReason(err))
		second.Failed++
		return
	}
	second.Latencies = append(second.Latencies, latency)
}

// merge adds the results of another connection.
func (r *Result) merge(more Result) {
	r.Failed.merge(more.Failed)
	for i, second := range more.Seconds {
		if i == len(r.Seconds) {
			r.Seconds = append(r.Seconds, Second{})
		}
		r.Seconds[i].Latencies = append(r.Seconds[i].Latencies, second.Latencies...)
		r.Seconds[i].Failed += second.Failed
	}
}

// collectLatencies sets Latencies to the sorted latencies of all seconds.
func (r *Result) collectLatencies() {
	for _, second := range r.Seconds {
		slices.Sort(second.Latencies)
		r.Latencies = append(r.Latencies, second.Latencies...)
	}
	slices.Sort(r.Latencies)
}

// Counter counts the finished requests while a load runs: all of them in Sent, and the failed ones in
// Failed. It is safe for concurrent use.
type Counter struct{ Sent, Failed atomic.Int64 }

// count counts one finished request. A nil Counter counts nothing.
func (c *Counter) count(err error) {
	if c == nil {
		return
	}
	c.Sent.Add(1)
	if err != nil {
		c.Failed.Add(1)
	}
}

// Sent returns the number of counted requests.
func (r Result) Sent() int { return len(r.Latencies) + r.Failed.Total() }

// PerSecond returns the rate of correct responses. It is zero if no time has elapsed.
func (r Result) PerSecond() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(len(r.Latencies)) / r.Elapsed.Seconds()
}

// Percentile returns percentile p, 0 to 100, of the correct responses' latencies
// by nearest rank. It is zero without a correct response.
func (r Result) Percentile(p int) time.Duration { return percentile(r.Latencies, p) }

// CountSlower returns the number of correct responses that took longer than a limit.
func (r Result) CountSlower(limit time.Duration) int {
	within, _ := slices.BinarySearch(r.Latencies, limit+1)
	return len(r.Latencies) - within
}

// Percentile returns percentile p of the latencies of the correct responses in this second.
func (s Second) Percentile(p int) time.Duration { return percentile(s.Latencies, p) }

// percentile returns percentile p of sorted latencies by nearest rank, or zero for an empty list.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

// RunAll runs the streams concurrently and returns their results in order.
func RunAll(ctx context.Context, streams []Stream) []Result {
	results := make([]Result, len(streams))
	var wg sync.WaitGroup
	for i, s := range streams {
		wg.Go(func() { results[i] = s.Run(ctx) })
	}
	wg.Wait()
	return results
}

// Run sends requests until the time of the Shape is over or ctx ends. It does not count requests that
// the end of ctx canceled.
func (s Stream) Run(ctx context.Context) Result {
	start := time.Now()
	countFrom := start.Add(s.Shape.WarmUp)
	end := countFrom.Add(s.Shape.Duration)
	var (
		next  atomic.Int64
		total Result
		mu    sync.Mutex
		wg    sync.WaitGroup
	)
	schedule := newSchedule(s.Shape)
	for range s.Shape.Connections {
		wg.Go(func() {
			var connectionResult Result
			for {
				n := int(next.Add(1) - 1)
				due := schedule.dueTime(start, n)
				if !due.Before(end) || !sleepUntil(ctx, due) {
					break
				}
				err := s.sendWithDeadline(ctx, due.Add(Timeout), n)
				latency := time.Since(due)
				if ctx.Err() == nil && !due.Before(countFrom) {
					s.Counter.count(err)
					connectionResult.add(due.Sub(countFrom), latency, err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.merge(connectionResult)
		})
	}
	wg.Wait()
	total.collectLatencies()
	total.Elapsed = s.Shape.Duration
	if ctx.Err() != nil {
		total.Elapsed = min(s.Shape.Duration, max(0, time.Since(countFrom)))
	}
	return total
}

// sleepUntil waits until due. It returns false if ctx ends before that.
func sleepUntil(ctx context.Context, due time.Time) bool {
	remaining := time.Until(due)
	if remaining <= 0 {
		return ctx.Err() == nil
	}
	wait := time.NewTimer(remaining)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wait.C:
		return ctx.Err() == nil
	}
}

// sendWithDeadline sends request n with a deadline. Slow earlier requests may delay request n until
// after the deadline. Then it sends nothing and returns an error.
func (s Stream) sendWithDeadline(ctx context.Context, deadline time.Time, n int) error {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Send(ctx, n)
}

// Reasons has the number of failures by their reason. It keeps maxReasons reasons, and counts all
// further reasons as otherReasons.
type Reasons map[string]int

const (
	maxReasons   = 20
	otherReasons = "other reasons"
)

// Add counts one failure.
func (r *Reasons) Add(reason string) { r.merge(Reasons{reason: 1}) }

// Total returns the number of failures.
func (r Reasons) Total() (total int) {
	for _, count := range r {
		total += count
	}
	return total
}

// String lists each reason with its count, in alphabetical order.
func (r Reasons) String() string {
	var lines []string
	for _, reason := range slices.Sorted(maps.Keys(r)) {
		lines = append(lines, fmt.Sprintf("%d times: %s", r[reason], reason))
	}
	return strings.Join(lines, "; ")
}

// merge adds the counts of more.
func (r *Reasons) merge(more Reasons) {
	if *r == nil && len(more) > 0 {
		*r = Reasons{}
	}
	for reason, count := range more {
		if _, known := (*r)[reason]; !known && len(*r) >= maxReasons {
			reason = otherReasons
		}
		(*r)[reason] += count
	}
}

// failureReason returns the text of the innermost error. That text has no details that differ
// between requests, such as a port.
func failureReason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no response within " + Timeout.String()
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
