package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheProcessAnswers: the wired process answers the seed's request over a
// real connection and ends with code 0.
func TestTheProcessAnswers(t *testing.T) {
	env := map[string]string{"LISTEN_ADDRESS": "127.0.0.1:0", "DRAIN_DELAY": "0s"}
	lookup := func(name string) (string, bool) {
		value, set := env[name]
		return value, set
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	read, write := io.Pipe()
	code := make(chan int, 1)
	go func() { code <- program.Run(ctx, "wpa", lookup, write) }()
	logged := bufio.NewScanner(read)
	require.True(t, logged.Scan())
	var listening struct{ Address string }
	require.NoError(t, json.Unmarshal(logged.Bytes(), &listening))
	go func() { // the pipe must be read while requests are logged
		for logged.Scan() {
		}
	}()

	const seeds = `{"userId":"test-user-123","fitnessLevel":"intermediate","equipment":["dumbbells","resistance_bands"],"duration":45}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://"+listening.Address+"/api/v1/agents/wpa/generate", strings.NewReader(seeds))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	var body struct{ Sessions []json.RawMessage }
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&body))
	require.Len(t, body.Sessions, 1)
	stop()
	require.Zero(t, <-code)
}
