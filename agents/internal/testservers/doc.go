// Package testservers starts the real servers of the agents' tests: PostgreSQL 15 and
// a Redis Cluster, both from Debian. They listen on free ports of 127.0.0.1 and keep
// their data in a temporary folder. They end with the tests, even if the test binary
// is killed. This package creates no schema and no keys.
//
// A missing server fails the test with the name of its Debian package. No test
// is skipped.
package testservers

import (
	"context"
	"fmt"
	"net"
	"os"
	"testing"
	"time"
)

// StartTimeout bounds the start of one server on a busy machine.
const StartTimeout = time.Minute

// Server is a server that Main ends after the tests.
type Server interface{ Close() error }

// Main starts the servers of one test binary, runs its tests and ends the
// servers. It returns the exit code for os.Exit in TestMain. The tests of a
// package share the servers to save time.
func Main(m *testing.M, start ...func(context.Context) (Server, error)) int {
	ctx, cancel := context.WithTimeout(context.Background(), StartTimeout)
	defer cancel()
	for _, startServer := range start {
		server, err := startServer(ctx)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer server.Close()
	}
	return m.Run()
}

// findFreePorts returns n different free ports.
func findFreePorts(ctx context.Context, n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer listener.Close() // all listeners stay open until the end, so that the ports differ
		ports[i] = listener.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
