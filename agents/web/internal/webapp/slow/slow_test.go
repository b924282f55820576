// Package slow_test runs Debian's slowhttptest against the service. It is
// separate from the service's other tests because it is slow.
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

// connectionsPerAttack is the number of connections of each attack. They are opened within a second.
const connectionsPerAttack = 200

// attacks are modes of slowhttptest. noticesClose is true if the tool notices that the server
// has closed its connections. It does not notice this in the mode that reads slowly.
var attacks = []struct {
	name, path   string
	args         []string
	noticesClose bool
}{
	{"slow headers", "/api/v1/users/profile", []string{"-H", "-i", "1", "-x", "24"}, true},
	{"slow body", "/api/v1/users/preferences", []string{"-B", "-i", "1", "-x", "10", "-s", "4000"}, true},
	{"a body above the limit", "/api/v1/users/preferences", []string{"-B", "-i", "1", "-s", "9000000"}, true},
	{"slow reading", "/app.js", []string{"-X", "-k", "3", "-n", "1", "-w", "1", "-y", "64", "-z", "5"}, false},
	{"overlapping ranges", "/app.js", []string{"-R", "-a", "10", "-b", "3000", "-t", "GET"}, true},
	{"a header above the limit", "/app.js", []string{"-R", "-a", "10", "-b", "9000", "-t", "GET"}, true},
}

// countingListener counts its open connections.
type countingListener struct {
	net.Listener
	open, highest atomic.Int64
}

// countingConn is a connection that calls onClose when it is closed.
type countingConn struct {
	net.Conn
	onClose func()
}

// Accept implements net.Listener.
func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if open := l.open.Add(1); open > l.highest.Load() {
		l.highest.Store(open) // only one goroutine accepts
	}
	return countingConn{conn, sync.OnceFunc(func() { l.open.Add(-1) })}, nil
}

// Close implements net.Conn.
func (c countingConn) Close() error {
	c.onClose()
	return c.Conn.Close()
}

// startService runs the service with its default limits, but with timeouts of a few seconds, so that
// the test does not take minutes.
func startService(t *testing.T, env *servicetest.Environment) (listener *countingListener, url string) {
	t.Helper()
	cfg, err := webapp.ReadConfig(env.Lookup(map[string]string{
		"DATABASE_URL": servicetest.CreateDatabase(t, postgres), "DATABASE_STATEMENT_TIMEOUT": "10s",
		// The service runs as behind the load balancer: all clients without
		// X-Forwarded-For count as one client.
		"TRUSTED_PROXIES": "1", "CLIENT_RATE": "1000", "DRAIN_DELAY": "0s", "SHUTDOWN_TIMEOUT": "20s",
	}))
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	s, err := webapp.New(t.Context(), cfg, log)
	require.NoError(t, err)
	httpConfig := cfg.HTTP
	s.Configure(&httpConfig)
	httpConfig.ReadHeaderTimeout, httpConfig.ReadTimeout, httpConfig.WriteTimeout, httpConfig.IdleTimeout = 2*time.Second, 3*time.Second, 3*time.Second, 3*time.Second
	server, err := httpserver.New(httpConfig, s.Handler(), s.State(), log)
	require.NoError(t, err)
	tcp, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", httpConfig.Address)
	require.NoError(t, err)
	listener = &countingListener{Listener: tcp}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	serveErr := make(chan error, 1)
	go func() { serveErr <- server.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-serveErr)
		require.NoError(t, s.Close(context.WithoutCancel(t.Context())))
	})
	return listener, "http://" + tcp.Addr().String()
}

