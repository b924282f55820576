// Package testservers starts the real servers that the agents' tests run on:
// PostgreSQL 15 and a Redis Cluster, both Debian's, on free ports of 127.0.0.1,
// with their data in a temporary folder. It owns the processes it starts, ends
// them by their own pid, and they die with the test binary if that is killed.
// It knows no schema and no key.
//
// A missing server fails the test with the name of its Debian package; nothing
// is ever skipped.
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

// Server is anything that Main ends after the tests.
type Server interface{ Close() error }

// Main starts the servers of one test binary, runs its tests and ends the
// servers; it returns the exit code for os.Exit in TestMain. One start for all
// tests of a package keeps them fast.
func Main(m *testing.M, start ...func(context.Context) (Server, error)) int {
	ctx, cancel := context.WithTimeout(context.Background(), StartTimeout)
	defer cancel()
	for _, one := range start {
		server, err := one(ctx)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer server.Close()
	}
	return m.Run()
}

// freePorts returns n different ports that were free a moment ago.
func freePorts(ctx context.Context, n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer listener.Close() // all are held until all are found, so they differ
		ports[i] = listener.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
