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

// testServer is a Server on a free loopback port.
type testServer struct {
	*Server
	address  string
	stop     context.CancelFunc
	serveErr chan error // receives the result of Serve
	logs     *logBuffer
}

func (s *testServer) url(path string) string { return "http://" + s.address + path }

// launch starts a Server of handler. It has the Defaults, no drain delay and these changes.
// The Server ends with the test.
func launch(t *testing.T, handler http.Handler, changes ...func(*Config)) *testServer {
	t.Helper()
	return launchWithDrainDelay(t, handler, nil, changes...)
}

// launchWithDrainDelay starts a Server of handler with the Defaults and these changes. Its drain
// delay ends when delayOver is closed.
func launchWithDrainDelay(t *testing.T, handler http.Handler, delayOver <-chan time.Time, changes ...func(*Config)) *testServer {
	t.Helper()
	cfg := Defaults()
	cfg.Address = "127.0.0.1:0"
	cfg.DrainDelay = 0
	cfg.QuietPaths = []string{"/health"}
	for _, change := range changes {
		change(&cfg)
	}
	logs := &logBuffer{}
	log := NewLogger(logs, "test", slog.LevelDebug)
	server, err := New(cfg, handler, &State{}, log)
	require.NoError(t, err)
	if delayOver != nil {
		server.after = func(time.Duration) <-chan time.Time { return delayOver }
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", cfg.Address)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	s := &testServer{Server: server, address: listener.Addr().String(), stop: stop, serveErr: make(chan error, 1), logs: logs}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		s.serveErr <- server.Serve(ctx, listener)
	}()
	t.Cleanup(func() {
		stop()
		_ = server.http.Close() // ends the connections of a test that failed during a drain
		<-finished
	})
	return s
}

// logBuffer collects JSON log records.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// find returns the first record with the message and path.
func (l *logBuffer) find(msg, path string) (map[string]any, bool) {
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

// wait waits for the first record with the message and path. A request may be logged after
// the client has its response.
func (l *logBuffer) wait(t *testing.T, msg, path string) map[string]any {
	t.Helper()
	var record map[string]any
	require.Eventually(t, func() (ok bool) {
		record, ok = l.find(msg, path)
		return ok
	}, 10*time.Second, time.Millisecond, "no record %q of %s", msg, path)
	return record
}

// sendRequest sends one request on a new connection and returns the response and its
// body.
func sendRequest(t *testing.T, method, url string, body io.Reader, header http.Header) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	for name, values := range header {
		request.Header[name] = values
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	responseBody, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(responseBody)
}

// decodeProblem decodes the body of an error response.
func decodeProblem(t *testing.T, body string) httpapi.Problem {
	t.Helper()
	var problem httpapi.Problem
	require.NoError(t, json.Unmarshal([]byte(body), &problem), body)
	return problem
}

func TestConfigWithoutLimitsIsAnError(t *testing.T) {
	_, err := New(Config{DrainDelay: -1, ClientRate: 1, TrustedProxies: -1}, http.NotFoundHandler(), &State{}, slog.New(slog.DiscardHandler))
	require.Error(t, err)
	for _, name := range []string{
		"ReadHeaderTimeout", "ReadTimeout", "WriteTimeout", "IdleTimeout",
		"MaxHeaderBytes", "MaxBodyBytes", "DrainDelay", "ShutdownTimeout", "ClientBurst", "TrustedProxies", "Address",
	} {
		require.ErrorContains(t, err, name, "every invalid field is named at once")
	}
}

func TestRunErrorNamesTheAddressInUse(t *testing.T) {
	other, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer other.Close()
	cfg := Defaults()
	cfg.Address = other.Addr().String()
	server, err := New(cfg, http.NotFoundHandler(), &State{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.ErrorContains(t, server.Run(t.Context()), cfg.Address)
}

func TestServeReportsAClosedListener(t *testing.T) {
	server := launch(t, http.NotFoundHandler())
	require.NoError(t, server.http.Close())
	require.ErrorContains(t, <-server.serveErr, server.address)
}
