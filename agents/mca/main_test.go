package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/servicetest"
)

// binary is the built service; TestMain makes it.
var binary string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "mca-test-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "mca")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build mca: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// running is one running mca and what it logs.
type running struct {
	cmd     *exec.Cmd
	records chan map[string]any
}

// start runs the program with only these variables; it is killed with the
// test if it still runs.
func start(t *testing.T, changes map[string]string) *running {
	t.Helper()
	env := servicetest.New(t).Environ(changes)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	p := &running{cmd: exec.CommandContext(ctx, binary), records: make(chan map[string]any, 1024)}
	p.cmd.Env = env
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.records)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			record := map[string]any{}
			if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
				record["msg"] = "not JSON: " + lines.Text()
			}
			p.records <- record
		}
	}()
	return p
}

// until returns the first record from now with that message.
func (p *running) until(t *testing.T, msg string) map[string]any {
	t.Helper()
	for record := range p.records {
		if record["msg"] == msg {
			return record
		}
	}
	require.FailNow(t, "the process ended without saying "+msg)
	return nil
}

// exit returns the exit code and the records that were left.
func (p *running) exit(t *testing.T) (int, []map[string]any) {
	t.Helper()
	var left []map[string]any
	for record := range p.records {
		left = append(left, record)
	}
	err := p.cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), left
	}
	require.NoError(t, err)
	return 0, left
}

func get(ctx context.Context, client *http.Client, url string) (answer *http.Response, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, "", err
	}
	answer, err = client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer, string(text), err
}

// TestLifeOfTheProcess: starts, answers, and on SIGTERM under load leaves
// without a failed request and with code 0.
func TestLifeOfTheProcess(t *testing.T) {
	const clients, mostEach = 4, 200_000
	p := start(t, map[string]string{"DRAIN_DELAY": "2s"})
	url := "http://" + p.until(t, "listening")["address"].(string)

	_, body, err := get(t.Context(), http.DefaultClient, url+"/")
	require.NoError(t, err)
	require.Contains(t, body, greeting)
	answer, _, err := get(t.Context(), http.DefaultClient, url+"/health/ready")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode)

	// Each client sends until an answer asks it to move on.
	var (
		served, moved atomic.Int64
		all           sync.WaitGroup
	)
	for range clients {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for range mostEach {
				answer, _, err := get(t.Context(), client, url+"/health/coordination")
				if err != nil || answer.StatusCode != http.StatusOK {
					t.Errorf("a request failed: %v %v", answer, err)
					return
				}
				served.Add(1)
				if answer.Close {
					moved.Add(1)
					return
				}
			}
		})
	}
	require.Eventually(t, func() bool { return served.Load() > 100 }, 20*time.Second, time.Millisecond)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	all.Wait()
	require.EqualValues(t, clients, moved.Load(), "every client was asked to move on")
	answer, _, err = get(t.Context(), http.DefaultClient, url+"/health/ready")
	require.NoError(t, err, "readiness answers while draining")
	require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)

	code, left := p.exit(t)
	require.Zero(t, code, "%v", left)
	require.Equal(t, "drained", lastOf(left))
	var logged []any
	for _, record := range left {
		if record["msg"] == "request" {
			logged = append(logged, record["path"])
		}
	}
	require.Equal(t, []any{"/"}, logged, "probes are not logged at info")
}

// lastOf is the last message but for warnings: there is no database here to
// record the end in, which is no failure.
func lastOf(records []map[string]any) (msg any) {
	for _, record := range records {
		if record["level"] != "WARN" {
			msg = record["msg"]
		}
	}
	return msg
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	p := start(t, map[string]string{"DRAIN_DELAY": "5m"})
	p.until(t, "listening")
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	p.until(t, "draining")
	// The handler is taken off just after the drain begins, so one more signal
	// may still be swallowed; a person would press again as well.
	ended := make(chan error, 1)
	go func() {
		for range p.records { // all output must be read before Wait
		}
		ended <- p.cmd.Wait()
	}()
	require.Eventually(t, func() bool {
		select {
		case err := <-ended:
			require.ErrorContains(t, err, "interrupt")
			return true
		default:
			_ = p.cmd.Process.Signal(os.Interrupt) // it may just have ended
			return false
		}
	}, 20*time.Second, 5*time.Millisecond)
}

func TestExitCodes(t *testing.T) {
	for _, row := range []struct {
		reason string
		env    map[string]string
		code   int
		says   []string
	}{
		{"every mistake in the environment, each on a line", map[string]string{"MAX_CONCURRENT_AGENTS": "many", "DRAIN_DELAY": "5"}, 2, []string{
			`wrong configuration: MAX_CONCURRENT_AGENTS="many" must be a whole number from 1 to 10000: set it so, or unset it for the default 50`,
			`wrong configuration: DRAIN_DELAY="5" must be a duration with its unit, from 0s to 5m0s: set it so, or unset it for the default 5s`,
		}},
		{"an address that is not this machine's", map[string]string{"LISTEN_ADDRESS": "192.0.2.1:0"}, 1, []string{"stopped"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			code, records := start(t, row.env).exit(t)
			require.Equal(t, row.code, code)
			var said []string
			for _, record := range records {
				if record["level"] == "WARN" {
					continue // there is no database here
				}
				said = append(said, record["msg"].(string))
				require.Equal(t, "ERROR", record["level"])
				require.Equal(t, "mca", record["service"])
			}
			require.Equal(t, row.says, said)
		})
	}
}
