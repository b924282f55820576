package httpserver_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

type service struct{ state httpserver.State }

func (s *service) State() *httpserver.State { return &s.state }
func (s *service) Handler() http.Handler    { return http.HandlerFunc(s.state.Ready) }

func program(fails error) httpserver.Program[httpserver.Config] {
	return httpserver.Program[httpserver.Config]{
		ReadConfig: func(lookup func(string) (string, bool)) (httpserver.Config, error) {
			env := envconfig.New(lookup)
			return httpserver.ReadConfig(env, "127.0.0.1:0"), env.Err()
		},
		HTTP: func(c httpserver.Config) httpserver.Config { return c },
		New: func(context.Context, httpserver.Config, *slog.Logger) (httpserver.Service, error) {
			return &service{}, fails
		},
	}
}

// run starts the program and returns its log and, when it ends, its code.
func run(ctx context.Context, p httpserver.Program[httpserver.Config], env map[string]string) (logged *bufio.Scanner, code <-chan int) {
	lookup := func(name string) (string, bool) {
		value, set := env[name]
		return value, set
	}
	read, write := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- p.Run(ctx, "test", lookup, write)
		write.Close()
	}()
	return bufio.NewScanner(read), ended
}

func record(t *testing.T, logged *bufio.Scanner) map[string]any {
	t.Helper()
	require.True(t, logged.Scan(), "the log ended")
	line := map[string]any{}
	require.NoError(t, json.Unmarshal(logged.Bytes(), &line))
	require.Equal(t, "test", line["service"])
	return line
}

func TestServesAndDrains(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	logged, code := run(ctx, program(nil), map[string]string{"DRAIN_DELAY": "0s"})
	address := record(t, logged)["address"].(string)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/", nil)
	require.NoError(t, err)
	go func() { // the pipe must be read while the request is logged
		for logged.Scan() {
		}
	}()
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	stop()
	require.Zero(t, <-code)
}

func TestExitCodes(t *testing.T) {
	for _, row := range []struct {
		reason string
		fails  error
		env    map[string]string
		code   int
		says   []string
	}{
		{"every mistake in the environment, each on a line", nil, map[string]string{"DRAIN_DELAY": "5", "LOG_LEVEL": "loud"}, 2, []string{
			`wrong configuration: DRAIN_DELAY="5" must be a duration with its unit, from 0s to 5m0s: set it so, or unset it for the default 5s`,
			`wrong configuration: LOG_LEVEL="loud" must be debug or info or warn or error: set it so, or unset it for the default info`,
		}},
		{"an address that is not this machine's", nil, map[string]string{"LISTEN_ADDRESS": "192.0.2.1:0"}, 1, []string{"stopped"}},
		{"a service that can't be made", errors.New("no table"), nil, 1, []string{"stopped"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			logged, code := run(t.Context(), program(row.fails), row.env)
			for _, says := range row.says {
				require.Equal(t, says, record(t, logged)["msg"])
			}
			require.False(t, logged.Scan())
			require.Equal(t, row.code, <-code)
		})
	}
}
