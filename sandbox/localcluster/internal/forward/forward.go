// Package forward forwards TCP connections from one address to another.
package forward

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"
)

// dialTimeout limits the time to connect to an address of this machine.
const dialTimeout = 5 * time.Second

// Start listens on one address and forwards each connection to another, until ctx ends. It returns
// as soon as it listens.
func Start(ctx context.Context, from, to string) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", from)
	if err != nil {
		return fmt.Errorf("forward %s to %s: %w", from, to, err)
	}
	context.AfterFunc(ctx, func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if ctx.Err() != nil {
				if err == nil {
					in.Close()
				}
				return
			}
			if err != nil {
				slog.Error("forward: accept", "from", from, "err", err)
				select { // the cause may be too many open files, which ends after some time
				case <-ctx.Done():
				case <-time.After(100 * time.Millisecond):
				}
				continue
			}
			go forwardConn(ctx, in, to)
		}
	}()
	return nil
}

// forwardConn copies data in both directions. When one side sends EOF, the other side gets a
// half-close. Both connections are closed after both sides have sent EOF.
func forwardConn(ctx context.Context, in net.Conn, to string) {
	defer in.Close()
	dialer := net.Dialer{Timeout: dialTimeout}
	out, err := dialer.DialContext(ctx, "tcp", to)
	if err != nil {
		slog.Error("forward: dial", "to", to, "err", err)
		return
	}
	defer out.Close()
	stop := context.AfterFunc(ctx, func() { in.Close(); out.Close() })
	defer stop()
	responsesEnded := make(chan struct{})
	go func() {
		defer close(responsesEnded)
		copyOneWay(in, out)
	}()
	copyOneWay(out, in)
	<-responsesEnded
}

// copyOneWay copies data from src to dst until src sends EOF. Then it half-closes dst. Errors are ignored, because an error also ends the connection.
func copyOneWay(dst, src net.Conn) {
	_, _ = io.Copy(dst, src)
	if half, ok := dst.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
