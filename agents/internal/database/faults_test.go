package database

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// started returns a server of this test's own, to be mistreated.
func started(t *testing.T, settings map[string]string) *testservers.Postgres {
	t.Helper()
	own, err := testservers.StartPostgres(t.Context(), settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, own.Close()) })
	return own
}

// TestRestart kills the server under writers: no write that was acknowledged
// is lost, every failure says that the database is away, and the same store
// goes on when the server is back.
func TestRestart(t *testing.T) {
	const writers, mostEach = 4, 20_000
	own := started(t, nil)
	s := open(t, own)
	var (
		all          sync.WaitGroup
		mu           sync.Mutex
		acknowledged []uuid.UUID
		saved        atomic.Int64
		failed       atomic.Int64
		back         = make(chan struct{})
	)
	for range writers {
		all.Go(func() {
			for rest, n := 50, 0; rest > 0 && n < mostEach; n++ {
				id := uuid.Must(uuid.NewV7())
				err := s.SavePlan(t.Context(), Workout, id, "u", json.RawMessage(`{}`))
				switch {
				case err == nil:
					saved.Add(1)
					mu.Lock()
					acknowledged = append(acknowledged, id)
					mu.Unlock()
				case errors.Is(err, ErrUnavailable):
					failed.Add(1)
				default:
					t.Errorf("not told as unavailable: %v", err)
				}
				select {
				case <-back:
					rest--
				default:
				}
			}
		})
	}
	require.Eventually(t, func() bool { return saved.Load() > 100 }, testservers.StartTimeout, time.Millisecond)
	require.NoError(t, own.Stop())
	require.Eventually(t, func() bool { return failed.Load() >= writers }, testservers.StartTimeout, time.Millisecond)
	require.ErrorIs(t, s.Ping(t.Context()), ErrUnavailable)
	require.NoError(t, own.Start(t.Context()))
	require.NoError(t, s.Ping(t.Context()))
	close(back)
	all.Wait()

	found := map[uuid.UUID]bool{}
	plans, err := s.RecentPlans(t.Context(), Workout, "u", 1_000_000)
	require.NoError(t, err)
	for _, plan := range plans {
		found[plan.ID] = true
	}
	lost := 0
	for _, id := range acknowledged {
		if !found[id] {
			lost++
		}
	}
	require.Zero(t, lost)
	t.Logf("%d writes acknowledged, 0 lost; %d refused while the server was away", len(acknowledged), failed.Load())
}

func TestNoFreeConnection(t *testing.T) {
	own := started(t, map[string]string{"max_connections": "6", "superuser_reserved_connections": "0", "max_wal_senders": "0"})
	s := open(t, own)
	s.pool.Reset()
	var held []*pgx.Conn
	for {
		conn, err := pgx.Connect(t.Context(), own.URL("postgres"))
		if err != nil {
			require.Equal(t, "53300", code(err))
			break
		}
		held = append(held, conn)
	}
	_, err := s.User(t.Context(), "u")
	require.ErrorIs(t, err, ErrUnavailable)
	for _, conn := range held {
		require.NoError(t, conn.Close(t.Context()))
	}
	require.Eventually(t, func() bool {
		_, err = s.User(t.Context(), "u")
		return errors.Is(err, ErrNotFound)
	}, testservers.StartTimeout, time.Millisecond, "free again")
}

func TestASlowStatementIsEnded(t *testing.T) {
	s := open(t, server, func(c *Config) { c.StatementTimeout = 50 * time.Millisecond })
	err := s.exec(t.Context(), repeatable, "sleep", "SELECT pg_sleep(60)")
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "statement timeout")
}

// TestAPoolThatIsEmptyIsWaitedForOnlySoLong as the request lasts.
func TestAPoolThatIsEmptyIsWaitedForOnlySoLong(t *testing.T) {
	s := open(t, server, func(c *Config) { c.MaxConnections = 1 })
	held, err := s.pool.Acquire(t.Context())
	require.NoError(t, err)
	defer held.Release()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = s.User(ctx, "u")
	require.ErrorIs(t, err, ErrUnavailable)
}

// TestAServerThatFallsSilent: the server's own statement timeout is of no use
// then, and a caller without a deadline must not wait for TCP to give up.
func TestAServerThatFallsSilent(t *testing.T) {
	wire := testservers.NewWire(t, server.Address())
	s := open(t, server, func(c *Config) {
		c.URL = strings.Replace(c.URL, server.Address(), wire.Address(), 1)
		c.ConnectTimeout, c.StatementTimeout = 50*time.Millisecond, 50*time.Millisecond
	})
	answers := func() bool {
		_, err := s.EnsureUser(t.Context(), "u")
		return err == nil
	}
	require.Eventually(t, answers, testservers.StartTimeout, time.Millisecond)
	heal := wire.Silence()
	defer heal()
	for range 3 { // on a connection that stood, and on new ones
		_, err := s.User(context.WithoutCancel(t.Context()), "u")
		require.ErrorIs(t, err, ErrUnavailable)
	}
	heal()
	require.Eventually(t, answers, testservers.StartTimeout, time.Millisecond)
}

func TestARotatedPasswordNeedsNoRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte(testservers.PostgresPassword), 0o600))
	own := started(t, nil)
	s := open(t, own, func(c *Config) { c.PasswordFile = file })
	require.NoError(t, s.Ping(t.Context()))
	require.NoError(t, s.exec(t.Context(), once, "rotate", "ALTER ROLE postgres PASSWORD 'new-password'"))
	s.pool.Reset()
	require.ErrorContains(t, s.Ping(t.Context()), "password authentication failed")
	require.NoError(t, os.WriteFile(file, []byte("new-password\n"), 0o600))
	require.NoError(t, s.Ping(t.Context()))
}

func TestRetriesOnlyWhereSafe(t *testing.T) {
	deadlock, unknown := &pgconn.PgError{Code: "40P01"}, &pgconn.PgError{Code: "23505"}
	for _, row := range []struct {
		reason string
		effect effect
		err    error
		tries  int
	}{
		{"the server took it back", once, deadlock, attempts},
		{"a lost connection may have done it", once, io.ErrUnexpectedEOF, 1},
		{"done twice is done once", repeatable, io.ErrUnexpectedEOF, attempts},
		{"a violated rule stays violated", repeatable, unknown, 1},
		{"nobody waits any more", repeatable, context.Canceled, 1},
	} {
		t.Run(row.reason, func(t *testing.T) {
			tries := 0
			_, err := run(t.Context(), time.Minute, row.effect, "try", func(context.Context) (int, error) { tries++; return 0, row.err })
			require.ErrorIs(t, err, row.err)
			require.Equal(t, row.tries, tries)
		})
	}
}
