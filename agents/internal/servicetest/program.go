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

// soon bounds what must happen at some time; no test waits for it.
const soon = 20 * time.Second

// Program is an httpserver.Program, whatever its configuration.
type Program interface {
	Run(ctx context.Context, name string, lookup func(string) (string, bool), out io.Writer) int
}

// Process is a program that runs within the test's own process.
type Process struct {
	World   *World
	Address string             // where it listens, HOST:PORT
	Stop    context.CancelFunc // asks it to end, as SIGTERM does
	Code    <-chan int         // its exit code
}

// Start runs the program with these changes to a right environment, until it is
// stopped or the test ends.
func Start(t testing.TB, program Program, name string, changes map[string]string) *Process {
	t.Helper()
	world := New(t)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	read, write := io.Pipe()
	code, ended := make(chan int, 1), make(chan struct{})
	go func() {
		defer close(ended)
		code <- program.Run(ctx, name, world.Lookup(changes), write)
		_ = write.Close()
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	logged := bufio.NewScanner(read)
	require.True(t, logged.Scan())
	var listening struct{ Address string }
	require.NoError(t, json.Unmarshal(logged.Bytes(), &listening), logged.Text())
	go func() { // the pipe must be read while requests are logged
		for logged.Scan() {
		}
	}()
	return &Process{world, listening.Address, stop, code}
}

// Load is clients of a Process, each of whom sends one request after the other
// until an answer asks to leave the connection. Whatever is not answered by 200
// fails the test.
type Load struct {
	served, failed, moved atomic.Int64
	all                   sync.WaitGroup
}

// Load begins so many clients; request makes the n-th request of a client.
func (p *Process) Load(t testing.TB, clients int, request func(client, n int) *http.Request) *Load {
	t.Helper()
	l := &Load{}
	for client := range clients {
		l.all.Go(func() {
			to := &http.Client{Transport: &http.Transport{}, Timeout: soon}
			defer to.CloseIdleConnections()
			for n := 0; ; n++ {
				answer, err := to.Do(request(client, n))
				if err != nil {
					l.failed.Add(1)
					t.Errorf("a request failed: %v", err)
					return
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				if answer.StatusCode != http.StatusOK {
					l.failed.Add(1)
					t.Errorf("a request failed: %s", answer.Status)
				}
				l.served.Add(1)
				if answer.Close {
					l.moved.Add(1)
					return
				}
			}
		})
	}
	return l
}

// Until waits for that many requests.
func (l *Load) Until(t testing.TB, served int64) {
	t.Helper()
	require.Eventually(t, func() bool { return l.served.Load() >= served }, soon, time.Millisecond)
}

// End waits until every client was asked to leave and has left, none of its
// requests having failed.
func (l *Load) End(t testing.TB, clients int) {
	t.Helper()
	l.all.Wait()
	require.Zero(t, l.failed.Load(), "failed requests")
	require.EqualValues(t, clients, l.moved.Load(), "every client was asked to move on")
	t.Logf("%d requests, 0 failed", l.served.Load())
}
