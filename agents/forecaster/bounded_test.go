package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheusapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/stretchr/testify/require"
)

// An endless response would fill the memory of the pod, and the kernel would kill the process.
func TestEndlessResponseIsAnError(t *testing.T) {
	sent := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for block := []byte(strings.Repeat(" ", 1<<16)); sent < 100<<20; sent += len(block) {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	client, err := api.NewClient(api.Config{Address: server.URL, RoundTripper: boundedTransport{api.DefaultRoundTripper}})
	require.NoError(t, err)
	_, _, err = prometheusapi.NewAPI(client).QueryRange(t.Context(), "load", prometheusapi.Range{Start: time.Now().Add(-time.Hour), End: time.Now(), Step: time.Minute})
	require.ErrorContains(t, err, "too large")
	server.Close()
	require.Less(t, sent, 50<<20)
}
