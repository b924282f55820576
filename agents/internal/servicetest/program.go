package servicetest

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// eventTimeout bounds the wait for an event. In a passing test the event comes much earlier.
const eventTimeout = 20 * time.Second

// Program is implemented by httpserver.Program, whatever its configuration type is.
type Program interface {
	Run(ctx context.Context, name string, lookup func(string) (string, bool), out io.Writer) int
}

// Process is a program that runs inside the test's process.
type Process struct {
	Env     *Environment
	Address string             // its listening HOST:PORT
	Stop    context.CancelFunc // starts the shutdown, as SIGTERM does
	Code    <-chan int         // receives its exit code
}

// Start runs the program in a valid environment with these changes, and waits until it
// listens. The program ends with Stop, or with the test.
func Start(t testing.TB, program Program, name string, changes map[string]string) *Process {
	t.Helper()
	env := New(t)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	logReader, logWriter := io.Pipe()
	code, done := make(chan int, 1), make(chan struct{})
	go func() {
		defer close(done)
		code <- program.Run(ctx, name, env.Lookup(changes), logWriter)
		_ = logWriter.Close()
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	logs := bufio.NewScanner(logReader)
	require.True(t, logs.Scan())
	var listening struct{ Address string }
	require.NoError(t, json.Unmarshal(logs.Bytes(), &listening), logs.Text())
	go func() { // without a reader the pipe would block the program's logger
		for logs.Scan() {
		}
	}()
	return &Process{env, listening.Address, stop, code}
}

// Load is a set of clients of a Process. Each sends one request after the other
// until a response closes the connection. A status other than 200 fails the
// test.
type Load struct {
	served, failed, closed atomic.Int64
	wg                     sync.WaitGroup
}

// StartLoad starts this number of clients. newRequest returns the n-th request of a client.
func (p *Process) StartLoad(t testing.TB, clients int, newRequest func(client, n int) *http.Request) *Load {
	t.Helper()
	l := &Load{}
	for client := range clients {
		l.wg.Go(func() {
			httpClient := &http.Client{Transport: &http.Transport{}, Timeout: eventTimeout}
			defer httpClient.CloseIdleConnections()
			for n := 0; ; n++ {
				response, err := httpClient.Do(newRequest(client, n))
				if err != nil {
					l.failed.Add(1)
					t.Errorf("a request failed: %v", err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if response.StatusCode != http.StatusOK {
					l.failed.Add(1)
					t.Errorf("a request failed: %s", response.Status)
				}
				l.served.Add(1)
				if response.Close {
					l.closed.Add(1)
					return
				}
			}
		})
	}
	return l
}

// WaitForResponses waits until all clients together have this number of responses.
func (l *Load) WaitForResponses(t testing.TB, served int64) {
	t.Helper()
	require.Eventually(t, func() bool { return l.served.Load() >= served }, eventTimeout, time.Millisecond)
}

// End waits until the server has closed the connection of every client. It
// fails the test if any request failed.
func (l *Load) End(t testing.TB, clients int) {
	t.Helper()
	l.wg.Wait()
	require.Zero(t, l.failed.Load(), "failed requests")
	require.EqualValues(t, clients, l.closed.Load(), "the server closed every client's connection")
	t.Logf("%d requests, 0 failed", l.served.Load())
}
