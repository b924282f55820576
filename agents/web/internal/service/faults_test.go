package service

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// bounded is for the start of servers.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), testservers.StartTimeout)
	t.Cleanup(cancel)
	return ctx
}

// load sends reads and writes of ever new users until stop, and counts them.
type load struct {
	reads, failedReads, writes, failedWrites atomic.Int64

	mu    sync.Mutex
	kept  []string // users whose write was answered by 200
	ended sync.WaitGroup
	stop  context.CancelFunc
}

func (w *web) load(t *testing.T) *load {
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
				if w.send(t, http.MethodPost, preferencesPath, w.world.Token(t, id), `{"theme":"dark"}`).Code != http.StatusOK {
					l.failedWrites.Add(1)
					continue
				}
				l.mu.Lock()
				l.kept = append(l.kept, id)
				l.mu.Unlock()
			}
		})
	}
	l.until(t, 50)
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
	shared := database
	database = own // newWeb makes its database there
	s := newWeb(t, map[string]string{"DATABASE_CONNECT_TIMEOUT": "1s"})
	database = shared
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

// TestPostgresIsFull: others hold every connection but ours. What the pool has
// goes on; a pool without any is refused quickly and recovers.
func TestPostgresIsFull(t *testing.T) {
	own, err := testservers.StartPostgres(bounded(t), map[string]string{"max_connections": "12", "superuser_reserved_connections": "0"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, own.Close()) })
	shared := database
	database = own
	s := newWeb(t, nil)
	database = shared
	var hogs []*pgx.Conn
	for {
		conn, err := pgx.Connect(t.Context(), s.cfg.Backing.Store.URL)
		if err != nil {
			break
		}
		hogs = append(hogs, conn)
	}
	require.NotEmpty(t, hogs)
	w := s.send(t, http.MethodPost, preferencesPath, s.world.Token(t, user(t)), `{"theme":"dark"}`)
	require.Contains(t, []int{http.StatusOK, http.StatusServiceUnavailable}, w.Code)
	if w.Code == http.StatusServiceUnavailable {
		require.NotEmpty(t, w.Header().Get("Retry-After"))
	}
	for _, hog := range hogs {
		require.NoError(t, hog.Close(t.Context()))
	}
	l := s.load(t)
	require.Zero(t, l.end(t, s))
}
