package webapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// bounded is for the start of servers.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), testservers.StartTimeout)
	t.Cleanup(cancel)
	return ctx
}

// load sends reads of one user and writes of ever new ones until stop, and
// counts them.
type load struct {
	reads, failedReads, writes, failedWrites atomic.Int64
	// refusedWrites are those of the failed that were told to come again.
	refusedWrites atomic.Int64

	mu    sync.Mutex
	kept  []string // users whose write was answered by 200
	ended sync.WaitGroup
	stop  context.CancelFunc
}

func (w *web) load(t *testing.T) *load {
	t.Helper()
	l := w.begin(t)
	l.until(t, 50)
	return l
}

func (w *web) begin(t *testing.T) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{stop: stop}
	reader := w.world.Token(t, user(t))
	for worker := range 4 {
		l.ended.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if l.reads.Add(1); w.send(t, http.MethodGet, profilePath, reader, "").Code != http.StatusOK {
					l.failedReads.Add(1)
				}
				id := fmt.Sprintf("%s-%d-%d", t.Name(), worker, i)
				l.writes.Add(1)
				if w := w.send(t, http.MethodPost, preferencesPath, w.world.Token(t, id), `{"theme":"dark"}`); w.Code != http.StatusOK {
					if w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") != "" {
						l.refusedWrites.Add(1)
					}
					l.failedWrites.Add(1)
					continue
				}
				l.mu.Lock()
				l.kept = append(l.kept, id)
				l.mu.Unlock()
			}
		})
	}
	return l
}

// until waits for that many more writes that were answered by 200.
func (l *load) until(t *testing.T, more int64) {
	t.Helper()
	good := func() int64 { return l.writes.Load() - l.failedWrites.Load() }
	goal := good() + more
	require.Eventually(t, func() bool { return good() >= goal }, testservers.StartTimeout, time.Millisecond)
}

// end stops the load and counts the writes that were answered by 200 and are
// not in the database.
func (l *load) end(t *testing.T, s *web) (lost int) {
	t.Helper()
	l.stop()
	l.ended.Wait()
	conn := connect(t, s)
	defer conn.Close(t.Context())
	var found int
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM users WHERE id = ANY($1) AND preferences->>'theme' = 'dark'`, l.kept).Scan(&found))
	t.Logf("reads %d, failed %d; writes %d, failed %d, lost %d",
		l.reads.Load(), l.failedReads.Load(), l.writes.Load(), l.failedWrites.Load(), len(l.kept)-found)
	return len(l.kept) - found
}

func TestARedisPrimaryIsKilled(t *testing.T) {
	redis, err := testservers.StartRedis(bounded(t), 1)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, redis.Close()) })
	s := newWeb(t, map[string]string{"REDIS_ADDRESSES": strings.Join(redis.Addresses(), ","), "REDIS_TIMEOUT": "100ms"})
	l := s.load(t)
	require.NoError(t, redis.Kill(0))
	l.until(t, 200)
	require.Zero(t, l.end(t, s), "no write is lost")
	require.Zero(t, l.failedReads.Load()+l.failedWrites.Load(), "no request fails")
}

func TestAllOfRedisIsDown(t *testing.T) {
	redis, err := testservers.StartRedis(bounded(t), 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, redis.Close()) })
	s := newWeb(t, map[string]string{"REDIS_ADDRESSES": strings.Join(redis.Addresses(), ","), "REDIS_TIMEOUT": "100ms"})
	l := s.load(t)
	for node := range 3 {
		require.NoError(t, redis.Kill(node))
	}
	l.until(t, 200)
	require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, "/health/ready", "", "").Code, "ready without its cache")
	require.Zero(t, l.end(t, s))
	require.Zero(t, l.failedReads.Load()+l.failedWrites.Load(), "no request fails")
}

// TestPostgresRestarts: while it is away writes are refused, never lost;
// profiles that are cached are served all the while.
func TestPostgresRestarts(t *testing.T) {
	own, err := testservers.StartPostgres(bounded(t), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, own.Close()) })
	s := newWebOn(t, own, map[string]string{"DATABASE_CONNECT_TIMEOUT": "1s"})
	l := s.load(t)
	require.NoError(t, own.Stop())
	refused := l.failedWrites.Load()
	require.Eventually(t, func() bool { return l.failedWrites.Load() > refused+20 }, testservers.StartTimeout, time.Millisecond)
	require.Eventually(t, func() bool {
		return s.send(t, http.MethodGet, "/health/ready", "", "").Code == http.StatusServiceUnavailable
	}, testservers.StartTimeout, 10*time.Millisecond, "readiness tells")
	require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, "/health", "", "").Code, "liveness does not")
	require.NoError(t, own.Start(bounded(t)))
	l.until(t, 100)
	require.Zero(t, l.end(t, s), "what was answered by 200 is there")
	require.Zero(t, l.failedReads.Load(), "the cached profile is served without the database")
	require.Eventually(t, func() bool {
		return s.send(t, http.MethodGet, "/health/ready", "", "").Code == http.StatusOK
	}, testservers.StartTimeout, 10*time.Millisecond)
}

// hog takes every connection of the server, the service's own included, and
// returns what gives them back.
func hog(t *testing.T, s *web) (release func()) {
	t.Helper()
	var held []*pgx.Conn
	for {
		conn, err := pgx.Connect(t.Context(), s.cfg.Dependencies.Store.URL)
		if err == nil {
			held = append(held, conn)
			continue
		}
		full, is := errors.AsType[*pgconn.PgError](err)
		require.True(t, is && full.Code == "53300", "%v", err) // too many connections
		require.NotEmpty(t, held)
		var ended int
		require.NoError(t, held[0].QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
			WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> ALL($1)`, pids(held)).Scan(&ended))
		if ended == 0 {
			break
		}
	}
	return func() {
		for _, conn := range held {
			require.NoError(t, conn.Close(t.Context()))
		}
	}
}

