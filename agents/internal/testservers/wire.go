package testservers

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Wire is a TCP proxy to a server. Silence makes the server look like a machine that
// hangs: no bytes pass, but connections stay open and new ones are accepted.
type Wire struct {
	listener net.Listener
	gate     sync.RWMutex // write-locked while the wire is silent
}

// NewWire proxies to the server at address until the test ends. A test must call
// heal before the test ends, because the cleanup waits until all connections are
// closed.
func NewWire(t testing.TB, address string) *Wire {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &Wire{listener: listener}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		wg.Wait() // the clients and the server close their connections
	})
	wg.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
			if err != nil {
				_ = client.Close()
				continue
			}
			wg.Go(func() { w.pass(client, server) })
			wg.Go(func() { w.pass(server, client) })
		}
	})
	return w
}

// Address is the HOST:PORT for clients.
func (w *Wire) Address() string { return w.listener.Addr().String() }

// Silence stops all bytes until heal is called. heal may be called more than
// once.
func (w *Wire) Silence() (heal func()) {
	w.gate.Lock()
	return sync.OnceFunc(w.gate.Unlock)
}

// pass copies bytes in one direction, except while the wire is silent.
func (w *Wire) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	_, _ = io.Copy(gatedConn{to, &w.gate}, from)
}

// gatedConn is a connection that writes only while the gate is unlocked.
type gatedConn struct {
	net.Conn
	gate *sync.RWMutex
}

// Write waits until the gate is unlocked.
func (g gatedConn) Write(p []byte) (int, error) {
	g.gate.RLock()
	defer g.gate.RUnlock()
	return g.Conn.Write(p)
}
