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

	"github.com/progressive-framework/platform/agents/internal/servicetest"
)

// TestTheProcessAnswers: the wired process answers the seed's request over a
// real connection and ends with code 0.
func TestTheProcessAnswers(t *testing.T) {
	world := servicetest.New(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	read, write := io.Pipe()
	code := make(chan int, 1)
	go func() { code <- program.Run(ctx, "wpa", world.Lookup(map[string]string{"DRAIN_DELAY": "0s"}), write) }()
	logged := bufio.NewScanner(read)
	require.True(t, logged.Scan())
	var listening struct{ Address string }
	require.NoError(t, json.Unmarshal(logged.Bytes(), &listening))
	go func() { // the pipe must be read while requests are logged
		for logged.Scan() {
		}
	}()

	const seeds = `{"userId":"test-user-123","fitnessLevel":"intermediate","equipment":["dumbbells","resistance_bands"],"duration":45}`
	post := func(token string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			"http://"+listening.Address+"/api/v1/agents/wpa/generate", strings.NewReader(seeds))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		t.Cleanup(func() { answer.Body.Close() })
		return answer
	}
	require.Equal(t, http.StatusUnauthorized, post("test-token").StatusCode)
	require.Equal(t, http.StatusForbidden, post(world.Token(t, "somebody-else")).StatusCode)
	answer := post(world.Token(t, servicetest.User))
	require.Equal(t, http.StatusOK, answer.StatusCode, "without PostgreSQL and Redis")
	var body struct{ Sessions []json.RawMessage }
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&body))
	require.Len(t, body.Sessions, 1)
	stop()
	require.Zero(t, <-code)
}
