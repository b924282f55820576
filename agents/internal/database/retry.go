package database

import (
	"context"
	"math/rand/v2"
	"time"
)

// idempotency is whether a statement may be executed twice.
type idempotency bool

const (
	// idempotent: a read, or a write with a key that makes a second execution harmless.
	idempotent idempotency = true
	// notIdempotent: a second execution could overwrite another write in between.
	notIdempotent idempotency = false
)

const (
	// maxAttempts is the maximum number of executions of one query. Retries are for
	// a lost connection or a deadlock, not for an outage.
	maxAttempts = 3
	// firstPause is the pause before the first retry. Each further pause is twice as
	// long. Each pause is multiplied by a random factor from 0.5 to 1.5.
	firstPause = 10 * time.Millisecond
)

// runWithRetries executes a query. It retries a failed query if nothing was executed, or if
// the connection was lost and the query is idempotent. The timeout limits all attempts
// together, including the wait for a connection.
func runWithRetries[T any](ctx context.Context, timeout time.Duration, i idempotency, operation string, query func(context.Context) (T, error)) (result T, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	pause := firstPause
	for attempt := 1; ; attempt++ {
		result, err = query(ctx)
		mayRetry := isRolledBack(err) || isNotSent(err) || (i == idempotent && isConnectionLost(err))
		if err == nil || !mayRetry || attempt == maxAttempts || ctx.Err() != nil {
			return result, wrapError(operation, err)
		}
		select {
		case <-ctx.Done():
			return result, wrapError(operation, err)
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause *= 2
	}
}
