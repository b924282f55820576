package forward

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// findFreeAddress returns an address on which no process listens.
func findFreeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// startEchoServer starts a server and returns its address. The server reads until the client closes
// the write side of the connection. Then the server sends all bytes back and closes the connection.
func startEchoServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				all, _ := io.ReadAll(c)
				_, _ = c.Write(all)
			}()
		}
	}()
	return l.Addr().String()
}

func TestDataAndHalfClosesAreForwarded(t *testing.T) {
	from := findFreeAddress(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	require.NoError(t, Start(ctx, from, startEchoServer(t)))
	for range 3 {
		c, err := net.Dial("tcp", from)
		require.NoError(t, err)
		_, err = io.WriteString(c, "hello")
		require.NoError(t, err)
		require.NoError(t, c.(*net.TCPConn).CloseWrite(), "the end of one direction is forwarded")
		response, err := io.ReadAll(c)
		require.NoError(t, err)
		require.Equal(t, "hello", string(response))
		require.NoError(t, c.Close())
	}
}

func TestForwardEndsWithItsContext(t *testing.T) {
	from := findFreeAddress(t)
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, Start(ctx, from, startEchoServer(t)))
	c, err := net.Dial("tcp", from)
	require.NoError(t, err)
	defer c.Close()
	cancel()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "an open connection is closed")
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", from)
		if err == nil {
			c.Close()
		}
		return err != nil
	}, 10*time.Second, time.Millisecond, "no new connection is accepted")
}

func TestForwardWithoutATargetClosesTheConnection(t *testing.T) {
	from := findFreeAddress(t)
	require.NoError(t, Start(t.Context(), from, findFreeAddress(t)))
	c, err := net.Dial("tcp", from)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, context.DeadlineExceeded, "it is closed, not left open")
}

func TestForwardFromAnAddressInUseIsAnError(t *testing.T) {
	inUse := startEchoServer(t)
	require.ErrorContains(t, Start(t.Context(), inUse, findFreeAddress(t)), inUse)
}
