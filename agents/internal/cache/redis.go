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
	errNone    = errors.New("no such key")
	errNoRedis = errors.New("there is no Redis in the configuration")
	errAway    = errors.New("redis is not connected yet")
)

const (
	// groups is how many parts of the hash slots have a breaker of their own: a
	// dead master must not cut off the others. Masters own ranges of slots.
	groups   = 64
	slots    = 16384 // Redis Cluster specification
	tripping = 5     // failures in a row that open a breaker
	cooling  = time.Second
	// redial is the pause between attempts to find the cluster.
	redial = 500 * time.Millisecond
	// flushDelay is a thousandth of REDIS_TIMEOUT's default.
	flushDelay = 100 * time.Microsecond
)

// redis is the tier that processes share. The client pipelines what is in
// flight on few connections.
type redis struct {
	cfg       Config
	deadlines deadlines
	client    atomic.Pointer[rueidis.Client]
	breakers  [groups]*gobreaker.CircuitBreaker[rueidis.RedisResult]
}

// newRedis makes the tier; ctx ends its commands.
func newRedis(ctx context.Context, cfg Config) *redis {
	r := &redis{cfg: cfg, deadlines: deadlines{base: ctx, period: cfg.Timeout}}
	for i := range r.breakers {
		r.breakers[i] = gobreaker.NewCircuitBreaker[rueidis.RedisResult](gobreaker.Settings{
			Timeout:     cooling,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripping },
			// An answer is an answer, whatever it says.
			IsSuccessful: func(err error) bool {
				_, answered := rueidis.IsRedisErr(err)
				return err == nil || answered || rueidis.IsRedisNil(err)
			},
		})
	}
	return r
}

// connect finds the cluster, however long it takes, and then lets listen run
// until ctx ends.
func (r *redis) connect(ctx context.Context, log *slog.Logger, listen func(context.Context, rueidis.Client)) {
	for first := true; ; first = false {
		client, err := rueidis.NewClient(r.options())
		if err == nil {
			r.client.Store(&client)
			listen(ctx, client)
			return
		}
		if first {
			log.WarnContext(ctx, "redis is away; values are loaded meanwhile", "addresses", r.cfg.Addresses, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(redial):
		}
	}
}

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
				return rueidis.AuthCredentials{}, fmt.Errorf("REDIS_PASSWORD_FILE: %w", err)
			}
			return rueidis.AuthCredentials{Username: r.cfg.Username, Password: strings.TrimRight(string(password), "\r\n")}, nil
		},
		// A node that says nothing at all is given up, and its connection with it.
		ConnWriteTimeout: 20 * r.cfg.Timeout,
		// What is asked for within so short a time goes out in one write. With 16
		// and more in flight that halves the processor's work, here and in Redis,
		// and answers come sooner; a few wait up to 50 µs longer at the median,
		// one alone does not wait (docs/performance.md, "The cache").
		MaxFlushDelay: flushDelay,
		// The local tier is our own, so that its values are decoded once.
		DisableCache: true,
		// What fails is a miss; trying again would only make it a slow one.
		DisableRetry:  true,
		ClusterOption: rueidis.ClusterOption{ShardsRefreshInterval: 10 * time.Second},
	}
}

// do sends one command about one key, within the timeout, through the breaker
// of its slots.
func (r *redis) do(client rueidis.Client, command rueidis.Completed) (rueidis.RedisResult, error) {
	breaker := r.breakers[int(command.Slot())%slots*groups/slots]
	return breaker.Execute(func() (rueidis.RedisResult, error) {
		result := client.Do(r.deadlines.context(), command)
		return result, result.Error()
	})
}

// ready returns the client once the cluster was found.
func (r *redis) ready() (rueidis.Client, error) {
	if client := r.client.Load(); client != nil {
		return *client, nil
	}
	if len(r.cfg.Addresses) == 0 {
		return nil, errNoRedis
	}
	return nil, errAway
}

func (r *redis) get(key string) ([]byte, error) {
	client, err := r.ready()
	if err != nil {
		return nil, err
	}
	result, err := r.do(client, client.B().Get().Key(key).Build())
	if rueidis.IsRedisNil(err) {
		return nil, errNone
	}
	if err != nil {
		return nil, err
	}
	return result.AsBytes()
}

func (r *redis) set(key string, text []byte, ttl time.Duration) error {
	client, err := r.ready()
	if err != nil {
		return err
	}
	_, err = r.do(client, client.B().Set().Key(key).Value(rueidis.BinaryString(text)).Px(ttl).Build())
	return err
}

func (r *redis) delete(key string) error {
	client, err := r.ready()
	if err != nil {
		return unlessNone(err)
	}
	_, err = r.do(client, client.B().Unlink().Key(key).Build())
	return err
}

// unlessNone: nothing need be told to a Redis that was never configured.
func unlessNone(err error) error {
	if errors.Is(err, errNoRedis) {
		return nil
	}
	return err
}

// deletePrefix walks every master. It is for the seldom events that end a
// whole family of values.
func (r *redis) deletePrefix(ctx context.Context, prefix string) error {
	client, err := r.ready()
	if err != nil {
		return unlessNone(err)
	}
	var errs []error
	for _, node := range client.Nodes() {
		errs = append(errs, deleteOn(ctx, node, glob.Replace(prefix)+"*"))
	}
	return errors.Join(errs...)
}

var glob = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

func deleteOn(ctx context.Context, node rueidis.Client, pattern string) error {
	for cursor := uint64(0); ; {
		page, err := node.Do(ctx, node.B().Scan().Cursor(cursor).Match(pattern).Count(1000).Build()).AsScanEntry()
		if err != nil {
			return fmt.Errorf("scan for %s: %w", pattern, err)
		}
		commands := make(rueidis.Commands, len(page.Elements))
		for i, key := range page.Elements {
			commands[i] = node.B().Unlink().Key(key).Build() // one each: they lie in different slots
		}
		for _, result := range node.DoMulti(ctx, commands...) {
			// A replica refuses; its master does the work.
			if err := result.Error(); err != nil && !strings.HasPrefix(err.Error(), "MOVED") {
				return fmt.Errorf("unlink %s: %w", pattern, err)
			}
		}
		if cursor = page.Cursor; cursor == 0 {
			return nil
		}
	}
}

// open reports whether any part of the slots is cut off.
func (r *redis) open() bool {
	for _, breaker := range r.breakers {
		if breaker.State() != gobreaker.StateClosed {
			return true
		}
	}
	return false
}

func (r *redis) close() {
	if client := r.client.Load(); client != nil {
		(*client).Close()
	}
}
