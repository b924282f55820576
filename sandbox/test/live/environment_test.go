package live

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// timeout limits every command of run. A `make up` with filled caches takes seconds. If it
// rolls out a service, it also waits for new pods.
const timeout = 10 * time.Minute

var (
	projectRoot string         // the project's folder
	liveLayout  *layout.Layout // the sandbox of `make up` in that folder
)

func TestMain(m *testing.M) {
	var err error
	if projectRoot, err = filepath.Abs("../../.."); err != nil {
		log.Fatal(err)
	}
	if liveLayout, err = layout.Open(filepath.Join(projectRoot, ".sandbox")); err != nil {
		log.Fatalf("live tests: %v; run `make up` first", err)
	}
	os.Exit(m.Run())
}

// run runs a command in the sandbox's environment and returns its standard output. The test's
// log has all output.
func run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	return runWithin(t, timeout, name, args...)
}

// runWithin runs a command like run. limit is how long the command may take.
func runWithin(t *testing.T, limit time.Duration, name string, args ...string) (string, error) {
	t.Helper()
	// A cleanup function runs commands after the test's own context has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), limit)
	defer cancel()
	env := toolchain.SandboxEnv(liveLayout, os.Environ())
	if path := filepath.Join(liveLayout.Bin(), name); fileExists(path) {
		name = path
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = projectRoot, env
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	t.Logf("%s %s\n%s%s", filepath.Base(name), strings.Join(args, " "), out.String(), errOut.String())
	return out.String(), err
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// mustRun runs a command like run. The test fails if the command fails.
func mustRun(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := run(t, name, args...)
	require.NoError(t, err, "%s %v", name, args)
	return out
}

// runMakeUp runs `make up`.
func runMakeUp(t *testing.T) string {
	t.Helper()
	return mustRun(t, "make", "up")
}

// stackOutput returns an output of the stack sandbox.
func stackOutput[T any](t *testing.T, name string) T {
	t.Helper()
	var value T
	require.NoError(t, json.Unmarshal([]byte(mustRun(t, "pulumi", "stack", "output", name, "--json", "--stack", "sandbox")), &value))
	return value
}

// get sends a GET request to the platform and returns the status and the body of the response.
func get(ctx context.Context, client *http.Client, url string) (status int, responseBody string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	return send(client, req)
}

// post sends a JSON body to the platform with a token, and returns the status and the body of
// the response.
func post(ctx context.Context, client *http.Client, url, token, body string) (status int, responseBody string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	return send(client, req)
}

// send sends a request and returns the status and the body of the response.
func send(client *http.Client, req *http.Request) (status int, responseBody string, err error) {
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	return resp.StatusCode, string(body), err
}
