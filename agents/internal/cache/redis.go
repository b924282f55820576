package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
	"github.com/sony/gobreaker/v2"
)

var (
	errNotFound     = errors.New("no such key")
	errNoRedis      = errors.New("no Redis configured: REDIS_ADDRESSES is empty")
	errNotConnected = errors.New("redis is not connected yet")
)

const (
	// breakerCount is the number of circuit breakers. Each is for one range of hash
	// slots, because a primary owns ranges of slots. So the breakers of a dead primary
	// do not block commands to the other primaries.
	breakerCount = 64
	slotCount    = 16384       // Redis Cluster specification
	tripAfter    = 5           // consecutive failures that open a breaker
	openFor      = time.Second // after this time, an open breaker lets one command through
	// connectDelay is the pause between attempts to connect to the cluster.
	connectDelay = 500 * time.Millisecond
	// flushDelay is the time in which the client collects commands for one write. It is
	// a thousandth of the default of REDIS_TIMEOUT.
	flushDelay = 100 * time.Microsecond
)

// redis is the tier that all processes share. The client pipelines concurrent
// commands on few connections.
type redis struct {
	cfg       Config
	deadlines deadlines
	client    atomic.Pointer[rueidis.Client]
	breakers  [breakerCount]*gobreaker.CircuitBreaker[rueidis.RedisResult]
}

// newRedis creates the Redis tier. The end of ctx cancels its commands.
func newRedis(ctx context.Context, cfg Config) *redis {
	r := &redis{cfg: cfg, deadlines: deadlines{parent: ctx, period: cfg.Timeout}}
	for i := range r.breakers {
		r.breakers[i] = gobreaker.NewCircuitBreaker[rueidis.RedisResult](gobreaker.Settings{
			Timeout:     openFor,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
			// An error reply still shows that Redis is reachable.
			IsSuccessful: func(err error) bool {
				_, replied := rueidis.IsRedisErr(err)
				return err == nil || replied || rueidis.IsRedisNil(err)
			},
		})
	}
	return r
}

// connect tries to connect until the cluster is reachable. It then runs subscribe until
// ctx ends.
func (r *redis) connect(ctx context.Context, log *slog.Logger, subscribe func(context.Context, rueidis.Client)) {
	for first := true; ; first = false {
		client, err := rueidis.NewClient(r.options())
		if err == nil {
			r.client.Store(&client)
			subscribe(ctx, client)
			return
		}
		if first {
			log.WarnContext(ctx, "Redis is unreachable; continuing without it", "addresses", r.cfg.Addresses, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(connectDelay):
		}
	}
}

// options returns the client's configuration.
func (r *redis) options() rueidis.ClientOption {
	return rueidis.ClientOption{
		InitAddress: r.cfg.Addresses,
		TLSConfig:   r.cfg.TLS,
		Dialer:      net.Dialer{Timeout: 10 * r.cfg.Timeout, KeepAlive: 15 * time.Second},
		AuthCredentialsFn: func(rueidis.AuthCredentialsContext) (rueidis.AuthCredentials, error) {
			if r.cfg.PasswordFile == "" {
				return rueidis.AuthCredentials{}, nil
			}
			password, err := os.ReadFile(r.cfg.PasswordFile)
			if err != nil {
				return rueidis.AuthCredentials{}, fmt.Errorf("read REDIS_PASSWORD_FILE: %w", err)
			}
			return rueidis.AuthCredentials{Username: r.cfg.Username, Password: strings.TrimRight(string(password), "\r\n")}, nil
		},
		// The client closes the connection of a node that does not respond.
		ConnWriteTimeout: 20 * r.cfg.Timeout,
		// With 16 commands or more in flight, one write for several commands halves the
		// CPU time here and in Redis. The responses are also faster. With a few commands
		// in flight, each waits up to 50 µs longer at the median. A single command does
		// not wait (docs/performance.md, "The cache").
		MaxFlushDelay: flushDelay,
		// The Cache has its own local tier, which stores decoded values.
		DisableCache: true,
		// A failed command is a miss. A retry would only make the miss slower.
		DisableRetry:  true,
		ClusterOption: rueidis.ClusterOption{ShardsRefreshInterval: 10 * time.Second},
	}
}

// do sends one command for one key, through the circuit breaker of the key's slot. The
// command has the time limit of deadlines.
func (r *redis) do(client rueidis.Client, command rueidis.Completed) (rueidis.RedisResult, error) {
	// A breaker is for slotCount/breakerCount consecutive slots.
	slot := int(command.Slot()) % slotCount
	breaker := r.breakers[slot*breakerCount/slotCount]
	return breaker.Execute(func() (rueidis.RedisResult, error) {
		result := client.Do(r.deadlines.context(), command)
		return result, result.Error()
	})
}

// connectedClient returns the client. If there is no client, the error is
// errNoRedis or errNotConnected.
func (r *redis) connectedClient() (rueidis.Client, error) {
	if client := r.client.Load(); client != nil {
		return *client, nil
	}
	if len(r.cfg.Addresses) == 0 {
		return nil, errNoRedis
	}
	return nil, errNotConnected
}

// get returns the value of a key, or errNotFound.
func (r *redis) get(key string) ([]byte, error) {
	client, err := r.connectedClient()
	if err != nil {
		return nil, err
	}
	result, err := r.do(client, client.B().Get().Key(key).Build())
	if rueidis.IsRedisNil(err) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, err
	}
	return result.AsBytes()
}

