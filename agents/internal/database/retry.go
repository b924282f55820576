package database

import (
	"context"
	"math/rand/v2"
	"time"
)

// idempotency is whether a statement may be executed twice.
type idempotency bool

const (
	// idempotent: a read, or a write whose key makes a second execution harmless.
	idempotent idempotency = true
	// notIdempotent: a second execution could overwrite another write in between.
	notIdempotent idempotency = false
)

const (
	// attempts bounds retries. They are for a lost connection or a deadlock,
	// not for an outage.
	attempts = 3
	// firstPause is the pause before the first retry. Each further pause is twice as
	// long. Jitter makes a pause 0.5 to 1.5 times as long.
	firstPause = 10 * time.Millisecond
)

// run executes a query. It retries a failed query if nothing was executed, or if
// the connection was lost and the query is idempotent. The timeout covers all
// tries and the wait for a connection.
func run[T any](ctx context.Context, timeout time.Duration, i idempotency, operation string, query func(context.Context) (T, error)) (result T, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	pause := firstPause
	for attempt := 1; ; attempt++ {
		result, err = query(ctx)
		safe := rolledBack(err) || notSent(err) || (i == idempotent && connectionLost(err))
		if err == nil || !safe || attempt == attempts || ctx.Err() != nil {
			return result, wrap(operation, err)
		}
		select {
		case <-ctx.Done():
			return result, wrap(operation, err)
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause *= 2
	}
}
