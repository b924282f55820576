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

// newStartContext returns a context that ends after StartTimeout.
func newStartContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), testservers.StartTimeout)
	t.Cleanup(cancel)
	return ctx
}

// userLoad sends requests until stop is called, and counts them. It reads the profile of one
// user, and writes the preferences of new users.
type userLoad struct {
	reads, failedReads, writes, failedWrites atomic.Int64
	// rejectedWrites are the failed writes that got a 503 with Retry-After.
	rejectedWrites atomic.Int64

	mu    sync.Mutex
	saved []string // the ids of the users with a write that got a 200
	wg    sync.WaitGroup
	stop  context.CancelFunc
}

// startLoadAndWait starts the load and waits until 50 writes have succeeded.
func (w *web) startLoadAndWait(t *testing.T) *userLoad {
	t.Helper()
	load := w.startLoad(t)
	load.waitForWrites(t, 50)
	return load
}

// startLoad starts the load, and does not wait for a request.
func (w *web) startLoad(t *testing.T) *userLoad {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	load := &userLoad{stop: stop}
	readerToken := w.env.Token(t, newUserID(t))
	for worker := range 4 {
		load.wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if load.reads.Add(1); w.send(t, http.MethodGet, profilePath, readerToken, "").Code != http.StatusOK {
					load.failedReads.Add(1)
				}
				id := fmt.Sprintf("%s-%d-%d", t.Name(), worker, i)
				load.writes.Add(1)
				if response := w.send(t, http.MethodPost, preferencesPath, w.env.Token(t, id), `{"theme":"dark"}`); response.Code != http.StatusOK {
					if response.Code == http.StatusServiceUnavailable && response.Header().Get("Retry-After") != "" {
						load.rejectedWrites.Add(1)
					}
					load.failedWrites.Add(1)
					continue
				}
				load.mu.Lock()
				load.saved = append(load.saved, id)
				load.mu.Unlock()
			}
		})
	}
	return load
}

// waitForWrites waits until this number of further writes has succeeded.
func (load *userLoad) waitForWrites(t *testing.T, more int64) {
	t.Helper()
	succeeded := func() int64 { return load.writes.Load() - load.failedWrites.Load() }
	goal := succeeded() + more
	require.Eventually(t, func() bool { return succeeded() >= goal }, testservers.StartTimeout, time.Millisecond)
}

// end stops the load. It returns the number of writes that got a 200 but are
// not in the database.
func (load *userLoad) end(t *testing.T, s *web) (lost int) {
	t.Helper()
	load.stop()
	load.wg.Wait()
	conn := connect(t, s)
	defer conn.Close(t.Context())
	var found int
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM users WHERE id = ANY($1) AND preferences->>'theme' = 'dark'`, load.saved).Scan(&found))
	t.Logf("reads %d, failed %d; writes %d, failed %d, lost %d",
		load.reads.Load(), load.failedReads.Load(), load.writes.Load(), load.failedWrites.Load(), len(load.saved)-found)
	return len(load.saved) - found
}

func TestNoRequestFailsDuringRedisFailover(t *testing.T) {
	redis, err := testservers.StartRedis(newStartContext(t), 1)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, redis.Close()) })
	s := newWeb(t, map[string]string{"REDIS_ADDRESSES": strings.Join(redis.Addresses(), ","), "REDIS_TIMEOUT": "100ms"})
	load := s.startLoadAndWait(t)
	require.NoError(t, redis.Kill(0))
	load.waitForWrites(t, 200)
	require.Zero(t, load.end(t, s), "no write is lost")
	require.Zero(t, load.failedReads.Load()+load.failedWrites.Load(), "no request fails")
}

func TestNoRequestFailsWithoutRedis(t *testing.T) {
	redis, err := testservers.StartRedis(newStartContext(t), 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, redis.Close()) })
	s := newWeb(t, map[string]string{"REDIS_ADDRESSES": strings.Join(redis.Addresses(), ","), "REDIS_TIMEOUT": "100ms"})
	load := s.startLoadAndWait(t)
	for node := range 3 {
		require.NoError(t, redis.Kill(node))
	}
	load.waitForWrites(t, 200)
	require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, "/health/ready", "", "").Code, "the service is ready without its cache")
	require.Zero(t, load.end(t, s))
	require.Zero(t, load.failedReads.Load()+load.failedWrites.Load(), "no request fails")
}

// TestPostgresRestartLosesNoAcknowledgedWrite restarts the database under load. Writes fail
// while it is down, but no write that got a 200 may be lost. Cached profiles must be served.
func TestPostgresRestartLosesNoAcknowledgedWrite(t *testing.T) {
	server, err := testservers.StartPostgres(newStartContext(t), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	s := newWebOn(t, server, map[string]string{"DATABASE_CONNECT_TIMEOUT": "1s"})
	load := s.startLoadAndWait(t)
	require.NoError(t, server.Stop())
	failedBefore := load.failedWrites.Load()
	require.Eventually(t, func() bool { return load.failedWrites.Load() > failedBefore+20 }, testservers.StartTimeout, time.Millisecond)
	require.Eventually(t, func() bool {
		return s.send(t, http.MethodGet, "/health/ready", "", "").Code == http.StatusServiceUnavailable
	}, testservers.StartTimeout, 10*time.Millisecond, "readiness fails without the database")
	require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, "/health", "", "").Code, "liveness does not depend on the database")
	require.NoError(t, server.Start(newStartContext(t)))
	load.waitForWrites(t, 100)
	require.Zero(t, load.end(t, s), "every write with a 200 is in the database")
	require.Zero(t, load.failedReads.Load(), "the cached profile is served without the database")
	require.Eventually(t, func() bool {
		return s.send(t, http.MethodGet, "/health/ready", "", "").Code == http.StatusOK
	}, testservers.StartTimeout, 10*time.Millisecond)
}

// takeAllConnections opens all connections that the server accepts, and ends the connections
// of the service for this. release closes the opened connections.
func takeAllConnections(t *testing.T, s *web) (release func()) {
	t.Helper()
	var conns []*pgx.Conn
	for {
		conn, err := pgx.Connect(t.Context(), s.cfg.Dependencies.Store.URL)
		if err == nil {
			conns = append(conns, conn)
			continue
		}
		pgErr, ok := errors.AsType[*pgconn.PgError](err)
		require.True(t, ok && pgErr.Code == "53300", "%v", err) // too many connections
		require.NotEmpty(t, conns)
		var terminated int
		require.NoError(t, conns[0].QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
			WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> ALL($1)`, serverPIDs(conns)).Scan(&terminated))
		if terminated == 0 {
			break
		}
	}
	return func() {
		for _, conn := range conns {
			require.NoError(t, conn.Close(t.Context()))
		}
	}
}

