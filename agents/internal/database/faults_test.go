package database

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
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

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// startServer starts a PostgreSQL server that the test may stop.
func startServer(t *testing.T, settings map[string]string) *testservers.Postgres {
	t.Helper()
	server, err := testservers.StartPostgres(t.Context(), settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server
}

// TestNoAcknowledgedWriteIsLostInARestart kills the server during writes. Each
// failure is ErrUnavailable, and the same store works again after the restart.
func TestNoAcknowledgedWriteIsLostInARestart(t *testing.T) {
	const writers, maxEach = 4, 20_000
	server := startServer(t, nil)
	s := openStore(t, server)
	var (
		wg           sync.WaitGroup
		mu           sync.Mutex
		acknowledged []uuid.UUID
		saved        atomic.Int64
		failed       atomic.Int64
		restarted    = make(chan struct{})
	)
	for range writers {
		wg.Go(func() {
			writesAfterRestart := 0
			for n := 0; n < maxEach && writesAfterRestart < 50; n++ {
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
					t.Errorf("error is not ErrUnavailable: %v", err)
				}
				select {
				case <-restarted:
					writesAfterRestart++
				default:
				}
			}
		})
	}
	require.Eventually(t, func() bool { return saved.Load() > 100 }, testservers.StartTimeout, time.Millisecond)
	require.NoError(t, server.Stop())
	require.Eventually(t, func() bool { return failed.Load() >= writers }, testservers.StartTimeout, time.Millisecond)
	require.ErrorIs(t, s.Ping(t.Context()), ErrUnavailable)
	require.NoError(t, server.Start(t.Context()))
	require.NoError(t, s.Ping(t.Context()))
	close(restarted)
	wg.Wait()

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
	t.Logf("%d writes acknowledged, 0 lost; %d failed while the server was down", len(acknowledged), failed.Load())
}

func TestFullServerIsUnavailable(t *testing.T) {
	server := startServer(t, map[string]string{"max_connections": "6", "superuser_reserved_connections": "0", "max_wal_senders": "0"})
	s := openStore(t, server)
	s.pool.Reset()
	var conns []*pgx.Conn
	for {
		conn, err := pgx.Connect(t.Context(), server.URL("postgres"))
		if err != nil {
			require.Equal(t, "53300", sqlState(err))
			break
		}
		conns = append(conns, conn)
	}
	_, err := s.User(t.Context(), "u")
	require.ErrorIs(t, err, ErrUnavailable)
	for _, conn := range conns {
		require.NoError(t, conn.Close(t.Context()))
	}
	require.Eventually(t, func() bool {
		_, err = s.User(t.Context(), "u")
		return errors.Is(err, ErrNotFound)
	}, testservers.StartTimeout, time.Millisecond, "a connection is free again")
}

func TestSlowStatementIsCanceled(t *testing.T) {
	s := openStore(t, server, func(c *Config) { c.StatementTimeout = 50 * time.Millisecond })
	err := s.exec(t.Context(), idempotent, "sleep", "SELECT pg_sleep(60)")
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "statement timeout")
}

// TestWaitForAFreeConnectionEndsWithTheContext waits for a connection of a pool in which
// all connections are in use.
func TestWaitForAFreeConnectionEndsWithTheContext(t *testing.T) {
	s := openStore(t, server, func(c *Config) { c.MaxConnections = 1 })
	conn, err := s.pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = s.User(ctx, "u")
	require.ErrorIs(t, err, ErrUnavailable)
}