// TestSlowClientsDoNotAffectOthers runs all attacks at the same time. No request of a normal client
// may fail, and the server must close the slow connections and free their resources.
func TestSlowClientsDoNotAffectOthers(t *testing.T) {
	tool, err := exec.LookPath("slowhttptest")
	require.NoError(t, err, "slowhttptest is not installed: install Debian's slowhttptest, or run make test, which installs it")
	env := servicetest.New(t)
	listener, url := startService(t, env)

	clients := startClients(t, env, url)
	clients.waitForRequests(t, 100)
	goroutines, heap := runtime.NumGoroutine(), measureHeap()
	attackCtx, stop := context.WithCancel(t.Context())
	defer stop()
	var noticing, others sync.WaitGroup // noticing waits for the attacks with noticesClose, others for the other attacks
	for _, attack := range attacks {
		args := append([]string{"-u", url + attack.path, "-c", fmt.Sprint(connectionsPerAttack), "-r", fmt.Sprint(connectionsPerAttack), "-l", "60", "-v", "1",
			// slowhttptest has no option for extra headers, so -f adds the header Authorization
			// after the content type.
			"-f", "application/json\r\nAuthorization: Bearer " + env.Token(t, "slow")}, attack.args...)
		group := &others
		if attack.noticesClose {
			group = &noticing
		}
		group.Go(func() {
			out, err := exec.CommandContext(attackCtx, tool, args...).CombinedOutput()
			if attack.noticesClose && (err != nil || !strings.Contains(string(out), "No open connections left")) {
				t.Errorf("%s: %v\n%s", attack.name, err, out)
			}
		})
	}
	// Before the tool's minute is over, only the server closes connections.
	require.Eventually(t, func() bool { return listener.highest.Load() > 2*connectionsPerAttack }, testservers.StartTimeout, time.Millisecond, "the attacks run concurrently")
	noticing.Wait()
	require.Eventually(t, func() bool { return listener.open.Load() <= clientCount }, testservers.StartTimeout, 10*time.Millisecond)
	stop()
	others.Wait()
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+10 }, testservers.StartTimeout, 10*time.Millisecond)
	require.Less(t, measureHeap(), heap+8<<20, "memory is freed")
	served := clients.end(t)
	t.Logf("%d connections at most; normal requests: %d, failed: 0; %d -> %d goroutines, heap %d -> %d KiB",
		listener.highest.Load(), served, goroutines, runtime.NumGoroutine(), heap>>10, measureHeap()>>10)
}

// measureHeap runs a garbage collection and returns the size of the heap in bytes.
func measureHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// clientCount is the number of normal clients, each with one connection.
const clientCount = 4

// normalClients read and write as in the design document's load test.
type normalClients struct {
	served, failed atomic.Int64
	stop           context.CancelFunc
	wg             sync.WaitGroup
}

// startClients starts the normal clients. end stops them.
func startClients(t *testing.T, env *servicetest.Environment, url string) *normalClients {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	clients := &normalClients{stop: stop}
	for i := range clientCount {
		token, address := env.Token(t, fmt.Sprint("user-", i)), fmt.Sprint("198.51.100.", i)
		clients.wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for n := 0; ctx.Err() == nil; n++ {
				if err := send(t.Context(), client, url, address, token, n); err != nil {
					clients.failed.Add(1)
					t.Error(err)
				}
				clients.served.Add(1)
				time.Sleep(2 * time.Millisecond) // stay below the rate limit
			}
		})
	}
	return clients
}

// waitForRequests waits for this number of further requests.
func (c *normalClients) waitForRequests(t *testing.T, more int64) {
	t.Helper()
	goal := c.served.Load() + more
	require.Eventually(t, func() bool { return c.served.Load() >= goal }, testservers.StartTimeout, time.Millisecond)
}

// end stops the clients and returns the number of their requests. None may have
// failed.
func (c *normalClients) end(t *testing.T) int64 {
	t.Helper()
	c.stop()
	c.wg.Wait()
	require.Zero(t, c.failed.Load(), "no normal request fails")
	return c.served.Load()
}

// send sends request number n from a client's address; every fourth request is
// a write.
func send(ctx context.Context, client *http.Client, url, address, token string, n int) error {
	method, path, body := http.MethodGet, "/api/v1/users/profile", io.Reader(nil)
	if n%4 == 3 {
		// The type of this reader has no GetBody, so the client cannot repeat the request.
		method, path, body = http.MethodPost, "/api/v1/users/preferences", io.MultiReader(strings.NewReader(`{"theme":"dark"}`))
	}
	r, err := http.NewRequestWithContext(ctx, method, url+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Forwarded-For", address)
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
