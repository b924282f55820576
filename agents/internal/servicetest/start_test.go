package servicetest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// services are the four that serve, each with a mistake that only it can make.
var services = []struct{ name, variable, wrong string }{
	{"web", "WS_CONNECTIONS", "none"},
	{"mca", "MAX_CONCURRENT_AGENTS", "0"},
	{"npa", "NUTRITION_DB_CACHE_SIZE", "big"},
	{"wpa", "WORKOUT_TEMPLATE_CACHE", "big"},
}

// built is the folder of their executables.
var built string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (code int, err error) {
	if built, err = os.MkdirTemp("", "servicetest-"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(built)
	args := []string{"build", "-trimpath", "-ldflags=-s -w", "-o", built + "/"} // without DWARF they link in half the time
	for _, s := range services {
		args = append(args, "../../"+s.name)
	}
	build := exec.Command("go", args...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the services: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// TestTheyStartAtOnce: with every store and every other service away a process
// listens all the same. What starting and ending cost it is counted in time of
// the processor, as the clock's belongs to the machine's load.
func TestTheyStartAtOnce(t *testing.T) {
	const most = 200 * time.Millisecond // the project's limit for a start
	for _, service := range services {
		t.Run(service.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), filepath.Join(built, service.name))
			cmd.Env = New(t).Environ(map[string]string{"DRAIN_DELAY": "0s", "REDIS_ADDRESSES": "127.0.0.1:1"})
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			began := time.Now()
			require.NoError(t, cmd.Start())
			records := bufio.NewScanner(out)
			for listening := false; !listening; {
				require.True(t, records.Scan())
				var record struct{ Msg string }
				require.NoError(t, json.Unmarshal(records.Bytes(), &record), records.Text())
				listening = record.Msg == "listening"
			}
			took := time.Since(began)
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
			for records.Scan() {
			}
			require.NoError(t, cmd.Wait())
			spent := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			t.Logf("listens after %s; %s of the processor for its whole life", took.Round(time.Millisecond), spent)
			require.Less(t, spent, most)
		})
	}
}

// TestEveryMistakeIsReportedAtOnce, on a line each, with exit code 2.
func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	for _, service := range services {
		t.Run(service.name, func(t *testing.T) {
			wrong := map[string]string{
				"LOG_LEVEL": "loud", "DRAIN_DELAY": "5", "LISTEN_ADDRESS": "8000", "JWT_ISSUER": "", "DATABASE_URL": "mysql://h/d",
				"REDIS_ADDRESSES": "redis", "REDIS_TIMEOUT": "1", "TRACE_PERCENT": "101", service.variable: service.wrong,
			}
			cmd := exec.CommandContext(t.Context(), filepath.Join(built, service.name))
			cmd.Env = New(t).Environ(wrong)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			named := map[string]string{}
			for records := bufio.NewScanner(out); records.Scan(); {
				var record struct{ Variable string }
				require.NoError(t, json.Unmarshal(records.Bytes(), &record))
				named[record.Variable] = wrong[record.Variable]
			}
			exit, ended := errors.AsType[*exec.ExitError](cmd.Wait())
			require.True(t, ended)
			require.Equal(t, 2, exit.ExitCode())
			require.Equal(t, wrong, named)
		})
	}
}