// TestQueryOnAHungServerTimesOut checks the timeout on the client's side. A server that hangs
// does not enforce its statement timeout, and TCP's own timeout would be much longer.
func TestQueryOnAHungServerTimesOut(t *testing.T) {
	proxy := testservers.NewTCPProxy(t, server.Address())
	s := openStore(t, server, func(c *Config) {
		c.URL = strings.Replace(c.URL, server.Address(), proxy.Address(), 1)
		c.ConnectTimeout, c.StatementTimeout = 50*time.Millisecond, 50*time.Millisecond
	})
	canWrite := func() bool {
		_, err := s.EnsureUser(t.Context(), "u")
		return err == nil
	}
	require.Eventually(t, canWrite, testservers.StartTimeout, time.Millisecond)
	thaw := proxy.Freeze()
	defer thaw()
	for range 3 { // on an existing connection, then on new ones
		_, err := s.User(context.WithoutCancel(t.Context()), "u")
		require.ErrorIs(t, err, ErrUnavailable)
	}
	thaw()
	require.Eventually(t, canWrite, testservers.StartTimeout, time.Millisecond)
}

func TestRotatedPasswordNeedsNoRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte(testservers.PostgresPassword), 0o600))
	server := startServer(t, nil)
	s := openStore(t, server, func(c *Config) { c.PasswordFile = file })
	require.NoError(t, s.Ping(t.Context()))
	require.NoError(t, s.exec(t.Context(), notIdempotent, "rotate", "ALTER ROLE postgres PASSWORD 'new-password'"))
	s.pool.Reset()
	require.ErrorContains(t, s.Ping(t.Context()), "password authentication failed")
	require.NoError(t, os.WriteFile(file, []byte("new-password\n"), 0o600))
	require.NoError(t, s.Ping(t.Context()))
}

// With IAM, each new connection uses a new token as its password.
func TestIAMLogsInWithATokenOfThePod(t *testing.T) {
	podIdentity := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"AccessKeyId":"A","SecretAccessKey":"S","Token":"T","Expiration":"2099-01-01T00:00:00Z"}`)
	}))
	t.Cleanup(podIdentity.Close)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("t"), 0o600))
	env := map[string]string{
		"DATABASE_URL": "postgres://web_iam@127.0.0.1:1/d?sslmode=verify-full", "DATABASE_LOGIN": "iam", "AWS_REGION": "us-east-1",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": podIdentity.URL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file,
	}
	reader := envconfig.New(func(name string) (string, bool) { value, ok := env[name]; return value, ok })
	cfg := ReadConfig(reader)
	require.NoError(t, reader.Err())
	pool, err := cfg.poolConfig()
	require.NoError(t, err)
	conn := pool.ConnConfig.Copy()
	require.NoError(t, pool.BeforeConnect(t.Context(), conn))
	require.Contains(t, conn.Password, "127.0.0.1:1/?Action=connect&DBUser=web_iam&")

	podIdentity.Close()
	s, err := Open(t.Context(), cfg)
	require.NoError(t, err, "a service starts without credentials")
	t.Cleanup(s.Close)
	require.ErrorIs(t, s.Ping(t.Context()), ErrUnavailable)
	_, err = s.User(t.Context(), "u")
	require.ErrorIs(t, err, ErrUnavailable)

	cfg.URL = "postgres://web_iam@127.0.0.1:1/d?sslmode=disable"
	_, err = Open(t.Context(), cfg)
	require.ErrorContains(t, err, "sends the token in plain text")
}

func TestOnlySafeFailuresAreRetried(t *testing.T) {
	deadlock, duplicate := &pgconn.PgError{Code: "40P01"}, &pgconn.PgError{Code: "23505"}
	for _, row := range []struct {
		reason      string
		idempotency idempotency
		err         error
		attempts    int
	}{
		{"a rolled-back statement", notIdempotent, deadlock, maxAttempts},
		{"a lost connection: the statement may have been executed", notIdempotent, io.ErrUnexpectedEOF, 1},
		{"a lost connection, idempotent statement", idempotent, io.ErrUnexpectedEOF, maxAttempts},
		{"a constraint violation", idempotent, duplicate, 1},
		{"a canceled caller", idempotent, context.Canceled, 1},
	} {
		t.Run(row.reason, func(t *testing.T) {
			attempts := 0
			_, err := runWithRetries(t.Context(), time.Minute, row.idempotency, "try", func(context.Context) (int, error) { attempts++; return 0, row.err })
			require.ErrorIs(t, err, row.err)
			require.Equal(t, row.attempts, attempts)
		})
	}
}
