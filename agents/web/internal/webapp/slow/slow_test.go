// Package slow_test aims Debian's slowhttptest at the running service. It lies
// apart from the service's other tests because it takes its time.
package slow_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/internal/testservers"
	"github.com/progressive-framework/platform/agents/web/internal/webapp"
)

var postgres *testservers.Postgres

func TestMain(m *testing.M) {
	os.Exit(testservers.Main(m, func(ctx context.Context) (_ testservers.Server, err error) {
		postgres, err = testservers.StartPostgres(ctx, nil)
		return postgres, err
	}))
}

// each is how many connections every attack opens, all within a second.
const each = 200

// attacks are the tool's modes, against its URL. seen is whether the tool notices
// that the server has closed its connections: one that hardly reads does not.
var attacks = []struct {
	name, path string
	args       []string
	seen       bool
}{
	{"slow headers", "/api/v1/users/profile", []string{"-H", "-i", "1", "-x", "24"}, true},
	{"slow body", "/api/v1/users/preferences", []string{"-B", "-i", "1", "-x", "10", "-s", "4000"}, true},
	{"a body beyond the limit", "/api/v1/users/preferences", []string{"-B", "-i", "1", "-s", "9000000"}, true},
	{"slow reading", "/app.js", []string{"-X", "-k", "3", "-n", "1", "-w", "1", "-y", "64", "-z", "5"}, false},
	{"overlapping ranges", "/app.js", []string{"-R", "-a", "10", "-b", "3000", "-t", "GET"}, true},
	{"a header beyond the limit", "/app.js", []string{"-R", "-a", "10", "-b", "9000", "-t", "GET"}, true},
}

// counted is a listener that knows how many connections are open.
type counted struct {
	net.Listener
	open, most atomic.Int64
}

type countedConn struct {
	net.Conn
	closed func()
}

func (l *counted) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if now := l.open.Add(1); now > l.most.Load() {
		l.most.Store(now) // one goroutine accepts
	}
	return countedConn{conn, sync.OnceFunc(func() { l.open.Add(-1) })}, nil
}

func (c countedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

// serve runs the service as its process would, with its own bounds but for the
// times, which are some seconds, so that a test sees them end.
func serve(t *testing.T, world *servicetest.World) (*counted, string) {
	t.Helper()
	cfg, err := webapp.ReadConfig(world.Lookup(map[string]string{
		"DATABASE_URL": servicetest.Database(t, postgres), "DATABASE_STATEMENT_TIMEOUT": "10s",
		// As behind the load balancer: who names no address is one client.
		"TRUSTED_PROXIES": "1", "CLIENT_RATE": "1000", "DRAIN_DELAY": "0s", "SHUTDOWN_TIMEOUT": "20s",
	}))
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	s, err := webapp.New(t.Context(), cfg, log)
	require.NoError(t, err)
	http := cfg.HTTP
	s.Adjust(&http)
	http.ReadHeaderTimeout, http.ReadTimeout, http.WriteTimeout, http.IdleTimeout = 2*time.Second, 3*time.Second, 3*time.Second, 3*time.Second
	server, err := httpserver.New(http, s.Handler(), s.State(), log)
	require.NoError(t, err)
	bare, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", http.Address)
	require.NoError(t, err)
	listener := &counted{Listener: bare}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
		require.NoError(t, s.Close(context.WithoutCancel(t.Context())))
	})
	return listener, "http://" + bare.Addr().String()
}

// TestSlowClientsCostNobodyElse: while every attack is under way at once, honest
// clients are served without a failure; the server ends the slow connections by
// itself, and what they took is given back.
func TestSlowClientsCostNobodyElse(t *testing.T) {
	tool, err := exec.LookPath("slowhttptest")
	require.NoError(t, err, "slowhttptest is not on this machine: install Debian's slowhttptest, or run make test, which does")
	world := servicetest.New(t)
	listener, url := serve(t, world)

	honest := begin(t, world, url)
	honest.until(t, 100)
	goroutines, heap := runtime.NumGoroutine(), inUse()
	attacking, stop := context.WithCancel(t.Context())
	defer stop()
	var seen, unseen sync.WaitGroup
	for _, attack := range attacks {
		args := append([]string{"-u", url + attack.path, "-c", fmt.Sprint(each), "-r", fmt.Sprint(each), "-l", "60", "-v", "1",
			// The tool has no option for a header of one's own.
			"-f", "application/json\r\nAuthorization: Bearer " + world.Token(t, "slow")}, attack.args...)
		group := &unseen
		if attack.seen {
			group = &seen
		}
		group.Go(func() {
			out, err := exec.CommandContext(attacking, tool, args...).CombinedOutput()
			if attack.seen && (err != nil || !strings.Contains(string(out), "No open connections left")) {
				t.Errorf("%s: %v\n%s", attack.name, err, out)
			}
		})
	}
	// Only the server ends a connection before the tool's minute is over.
	require.Eventually(t, func() bool { return listener.most.Load() > 2*each }, testservers.StartTimeout, time.Millisecond, "the attacks are under way at once")
	seen.Wait()
	require.Eventually(t, func() bool { return listener.open.Load() <= honestClients }, testservers.StartTimeout, 10*time.Millisecond)
	stop()
	unseen.Wait()
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+10 }, testservers.StartTimeout, 10*time.Millisecond)
	require.Less(t, inUse(), heap+8<<20, "memory comes back")
	served := honest.end(t)
	t.Logf("%d connections at most; honest requests: %d, failed: 0; %d -> %d goroutines, heap %d -> %d KiB",
		listener.most.Load(), served, goroutines, runtime.NumGoroutine(), heap>>10, inUse()>>10)
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// honestClients keep a connection each.
const honestClients = 4

// honest are clients who read and write as the seed's load test does.
type honest struct {
	served, failed atomic.Int64
	stop           context.CancelFunc
	ended          sync.WaitGroup
}

func begin(t *testing.T, world *servicetest.World, url string) *honest {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	h := &honest{stop: stop}
	for i := range honestClients {
		token, address := world.Token(t, fmt.Sprint("user-", i)), fmt.Sprint("198.51.100.", i)
		h.ended.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for n := 0; ctx.Err() == nil; n++ {
				if err := ask(t.Context(), client, url, address, token, n); err != nil {
					h.failed.Add(1)
					t.Error(err)
				}
				h.served.Add(1)
				time.Sleep(2 * time.Millisecond) // an honest client stays below its rate
			}
		})
	}
	return h
}

// until waits for that many more requests.
func (h *honest) until(t *testing.T, more int64) {
	t.Helper()
	goal := h.served.Load() + more
	require.Eventually(t, func() bool { return h.served.Load() >= goal }, testservers.StartTimeout, time.Millisecond)
}

// end stops them and returns how many requests they sent, of which none failed.
func (h *honest) end(t *testing.T) int64 {
	t.Helper()
	h.stop()
	h.ended.Wait()
	require.Zero(t, h.failed.Load(), "no honest request fails")
	return h.served.Load()
}

func ask(ctx context.Context, client *http.Client, url, address, token string, n int) error {
	method, path, body := http.MethodGet, "/api/v1/users/profile", io.Reader(nil)
	if n%4 == 3 {
		// A plain reader, so that the client can't send it again unasked.
		method, path, body = http.MethodPost, "/api/v1/users/preferences", io.MultiReader(strings.NewReader(`{"theme":"dark"}`))
	}
	r, err := http.NewRequestWithContext(ctx, method, url+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Forwarded-For", address)
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
