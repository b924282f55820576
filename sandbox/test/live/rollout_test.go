package live

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// visits counts requests, and records those that failed.
type visits struct {
	began  time.Time
	mu     sync.Mutex
	total  int
	failed []string
}

// visitWhile sends requests to url from four clients until do returns. Two of the clients keep
// their connections. It sends at most 60,000 requests, for at most ten minutes.
func visitWhile(t *testing.T, url string, do func(*visits)) *visits {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	v := &visits{began: time.Now()}
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() {
			client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: i%2 == 0}}
			tick := time.NewTicker(40 * time.Millisecond)
			defer tick.Stop()
			for range 15_000 {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				status, body, err := get(ctx, client, url)
				if ctx.Err() != nil {
					return
				}
				v.count(status, body, err)
			}
		})
	}
	do(v)
	cancel()
	clients.Wait()
	return v
}

// count adds a request. The request has failed if there is an error or the status is not 200.
func (v *visits) count(status int, body string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.total++
	switch {
	case err != nil:
		v.failed = append(v.failed, fmt.Sprintf("after %s: %v", time.Since(v.began), err))
	case status != http.StatusOK:
		v.failed = append(v.failed, fmt.Sprintf("after %s: %s: %s", time.Since(v.began), http.StatusText(status), body))
	}
}

// sent returns the number of requests so far.
func (v *visits) sent() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.total
}

// failures describes the requests that have failed so far.
func (v *visits) failures() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.failed)
}

// TestRolloutFailsNoRequest changes a line of a service and rolls it out while requests are
// sent. No request may fail.
func TestRolloutFailsNoRequest(t *testing.T) {
	file := filepath.Join(root, "agents", "web", "site", "page", "index.html")
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	oldLine, newLine := "<h1>Progressive Framework</h1>", "<h1>Progressive Framework, as the live test says</h1>"
	require.Contains(t, string(before), oldLine)
	t.Cleanup(func() {
		require.NoError(t, os.WriteFile(file, before, 0o644))
		makeUp(t)
	})

	makeUp(t) // after this, only the changed line is rolled out
	url := output[string](t, "url")
	first := output[map[string]string](t, "images")["web"]
	v := visitWhile(t, url, func(*visits) {
		require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(before), oldLine, newLine, 1)), 0o644))
		makeUp(t)
		// The old pod ends some seconds after the new one is ready.
		time.Sleep(15 * time.Second)
	})
	require.Empty(t, v.failed, "of %d requests", v.total)
	require.Greater(t, v.total, 500, "requests were sent during the whole rollout")

	second := output[map[string]string](t, "images")["web"]
	require.NotEqual(t, first, second, "the changed line gives another digest")
	_, body, err := get(t.Context(), http.DefaultClient, url)
	require.NoError(t, err)
	require.Contains(t, body, newLine, "the new version answers")
	TestPodRunsTheDigestOfTheOutput(t)
}