// serverPIDs returns the process ids of the connections on the server.
func serverPIDs(conns []*pgx.Conn) (pids []int32) {
	for _, conn := range conns {
		pids = append(pids, int32(conn.PgConn().PID()))
	}
	return pids
}

// TestFullPostgresRejectsRequestsUntilAConnectionIsFree takes every connection of the server.
// Cached profiles must be served, and other requests must get a 503 with Retry-After. When
// connections are free again, every request must succeed. No acknowledged write may be lost.
func TestFullPostgresRejectsRequestsUntilAConnectionIsFree(t *testing.T) {
	const requests = 20
	server, err := testservers.StartPostgres(newStartContext(t), map[string]string{"max_connections": "12", "superuser_reserved_connections": "0"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	s := newWebOn(t, server, nil)
	loadBefore := s.startLoadAndWait(t)
	require.Zero(t, loadBefore.end(t, s))
	token := s.env.Token(t, newUserID(t))
	require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, profilePath, token, "").Code)
	release := takeAllConnections(t, s)
	for i := range requests {
		require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, profilePath, token, "").Code, "from the cache")
		for _, rejected := range []*httptest.ResponseRecorder{
			s.send(t, http.MethodPost, preferencesPath, token, `{"theme":"dark"}`),
			s.send(t, http.MethodGet, profilePath, s.env.Token(t, fmt.Sprint(newUserID(t), i)), ""),
		} {
			require.Equal(t, http.StatusServiceUnavailable, rejected.Code, rejected.Body)
			require.Equal(t, "1", rejected.Header().Get("Retry-After"))
		}
	}
	require.Equal(t, http.StatusServiceUnavailable, s.send(t, http.MethodGet, "/health/ready", "", "").Code)
	require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, "/health", "", "").Code)
	loadDuring := s.startLoad(t)
	require.Eventually(t, func() bool { return loadDuring.failedWrites.Load() > 20 }, testservers.StartTimeout, time.Millisecond)
	release()
	loadDuring.waitForWrites(t, 100)
	failed := loadDuring.failedWrites.Load()
	loadDuring.waitForWrites(t, 100)
	require.Equal(t, failed, loadDuring.failedWrites.Load(), "no request fails after a connection is free")
	require.Zero(t, loadDuring.end(t, s))
	require.Equal(t, loadDuring.failedWrites.Load(), loadDuring.rejectedWrites.Load(), "each failed write has a Retry-After")
	t.Logf("of %d cached reads 0 failed; all of %d others got Retry-After", requests, 2*requests)
}

// TestHungPostgresFailsRequestsWithinTheTimeout stops all data of the connections, which stay
// open. The same happens after a failure of the network or of the server's machine.
func TestHungPostgresFailsRequestsWithinTheTimeout(t *testing.T) {
	proxy := testservers.NewTCPProxy(t, postgres.Address())
	url := servicetest.CreateDatabase(t, postgres)
	s := newWeb(t, map[string]string{
		"DATABASE_URL":             strings.Replace(url, postgres.Address(), proxy.Address(), 1),
		"DATABASE_CONNECT_TIMEOUT": "500ms", "DATABASE_STATEMENT_TIMEOUT": "500ms",
	})
	token := s.env.Token(t, newUserID(t))
	isServed := func() bool { return s.send(t, http.MethodGet, profilePath, token, "").Code == http.StatusOK }
	require.Eventually(t, isServed, testservers.StartTimeout, time.Millisecond)
	thaw := proxy.Freeze()
	defer thaw()
	var wg sync.WaitGroup
	for i := range 20 { // more than the connections of the pool
		newUser := s.env.Token(t, fmt.Sprint(newUserID(t), i))
		wg.Go(func() {
			w := s.send(t, http.MethodGet, profilePath, newUser, "")
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	for range 20 {
		require.True(t, isServed(), "from the cache")
	}
	wg.Wait()
	thaw()
	require.Eventually(t, func() bool {
		return s.send(t, http.MethodPost, preferencesPath, token, `{"theme":"dark"}`).Code == http.StatusOK
	}, testservers.StartTimeout, time.Millisecond)
}
