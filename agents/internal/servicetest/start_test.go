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

// services are the four services. Each row has a variable that only this service reads,
// and an invalid value for the variable.
var services = []struct{ name, variable, invalid string }{
	{"web", "WS_CONNECTIONS", "none"},
	{"mca", "MAX_CONCURRENT_AGENTS", "0"},
	{"npa", "NUTRITION_DB_CACHE_SIZE", "big"},
	{"wpa", "WORKOUT_TEMPLATE_CACHE", "big"},
}

// binDir is the folder of the services' executables.
var binDir string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// buildAndRun builds the services and runs the tests.
func buildAndRun(m *testing.M) (code int, err error) {
	if binDir, err = os.MkdirTemp("", "servicetest-"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(binDir)
	args := []string{"build", "-trimpath", "-ldflags=-s -w", "-o", binDir + "/"} // without DWARF the link takes half the time
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

// TestServicesStartWithoutDependencies checks that a process starts and stops quickly
// although it can reach no database, no Redis and no other service. The test measures CPU
// time, because the elapsed time depends on the machine's load.
func TestServicesStartWithoutDependencies(t *testing.T) {
	const limit = 200 * time.Millisecond // the allowed CPU time of start and shutdown
	for _, service := range services {
		t.Run(service.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), filepath.Join(binDir, service.name))
			cmd.Env = New(t).Environ(map[string]string{"DRAIN_DELAY": "0s", "REDIS_ADDRESSES": "127.0.0.1:1"})
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			start := time.Now()
			require.NoError(t, cmd.Start())
			records := bufio.NewScanner(out)
			for listening := false; !listening; {
				require.True(t, records.Scan())
				var record struct{ Msg string }
				require.NoError(t, json.Unmarshal(records.Bytes(), &record), records.Text())
				listening = record.Msg == "listening"
			}
			startup := time.Since(start)
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
			for records.Scan() {
			}
			require.NoError(t, cmd.Wait())
			cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			t.Logf("listens after %s; %s of CPU time until the exit", startup.Round(time.Millisecond), cpu)
			require.Less(t, cpu, limit)
		})
	}
}

// TestAllConfigErrorsAreReported checks that each invalid variable has its own log line, and
// that the exit code is 2.
func TestAllConfigErrorsAreReported(t *testing.T) {
	for _, service := range services {
		t.Run(service.name, func(t *testing.T) {
			invalid := map[string]string{
				"LOG_LEVEL": "loud", "DRAIN_DELAY": "5", "LISTEN_ADDRESS": "8000", "JWT_ISSUER": "", "DATABASE_URL": "mysql://h/d",
				"REDIS_ADDRESSES": "redis", "REDIS_TIMEOUT": "1", "TRACE_PERCENT": "101", service.variable: service.invalid,
			}
			cmd := exec.CommandContext(t.Context(), filepath.Join(binDir, service.name))
			cmd.Env = New(t).Environ(invalid)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			reported := map[string]string{}
			for records := bufio.NewScanner(out); records.Scan(); {
				var record struct{ Variable string }
				require.NoError(t, json.Unmarshal(records.Bytes(), &record))
				reported[record.Variable] = invalid[record.Variable]
			}
			exitErr, ok := errors.AsType[*exec.ExitError](cmd.Wait())
			require.True(t, ok)
			require.Equal(t, 2, exitErr.ExitCode())
			require.Equal(t, invalid, reported)
		})
	}
}
