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

// requestCounter counts requests, and records those that failed.
type requestCounter struct {
	began  time.Time
	mu     sync.Mutex
	total  int
	failed []string
}

// sendRequestsWhile sends requests to url from four clients until do returns. Two of the clients keep
// their connections open. It sends at most 60,000 requests, for at most ten minutes.
func sendRequestsWhile(t *testing.T, url string, do func(*requestCounter)) *requestCounter {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	requests := &requestCounter{began: time.Now()}
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
				requests.count(status, body, err)
			}
		})
	}
	do(requests)
	cancel()
	clients.Wait()
	return requests
}

// count adds a request. The request has failed if there is an error or the status is not 200.
func (c *requestCounter) count(status int, body string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total++
	switch {
	case err != nil:
		c.failed = append(c.failed, fmt.Sprintf("after %s: %v", time.Since(c.began), err))
	case status != http.StatusOK:
		c.failed = append(c.failed, fmt.Sprintf("after %s: %s: %s", time.Since(c.began), http.StatusText(status), body))
	}
}

// sentCount returns the number of requests so far.
func (c *requestCounter) sentCount() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// failures returns descriptions of the requests that have failed so far.
func (c *requestCounter) failures() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.failed)
}

// TestRolloutFailsNoRequest changes a line of a service and rolls out the change while requests
// are sent. No request may fail.
func TestRolloutFailsNoRequest(t *testing.T) {
	pageFile := filepath.Join(projectRoot, "agents", "web", "site", "page", "index.html")
	originalPage, err := os.ReadFile(pageFile)
	require.NoError(t, err)
	oldLine, newLine := "<h1>Progressive Framework</h1>", "<h1>Progressive Framework, as the live test says</h1>"
	require.Contains(t, string(originalPage), oldLine)
	t.Cleanup(func() {
		require.NoError(t, os.WriteFile(pageFile, originalPage, 0o644))
		runMakeUp(t)
	})

	runMakeUp(t) // after this, only the changed line is rolled out
	url := stackOutput[string](t, "url")
	firstImage := stackOutput[map[string]string](t, "images")["web"]
	requests := sendRequestsWhile(t, url, func(*requestCounter) {
		require.NoError(t, os.WriteFile(pageFile, []byte(strings.Replace(string(originalPage), oldLine, newLine, 1)), 0o644))
		runMakeUp(t)
		// The old pod ends some seconds after the new one is ready.
		time.Sleep(15 * time.Second)
	})
	require.Empty(t, requests.failed, "of %d requests", requests.total)
	require.Greater(t, requests.total, 500, "requests were sent during the whole rollout")

	secondImage := stackOutput[map[string]string](t, "images")["web"]
	require.NotEqual(t, firstImage, secondImage, "the changed line gives another digest")
	_, body, err := get(t.Context(), http.DefaultClient, url)
	require.NoError(t, err)
	require.Contains(t, body, newLine, "the new version answers")
	TestPodRunsTheDigestOfTheOutput(t)
}
