package database

import (
	"context"
	"math/rand/v2"
	"time"
)

// effect says what doing a statement twice would do.
type effect bool

const (
	// repeatable: a read, or a write that its own key makes harmless to repeat.
	repeatable effect = true
	// once: repeating it could undo what another has written in between.
	once effect = false
)

const (
	// attempts bounds retries: they are for a lost connection or a deadlock,
	// not for an outage.
	attempts = 3
	// firstPause is doubled at each retry, with jitter.
	firstPause = 10 * time.Millisecond
)

// run does one query and repeats it where that is safe: always when nothing
// was done, and when the connection broke amid a repeatable one. All of it, the
// wait for a connection included, ends at the limit.
func run[T any](ctx context.Context, limit time.Duration, e effect, doing string, query func(context.Context) (T, error)) (result T, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	pause := firstPause
	for attempt := 1; ; attempt++ {
		result, err = query(ctx)
		safe := rolledBack(err) || notSent(err) || (e == repeatable && broken(err))
		if err == nil || !safe || attempt == attempts || ctx.Err() != nil {
			return result, wrap(doing, err)
		}
		select {
		case <-ctx.Done():
			return result, wrap(doing, err)
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause *= 2
	}
}
