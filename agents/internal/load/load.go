// Package load sends at a fixed rate, or as fast as it is answered, and says
// how long that took and what failed. It owns the schedule and the counting;
// what is sent, and whether the answer is good, is its caller's.
//
// At a fixed rate (open loop) a request's time counts from when it was due, not
// from when a connection was free for it: a server that stalls is then seen in
// every request that had to wait, as its users would see it.
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

// Timeout is how long after it was due a request may be answered; longer is a
// failure. It is twenty times the longest of the seed's limits.
const Timeout = 10 * time.Second

// Shape is how a load is sent.
type Shape struct {
	// Connections is how many requests may be under way at once, 1 or more.
	Connections int
	// PerSecond is the rate; at zero each connection sends its next request when
	// it has its answer (closed loop).
	PerSecond float64
	// WarmUp is sent first and not counted; then Duration is.
	WarmUp, Duration time.Duration
}

// Result is what came of a load.
type Result struct {
	// Took is how long each good answer took, sorted.
	Took []time.Duration
	// Failed is how many requests failed, by reason.
	Failed Reasons
	// Over is the time that was counted: the Shape's Duration, less if the load
	// was interrupted.
	Over time.Duration
}

// Sent is how many requests were counted.
func (r Result) Sent() int { return len(r.Took) + r.Failed.Total() }

// PerSecond is the rate of good answers.
func (r Result) PerSecond() float64 {
	if r.Over <= 0 {
		return 0
	}
	return float64(len(r.Took)) / r.Over.Seconds()
}

// Percentile of the good answers, nearest rank; zero where there are none.
func (r Result) Percentile(p int) time.Duration {
	if len(r.Took) == 0 {
		return 0
	}
	return r.Took[max(0, (len(r.Took)*p+99)/100-1)]
}

// Run sends until the Shape's time is over or ctx ends, and returns what came
// of it. send gets the number of the request, from 0, and a context that ends
// Timeout after the request was due. Requests that ctx cut off are not counted.
func Run(ctx context.Context, shape Shape, send func(ctx context.Context, n int) error) Result {
	start := time.Now()
	counted, end := start.Add(shape.WarmUp), start.Add(shape.WarmUp+shape.Duration)
	var (
		next  atomic.Int64
		total Result
		mu    sync.Mutex
		all   sync.WaitGroup
	)
	for range shape.Connections {
		all.Go(func() {
			var own Result
			for {
				n := int(next.Add(1) - 1)
				due := shape.due(start, n)
				if !due.Before(end) || !sleepUntil(ctx, due) {
					break
				}
				err := sendBy(ctx, due.Add(Timeout), n, send)
				took := time.Since(due)
				switch {
				case ctx.Err() != nil || due.Before(counted):
				case err != nil:
					own.Failed.Add(reason(err))
				default:
					own.Took = append(own.Took, took)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.Took = append(total.Took, own.Took...)
			total.Failed.merge(own.Failed)
		})
	}
	all.Wait()
	slices.Sort(total.Took)
	total.Over = shape.Duration
	if ctx.Err() != nil {
		total.Over = min(shape.Duration, max(0, time.Since(counted)))
	}
	return total
}

// due is when request n is to be sent. It is counted from the start, as a
// limiter that forgets what it could not send would hide a stall.
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

// sendBy sends nothing when the time is already over: what waited behind a stall
// has failed by then.
func sendBy(ctx context.Context, deadline time.Time, n int, send func(context.Context, int) error) error {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	return send(ctx, n)
}

// Reasons counts failures by their reason, of which maxReasons are told apart.
type Reasons map[string]int

const (
	maxReasons   = 20
	otherReasons = "other reasons"
)

// Add counts one failure.
func (r *Reasons) Add(reason string) { r.merge(Reasons{reason: 1}) }

// Total is how many failures there were.
func (r Reasons) Total() (total int) {
	for _, count := range r {
		total += count
	}
	return total
}

// String names each with its count, the same way each time.
func (r Reasons) String() string {
	var words []string
	for _, reason := range slices.Sorted(maps.Keys(r)) {
		words = append(words, fmt.Sprintf("%d times: %s", r[reason], reason))
	}
	return strings.Join(words, "; ")
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

// reason is an error without what differs each time, such as a port: its
// innermost cause.
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