// set stores a value that Redis deletes after the TTL.
func (r *redis) set(key string, data []byte, ttl time.Duration) error {
	client, err := r.connectedClient()
	if err != nil {
		return err
	}
	_, err = r.do(client, client.B().Set().Key(key).Value(rueidis.BinaryString(data)).Px(ttl).Build())
	return err
}

// delete deletes a key. An absent key is not an error.
func (r *redis) delete(key string) error {
	client, err := r.connectedClient()
	if err != nil {
		return ignoreNoRedis(err)
	}
	_, err = r.do(client, client.B().Unlink().Key(key).Build())
	return err
}

// ignoreNoRedis returns nil for errNoRedis, because without Redis there is nothing to
// invalidate.
func ignoreNoRedis(err error) error {
	if errors.Is(err, errNoRedis) {
		return nil
	}
	return err
}

// deletePrefix deletes all keys with the prefix. It scans the keys of every node, so it
// is only for the rare events that invalidate a whole namespace.
func (r *redis) deletePrefix(ctx context.Context, prefix string) error {
	client, err := r.connectedClient()
	if err != nil {
		return ignoreNoRedis(err)
	}
	var errs []error
	for _, node := range client.Nodes() {
		errs = append(errs, deleteMatching(ctx, node, globEscaper.Replace(prefix)+"*"))
	}
	return errors.Join(errs...)
}

// globEscaper escapes the special characters of Redis' glob patterns.
var globEscaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// deleteMatching deletes the keys of one node that match a pattern.
func deleteMatching(ctx context.Context, node rueidis.Client, pattern string) error {
	cursor := uint64(0)
	for {
		page, err := node.Do(ctx, node.B().Scan().Cursor(cursor).Match(pattern).Count(1000).Build()).AsScanEntry()
		if err != nil {
			return fmt.Errorf("scan for the keys that match %s: %w", pattern, err)
		}
		commands := make(rueidis.Commands, len(page.Elements))
		for i, key := range page.Elements {
			commands[i] = node.B().Unlink().Key(key).Build() // one command each, because the keys are in different slots
		}
		for _, result := range node.DoMulti(ctx, commands...) {
			// A replica responds MOVED; its primary deletes the key.
			if err := result.Error(); err != nil && !strings.HasPrefix(err.Error(), "MOVED") {
				return fmt.Errorf("unlink the keys that match %s: %w", pattern, err)
			}
		}
		cursor = page.Cursor
		if cursor == 0 {
			return nil // the scan is complete
		}
	}
}

// anyBreakerOpen reports whether any breaker is open or half-open.
func (r *redis) anyBreakerOpen() bool {
	for _, breaker := range r.breakers {
		if breaker.State() != gobreaker.StateClosed {
			return true
		}
	}
	return false
}

// close closes the client, if there is one.
func (r *redis) close() {
	if client := r.client.Load(); client != nil {
		(*client).Close()
	}
}
