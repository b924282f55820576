package httpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// running is a Server on a free port of loopback.
type running struct {
	*Server
	address string
	stop    context.CancelFunc
	ended   chan error // what Serve returned
	logged  *logged
}

func (r *running) url(path string) string { return "http://" + r.address + path }

// launch starts a Server of handler, with Defaults but no drain delay unless
// changed. It is ended with the test unless the test has ended it.
func launch(t *testing.T, handler http.Handler, changes ...func(*Config)) *running {
	t.Helper()
	return launchUntil(t, handler, nil, changes...)
}

// launchUntil is launch with a drain delay that lasts until over is closed.
func launchUntil(t *testing.T, handler http.Handler, over <-chan time.Time, changes ...func(*Config)) *running {
	t.Helper()
	cfg := Defaults()
	cfg.Address = "127.0.0.1:0"
	cfg.DrainDelay = 0
	cfg.QuietPaths = []string{"/health"}
	for _, change := range changes {
		change(&cfg)
	}
	logs := &logged{}
	log := NewLogger(logs, "test", slog.LevelDebug)
	server, err := New(cfg, handler, &State{}, log)
	require.NoError(t, err)
	if over != nil {
		server.after = func(time.Duration) <-chan time.Time { return over }
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", cfg.Address)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{Server: server, address: listener.Addr().String(), stop: stop, ended: make(chan error, 1), logged: logs}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		r.ended <- server.Serve(ctx, listener)
	}()
	t.Cleanup(func() {
		stop()
		_ = server.http.Close() // where the test has failed amid a drain
		<-finished
	})
	return r
}

// logged collects JSON records.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// find returns the first record with that message and path.
func (l *logged) find(msg, path string) (map[string]any, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.buf.String()) {
		var record map[string]any
		if json.Unmarshal([]byte(line), &record) == nil && record["msg"] == msg && record["path"] == path {
			return record, true
		}
	}
	return nil, false
}

// wait returns that record once it is there: a request is logged after its
// answer has reached the client.
func (l *logged) wait(t *testing.T, msg, path string) map[string]any {
	t.Helper()
	var record map[string]any
	require.Eventually(t, func() (ok bool) {
		record, ok = l.find(msg, path)
		return ok
	}, 10*time.Second, time.Millisecond, "no record %q of %s", msg, path)
	return record
}

// do sends one request on a connection of its own and returns the answer with
// its body.
func do(t *testing.T, method, url string, body io.Reader, header http.Header) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	for name, values := range header {
		request.Header[name] = values
	}
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer, string(text)
}

func errorOf(t *testing.T, body string) httpapi.Problem {
	t.Helper()
	var e httpapi.Problem
	require.NoError(t, json.Unmarshal([]byte(body), &e), body)
	return e
}

func TestConfigRefusesUnbounded(t *testing.T) {
	_, err := New(Config{DrainDelay: -1, ClientRate: 1, TrustedProxies: -1}, http.NotFoundHandler(), &State{}, slog.New(slog.DiscardHandler))
	require.Error(t, err)
	for _, name := range []string{
		"ReadHeaderTimeout", "ReadTimeout", "WriteTimeout", "IdleTimeout",
		"MaxHeaderBytes", "MaxBodyBytes", "DrainDelay", "ShutdownTimeout", "ClientBurst", "TrustedProxies", "Address",
	} {
		require.ErrorContains(t, err, name, "every wrong field is named at once")
	}
}

func TestRunNamesTheAddressInUse(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	cfg := Defaults()
	cfg.Address = taken.Addr().String()
	server, err := New(cfg, http.NotFoundHandler(), &State{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.ErrorContains(t, server.Run(t.Context()), cfg.Address)
}

func TestServeReportsALostListener(t *testing.T) {
	server := launch(t, http.NotFoundHandler())
	require.NoError(t, server.http.Close())
	require.ErrorContains(t, <-server.ended, server.address)
}
