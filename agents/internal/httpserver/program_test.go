package httpserver_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// service is a Service that only has readiness and metrics.
type service struct{ state httpserver.State }

func (s *service) Configure(c *httpserver.Config) {
	c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1") })
}

func (s *service) State() *httpserver.State { return &s.state }
func (s *service) Handler() http.Handler    { return http.HandlerFunc(s.state.ServeReadiness) }

// newProgram returns a Program with a function New that returns newErr.
func newProgram(newErr error) httpserver.Program[httpserver.Config] {
	return httpserver.Program[httpserver.Config]{
		ReadConfig: func(lookup func(string) (string, bool)) (httpserver.Config, error) {
			env := envconfig.New(lookup)
			return httpserver.ReadConfig(env, "127.0.0.1:0"), env.Err()
		},
		HTTP: func(c httpserver.Config) httpserver.Config { return c },
		New: func(context.Context, httpserver.Config, *slog.Logger) (httpserver.Service, error) {
			return &service{}, newErr
		},
	}
}

// startProgram starts the program. It returns a reader of the log, and a channel that
// receives the exit code.
func startProgram(ctx context.Context, p httpserver.Program[httpserver.Config], env map[string]string) (logs *bufio.Scanner, code <-chan int) {
	lookup := func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}
	reader, writer := io.Pipe()
	exitCode := make(chan int, 1)
	go func() {
		exitCode <- p.Run(ctx, "test", lookup, writer)
		writer.Close()
	}()
	return bufio.NewScanner(reader), exitCode
}

// nextRecord returns the next record of the log.
func nextRecord(t *testing.T, logs *bufio.Scanner) map[string]any {
	t.Helper()
	require.True(t, logs.Scan(), "the log ended")
	record := map[string]any{}
	require.NoError(t, json.Unmarshal(logs.Bytes(), &record))
	require.Equal(t, "test", record["service"])
	return record
}

func TestProgramServesAndDrains(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	logs, code := startProgram(ctx, newProgram(nil), map[string]string{"DRAIN_DELAY": "0s"})
	address := nextRecord(t, logs)["address"].(string)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/", nil)
	require.NoError(t, err)
	go func() { // without a reader the pipe would block the logger
		for logs.Scan() {
		}
	}()
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	stop()
	require.Zero(t, <-code)
}

func TestErrorsAreLoggedAndSetTheExitCode(t *testing.T) {
	for _, row := range []struct {
		reason   string
		newErr   error
		env      map[string]string
		code     int
		messages []string
	}{
		{"all configuration errors, each on its own line", nil, map[string]string{"DRAIN_DELAY": "5", "LOG_LEVEL": "loud"}, 2, []string{
			`wrong configuration: DRAIN_DELAY="5" must be a duration with its unit, from 0s to 5m0s: set such a value, or unset it for the default 5s`,
			`wrong configuration: LOG_LEVEL="loud" must be debug or info or warn or error: set such a value, or unset it for the default info`,
		}},
		{"an address of another machine", nil, map[string]string{"LISTEN_ADDRESS": "192.0.2.1:0"}, 1, []string{"stopped"}},
		{"New fails", errors.New("no table"), nil, 1, []string{"stopped"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			logs, code := startProgram(t.Context(), newProgram(row.newErr), row.env)
			for _, message := range row.messages {
				require.Equal(t, message, nextRecord(t, logs)["msg"])
			}
			require.False(t, logs.Scan())
			require.Equal(t, row.code, <-code)
		})
	}
}

// The port that load balancers reach has no metrics.
func TestMetricsAreServedOnASeparatePort(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	logs, code := startProgram(ctx, newProgram(nil), map[string]string{"METRICS_ADDRESS": "127.0.0.1:0", "DRAIN_DELAY": "0s"})
	metricsRecord := nextRecord(t, logs)
	require.Equal(t, "listening for scrapes", metricsRecord["msg"])
	serverRecord := nextRecord(t, logs)
	require.Equal(t, "listening", serverRecord["msg"])
	go func() {
		for logs.Scan() { // the program waits for a reader of its log
		}
	}()
	get := func(address any, path string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address.(string)+path, nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(body)
	}
	status, body := get(metricsRecord["address"], "/metrics")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "up 1", body)
	status, _ = get(metricsRecord["address"], "/")
	require.Equal(t, http.StatusNotFound, status)
	_, body = get(serverRecord["address"], "/metrics")
	require.NotContains(t, body, "up 1")
	stop()
	require.Zero(t, <-code)
}

func TestProgramEndsIfTheMetricsPortIsInUse(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	logs, code := startProgram(t.Context(), newProgram(nil), map[string]string{"METRICS_ADDRESS": listener.Addr().String()})
	record := nextRecord(t, logs)
	require.Contains(t, record["error"], "for metrics")
	require.Equal(t, 1, <-code)
}
