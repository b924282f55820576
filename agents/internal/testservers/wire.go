package testservers

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Wire is a TCP path to a server that can fall silent, as a network or a frozen
// machine does: connections stay and are made, and no byte gets through.
type Wire struct {
	listener net.Listener
	gate     sync.RWMutex // held for writing while it is silent
}

// NewWire leads to the server at address until the test ends, when it must not
// be silent.
func NewWire(t testing.TB, address string) *Wire {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &Wire{listener: listener}
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		all.Wait() // the clients and the server end their connections themselves
	})
	all.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
			if err != nil {
				_ = near.Close()
				continue
			}
			all.Go(func() { w.pass(near, far) })
			all.Go(func() { w.pass(far, near) })
		}
	})
	return w
}

// Address is the near end, HOST:PORT.
func (w *Wire) Address() string { return w.listener.Addr().String() }

// Silence lets nothing through until heal is called, once or more.
func (w *Wire) Silence() (heal func()) {
	w.gate.Lock()
	return sync.OnceFunc(w.gate.Unlock)
}

func (w *Wire) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	_, _ = io.Copy(gated{to, &w.gate}, from)
}

type gated struct {
	net.Conn
	gate *sync.RWMutex
}

func (g gated) Write(p []byte) (int, error) {
	g.gate.RLock()
	defer g.gate.RUnlock()
	return g.Conn.Write(p)
}
