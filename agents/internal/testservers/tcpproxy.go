package testservers

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TCPProxy is a TCP proxy to a server. Freeze makes the server look like a machine that
// hangs: no bytes pass, but connections stay open and new ones are accepted.
type TCPProxy struct {
	listener net.Listener
	gate     sync.RWMutex // write-locked while the proxy is frozen
}

// NewTCPProxy starts a proxy to the server at address. The proxy ends with the test. After
// Freeze, a test must call thaw before it ends, because the cleanup waits until all
// connections are closed.
func NewTCPProxy(t testing.TB, address string) *TCPProxy {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &TCPProxy{listener: listener}
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
			wg.Go(func() { p.copyBytes(client, server) })
			wg.Go(func() { p.copyBytes(server, client) })
		}
	})
	return p
}

// Address is the HOST:PORT for clients.
func (p *TCPProxy) Address() string { return p.listener.Addr().String() }

// Freeze stops all bytes until thaw is called. thaw may be called more than once.
func (p *TCPProxy) Freeze() (thaw func()) {
	p.gate.Lock()
	return sync.OnceFunc(p.gate.Unlock)
}

// copyBytes copies bytes in one direction, except while the proxy is frozen.
func (p *TCPProxy) copyBytes(source, destination net.Conn) {
	defer source.Close()
	defer destination.Close()
	_, _ = io.Copy(gatedConn{destination, &p.gate}, source)
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