func pids(conns []*pgx.Conn) (all []int32) {
	for _, conn := range conns {
		all = append(all, int32(conn.PgConn().PID()))
	}
	return all
}

// TestPostgresIsFull: others hold every connection. What is cached is served, all
// of it; the rest is refused at once and told to come again; with the first free
// connection everything is served, and no write that was acknowledged is lost.
func TestPostgresIsFull(t *testing.T) {
	const each = 20
	own, err := testservers.StartPostgres(bounded(t), map[string]string{"max_connections": "12", "superuser_reserved_connections": "0"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, own.Close()) })
	s := newWebOn(t, own, nil)
	before := s.load(t)
	require.Zero(t, before.end(t, s))
	known := s.world.Token(t, user(t))
	require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, profilePath, known, "").Code)
	release := hog(t, s)
	for i := range each {
		require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, profilePath, known, "").Code, "from the cache")
		for _, refused := range []*httptest.ResponseRecorder{
			s.send(t, http.MethodPost, preferencesPath, known, `{"theme":"dark"}`),
			s.send(t, http.MethodGet, profilePath, s.world.Token(t, fmt.Sprint(user(t), i)), ""),
		} {
			require.Equal(t, http.StatusServiceUnavailable, refused.Code, refused.Body)
			require.Equal(t, "1", refused.Header().Get("Retry-After"))
		}
	}
	require.Equal(t, http.StatusServiceUnavailable, s.send(t, http.MethodGet, "/health/ready", "", "").Code)
	require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, "/health", "", "").Code)
	during := s.begin(t)
	require.Eventually(t, func() bool { return during.failedWrites.Load() > 20 }, testservers.StartTimeout, time.Millisecond)
	release()
	during.until(t, 100)
	failed := during.failedWrites.Load()
	during.until(t, 100)
	require.Equal(t, failed, during.failedWrites.Load(), "no request fails once there is a connection")
	require.Zero(t, during.end(t, s))
	require.Equal(t, during.failedWrites.Load(), during.refusedWrites.Load(), "told to come again, each of them")
	t.Logf("of %d cached reads 0 failed; of %d others all were refused with Retry-After", each, 2*each)
}

// TestPostgresFallsSilent: connections stand and nothing comes through them, as
// when a network or a machine is gone without a word.
func TestPostgresFallsSilent(t *testing.T) {
	wire := testservers.NewWire(t, postgres.Address())
	url := servicetest.Database(t, postgres)
	s := newWeb(t, map[string]string{
		"DATABASE_URL":             strings.Replace(url, postgres.Address(), wire.Address(), 1),
		"DATABASE_CONNECT_TIMEOUT": "500ms", "DATABASE_STATEMENT_TIMEOUT": "500ms",
	})
	known := s.world.Token(t, user(t))
	served := func() bool { return s.send(t, http.MethodGet, profilePath, known, "").Code == http.StatusOK }
	require.Eventually(t, served, testservers.StartTimeout, time.Millisecond)
	heal := wire.Silence()
	defer heal()
	var all sync.WaitGroup
	for i := range 20 { // more than the pool has connections
		stranger := s.world.Token(t, fmt.Sprint(user(t), i))
		all.Go(func() {
			w := s.send(t, http.MethodGet, profilePath, stranger, "")
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	for range 20 {
		require.True(t, served(), "from the cache")
	}
	all.Wait()
	heal()
	require.Eventually(t, func() bool {
		return s.send(t, http.MethodPost, preferencesPath, known, `{"theme":"dark"}`).Code == http.StatusOK
	}, testservers.StartTimeout, time.Millisecond)
}
