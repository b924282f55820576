package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// soon bounds what must happen at some time; no test waits for it.
const soon = 20 * time.Second

// running is the program in this process, on a real database.
type running struct {
	world   *servicetest.World
	address string
	stop    context.CancelFunc
	code    <-chan int
}

func start(t *testing.T, changes map[string]string) *running {
	t.Helper()
	starting, cancel := context.WithTimeout(t.Context(), testservers.StartTimeout)
	defer cancel()
	server, err := testservers.StartPostgres(starting, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	env := map[string]string{"DATABASE_URL": servicetest.Database(t, server), "DRAIN_DELAY": "500ms", "LOG_LEVEL": "info"}
	for name, value := range changes {
		env[name] = value
	}
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	read, write := io.Pipe()
	code := make(chan int, 1)
	world := servicetest.New(t)
	go func() {
		code <- program.Run(ctx, "web", world.Lookup(env), write)
		write.Close()
	}()
	logged := bufio.NewScanner(read)
	require.True(t, logged.Scan())
	var listening struct{ Address string }
	require.NoError(t, json.Unmarshal(logged.Bytes(), &listening), logged.Text())
	go func() { // the pipe must be read while requests are logged
		for logged.Scan() {
		}
	}()
	return &running{world, listening.Address, stop, code}
}

// TestTheEndUnderLoadFailsNoRequest: readers and writers go on until an answer
// asks them to leave.
func TestTheEndUnderLoadFailsNoRequest(t *testing.T) {
	const clients = 6
	p := start(t, nil)
	var (
		served, moved atomic.Int64
		all           sync.WaitGroup
	)
	for i := range clients {
		token := p.world.Token(t, fmt.Sprint("user-", i))
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: soon}
			defer client.CloseIdleConnections()
			for n := 0; ; n++ {
				method, path, body := http.MethodGet, "/api/v1/users/profile", ""
				if n%3 == 2 {
					method, path, body = http.MethodPost, "/api/v1/users/preferences", `{"theme":"dark"}`
				}
				r, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.address+path, strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Authorization", "Bearer "+token)
				r.Header.Set("Content-Type", "application/json")
				answer, err := client.Do(r)
				if err != nil {
					t.Errorf("a request failed: %v", err)
					return
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				if answer.StatusCode != http.StatusOK {
					t.Errorf("a request failed: %s", answer.Status)
				}
				served.Add(1)
				if answer.Close {
					moved.Add(1)
					return
				}
			}
		})
	}
	require.Eventually(t, func() bool { return served.Load() > 200 }, soon, time.Millisecond)
	p.stop()
	all.Wait()
	require.Zero(t, <-p.code)
	require.EqualValues(t, clients, moved.Load())
	t.Logf("%d requests, none failed", served.Load())
}

// TestRudeClientsCostNobodyElse: while some send headers without end, far too
// many of them, or too large a body, the rest are served.
func TestRudeClientsCostNobodyElse(t *testing.T) {
	p := start(t, nil)
	for range 50 { // each holds its connection and says nothing more
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = io.WriteString(conn, "POST /api/v1/users/preferences HTTP/1.1\r\nHost: a\r\nX-")
		require.NoError(t, err)
	}
	send := func(method, path, body string, header map[string]string) int {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.address+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+p.world.Token(t, servicetest.User))
		r.Header.Set("Content-Type", "application/json")
		for name, value := range header {
			r.Header.Set(name, value)
		}
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		return answer.StatusCode
	}
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, send(http.MethodGet, "/", "", map[string]string{"X-A": strings.Repeat("a", 64<<10)}))
	require.Equal(t, http.StatusRequestEntityTooLarge, send(http.MethodPost, "/api/v1/users/preferences", strings.Repeat(" ", 2<<20), nil))
	require.Equal(t, http.StatusOK, send(http.MethodGet, "/api/v1/users/profile", "", nil))
	p.stop()
	require.Zero(t, <-p.code, "connections without a request hold up no end")
}
