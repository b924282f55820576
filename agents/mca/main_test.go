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

// binary is the path of the service that TestMain builds.
var binary string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// buildAndRun builds mca and runs the tests. It returns the exit code of the tests.
func buildAndRun(m *testing.M) (code int, err error) {
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

// mcaProcess is a running mca and its log records.
type mcaProcess struct {
	cmd     *exec.Cmd
	records chan map[string]any
}

// startMCA runs the program with a valid environment and these changes. The process is killed
// when the test ends.
func startMCA(t *testing.T, changes map[string]string) *mcaProcess {
	t.Helper()
	env := servicetest.New(t).Environ(changes)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	p := &mcaProcess{cmd: exec.CommandContext(ctx, binary), records: make(chan map[string]any, 1024)}
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

// waitForMessage returns the next log record with the message, and drops the records
// before it.
func (p *mcaProcess) waitForMessage(t *testing.T, msg string) map[string]any {
	t.Helper()
	for record := range p.records {
		if record["msg"] == msg {
			return record
		}
	}
	require.FailNow(t, "the process ended without the log message "+msg)
	return nil
}

// waitForExit waits until the process ends. It returns the exit code and the remaining
// log records.
func (p *mcaProcess) waitForExit(t *testing.T) (code int, records []map[string]any) {
	t.Helper()
	for record := range p.records {
		records = append(records, record)
	}
	err := p.cmd.Wait()
	if exitErr, ok := errors.AsType[*exec.ExitError](err); ok {
		return exitErr.ExitCode(), records
	}
	require.NoError(t, err)
	return 0, records
}

// get sends a GET request, and returns the response and its body.
func get(ctx context.Context, client *http.Client, url string) (response *http.Response, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, "", err
	}
	response, err = client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response, string(text), err
}

// TestProcessServesAndDrainsUnderLoad sends SIGTERM while clients send requests. The process
// must exit with code 0, and no request may fail.
func TestProcessServesAndDrainsUnderLoad(t *testing.T) {
	const clients, maxRequests = 4, 200_000
	p := startMCA(t, map[string]string{"DRAIN_DELAY": "2s"})
	url := "http://" + p.waitForMessage(t, "listening")["address"].(string)

	_, body, err := get(t.Context(), http.DefaultClient, url+"/")
	require.NoError(t, err)
	require.Contains(t, body, greeting)
	response, _, err := get(t.Context(), http.DefaultClient, url+"/health/ready")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)

	// Each client sends requests until a response closes the connection. maxRequests ends a client
	// that never gets such a response.
	var (
		served, closed atomic.Int64
		wg             sync.WaitGroup
	)
	for range clients {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for range maxRequests {
				response, _, err := get(t.Context(), client, url+"/health/coordination")
				if err != nil || response.StatusCode != http.StatusOK {
					t.Errorf("a request failed: %v %v", response, err)
					return
				}
				served.Add(1)
				if response.Close {
					closed.Add(1)
					return
				}
			}
		})
	}
	require.Eventually(t, func() bool { return served.Load() > 100 }, 20*time.Second, time.Millisecond)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	wg.Wait()
	require.EqualValues(t, clients, closed.Load(), "the server closed every client's connection")
	response, _, err = get(t.Context(), http.DefaultClient, url+"/health/ready")
	require.NoError(t, err, "readiness responds while draining")
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)

	code, records := p.waitForExit(t)
	require.Zero(t, code, "%v", records)
	require.Equal(t, "drained", lastMessageExceptWarnings(records))
	var paths []any
	for _, record := range records {
		if record["msg"] == "request" {
			paths = append(paths, record["path"])
		}
	}
	require.Equal(t, []any{"/"}, paths, "probes are not logged at level info")
}

// lastMessageExceptWarnings returns the last message that is not a warning. These tests have no
// database, so the process warns at its end that it cannot save its state.
func lastMessageExceptWarnings(records []map[string]any) (msg any) {
	for _, record := range records {
		if record["level"] != "WARN" {
			msg = record["msg"]
		}
	}
	return msg
}

func TestSecondSignalEndsTheProcessImmediately(t *testing.T) {
	p := startMCA(t, map[string]string{"DRAIN_DELAY": "5m"})
	p.waitForMessage(t, "listening")
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	p.waitForMessage(t, "draining")
	// The signal handler is removed shortly after the drain begins, so the next
	// signal may still be ignored. Send it again.
	exited := make(chan error, 1)
	go func() {
		for range p.records { // Wait requires that all output is read
		}
		exited <- p.cmd.Wait()
	}()
	require.Eventually(t, func() bool {
		select {
		case err := <-exited:
			require.ErrorContains(t, err, "interrupt")
			return true
		default:
			_ = p.cmd.Process.Signal(os.Interrupt) // the process may have exited already
			return false
		}
	}, 20*time.Second, 5*time.Millisecond)
}

func TestErrorsAreLoggedAndSetTheExitCode(t *testing.T) {
	for _, row := range []struct {
		reason   string
		env      map[string]string
		code     int
		messages []string
	}{
		{"all configuration errors, each on its own line", map[string]string{"MAX_CONCURRENT_AGENTS": "many", "DRAIN_DELAY": "5"}, 2, []string{
			`wrong configuration: MAX_CONCURRENT_AGENTS="many" must be a whole number from 1 to 10000: set such a value, or unset it for the default 50`,
			`wrong configuration: DRAIN_DELAY="5" must be a duration with its unit, from 0s to 5m0s: set such a value, or unset it for the default 5s`,
		}},
		{"an address of another machine", map[string]string{"LISTEN_ADDRESS": "192.0.2.1:0"}, 1, []string{"stopped"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			code, records := startMCA(t, row.env).waitForExit(t)
			require.Equal(t, row.code, code)
			var messages []string
			for _, record := range records {
				if record["level"] == "WARN" {
					continue // the database is unreachable
				}
				messages = append(messages, record["msg"].(string))
				require.Equal(t, "ERROR", record["level"])
				require.Equal(t, "mca", record["service"])
			}
			require.Equal(t, row.messages, messages)
		})
	}
}
