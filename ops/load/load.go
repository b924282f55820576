// Package load generates load on the platform and checks every answer. It owns
// the requests of the design document's load test with their limits, the client
// that sends them, and the schedule. It owns no command line and no report.
//
// At a fixed rate (open loop) the latency of a request counts from when it was
// due, not from when a connection was free for it. A server that stalls then
// shows in every request that had to wait, as its users would see it.
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

// Timeout is how long after it was due a request may be answered; later is a
// failure. It is twenty times the longest limit of the design document.
const Timeout = 10 * time.Second

// Shape is how a stream of requests is sent.
type Shape struct {
	// Connections is how many requests may be in flight at once, 1 or more.
	Connections int
	// PerSecond is the rate. At zero each connection sends its next request when
	// it has its answer (closed loop).
	PerSecond float64
	// WarmUp is sent first and not counted; then Duration is.
	WarmUp, Duration time.Duration
}

// Stream is one kind of request at its own pace.
type Stream struct {
	Name string
	// Limit is the highest p95 allowed; zero is no limit.
	Limit time.Duration
	Shape Shape
	// Send sends request number n, from 0. Its context ends Timeout after the
	// request was due.
	Send func(ctx context.Context, n int) error
}

// Result is what a stream measured.
type Result struct {
	// Latencies of the good answers, sorted.
	Latencies []time.Duration
	// Failed is the number of failed requests by reason.
	Failed Reasons
	// Elapsed is the time that was counted: the Shape's Duration, less if the
	// load was interrupted.
	Elapsed time.Duration
}

// Sent is the number of requests that were counted.
func (r Result) Sent() int { return len(r.Latencies) + r.Failed.Total() }

// PerSecond is the rate of good answers.
func (r Result) PerSecond() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(len(r.Latencies)) / r.Elapsed.Seconds()
}

// Percentile p, 0 to 100, of the good answers, nearest rank; zero where there
// are none.
func (r Result) Percentile(p int) time.Duration {
	if len(r.Latencies) == 0 {
		return 0
	}
	return r.Latencies[max(0, (len(r.Latencies)*p+99)/100-1)]
}

// RunAll runs the streams at once and returns their results in their order.
func RunAll(ctx context.Context, streams []Stream) []Result {
	results := make([]Result, len(streams))
	var all sync.WaitGroup
	for i, s := range streams {
		all.Go(func() { results[i] = s.Run(ctx) })
	}
	all.Wait()
	return results
}

// Run sends until the Shape's time is over or ctx ends. Requests that ctx cut
// off are not counted.
func (s Stream) Run(ctx context.Context) Result {
	start := time.Now()
	counted := start.Add(s.Shape.WarmUp)
	end := counted.Add(s.Shape.Duration)
	var (
		next  atomic.Int64
		total Result
		mu    sync.Mutex
		all   sync.WaitGroup
	)
	for range s.Shape.Connections {
		all.Go(func() {
			var own Result
			for {
				n := int(next.Add(1) - 1)
				due := s.Shape.due(start, n)
				if !due.Before(end) || !sleepUntil(ctx, due) {
					break
				}
				err := s.sendBefore(ctx, due.Add(Timeout), n)
				latency := time.Since(due)
				switch {
				case ctx.Err() != nil || due.Before(counted):
				case err != nil:
					own.Failed.Add(reason(err))
				default:
					own.Latencies = append(own.Latencies, latency)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.Latencies = append(total.Latencies, own.Latencies...)
			total.Failed.merge(own.Failed)
		})
	}
	all.Wait()
	slices.Sort(total.Latencies)
	total.Elapsed = s.Shape.Duration
	if ctx.Err() != nil {
		total.Elapsed = min(s.Shape.Duration, max(0, time.Since(counted)))
	}
	return total
}

// due is when request n is to be sent. It counts from the start: a rate limiter
// that forgets what it could not send would hide a stall.
func (s Shape) due(start time.Time, n int) time.Time {
	if s.PerSecond == 0 {
		return time.Now()
	}
	return start.Add(time.Duration(float64(n) / s.PerSecond * float64(time.Second)))
}

// sleepUntil reports whether the time came before ctx ended.
func sleepUntil(ctx context.Context, due time.Time) bool {
	left := time.Until(due)
	if left <= 0 {
		return ctx.Err() == nil
	}
	wait := time.NewTimer(left)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wait.C:
		return ctx.Err() == nil
	}
}

// sendBefore sends nothing when the deadline is over: a request that waited
// behind a stall for that long has failed.
func (s Stream) sendBefore(ctx context.Context, deadline time.Time, n int) error {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Send(ctx, n)
}

// Reasons counts failures by reason. Beyond maxReasons different ones, the rest
// is counted together.
type Reasons map[string]int

const (
	maxReasons   = 20
	otherReasons = "other reasons"
)

// Add counts one failure.
func (r *Reasons) Add(reason string) { r.merge(Reasons{reason: 1}) }

// Total is the number of failures.
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

// reason is the innermost cause of an error: without what differs each time,
// such as a port.
func reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer within " + Timeout.String()
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
