// Package enginesession is a plugin's side of its bond with the Pulumi engine: it
// serves the plugin's gRPC service the way the engine expects, notices when the
// engine is gone, ends running calls when it cancels, and logs to its display.
package enginesession

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
)

// MaxMessage is the size in bytes of the largest message that the engine
// itself sends and accepts (rpcutil of the SDK).
const MaxMessage = 400 << 20

// logLimit is how long the engine may take to accept a log line.
const logLimit = 5 * time.Second

// ErrStopped is why a call ends when the plugin is asked to stop.
var ErrStopped = errors.New("the plugin was stopped")

// ErrCancelled is why a call ends when the engine cancels the operation.
var ErrCancelled = errors.New("the engine cancelled the operation")

// Session is one plugin's life: from the first line on stdout until the engine
// is gone or the plugin is stopped. It is safe for use by several goroutines.
type Session struct {
	life context.Context
	stop context.CancelCauseFunc

	mu        sync.Mutex
	address   string
	client    pulumirpc.EngineClient
	abort     chan struct{} // closed by Cancel
	cancelled bool
}

// Serve listens on a free port of 127.0.0.1, writes the port and a newline to
// stdout as the engine expects, and serves what register adds until ctx ends
// or the engine is gone. Calls that still run then are ended.
func Serve(ctx context.Context, stdout io.Writer, register func(*grpc.Server, *Session) error) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for the engine: %w", err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(ErrStopped)
	server := grpc.NewServer(grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage))
	if err := register(server, &Session{life: ctx, stop: stop, abort: make(chan struct{})}); err != nil {
		return errors.Join(err, listener.Close())
	}
	// GracefulStop waits for the calls, and those end with ctx.
	defer context.AfterFunc(ctx, server.GracefulStop)()

	if _, err := fmt.Fprintf(stdout, "%d\n", listener.Addr().(*net.TCPAddr).Port); err != nil {
		return errors.Join(fmt.Errorf("telling the engine the port: %w", err), listener.Close())
	}
	// Stopped before it began to serve: the end that was asked for.
	if err := server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serving the engine: %w", err)
	}
	return nil
}

// Meet takes the engine's address and from then on ends the session when the
// engine is gone. It holds one idle connection and waits for the kernel to say
// that it broke: a killed engine takes its plugins along at once, and until
// then the watch costs nothing.
func (s *Session) Meet(address string) error {
	if address == "" {
		return errors.New("the engine gave no address")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.address == address {
		return nil
	}
	// An idle timeout of zero means never: an idle connection must stay.
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithIdleTimeout(0),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage)))
	if err != nil {
		return fmt.Errorf("engine address %q: %w", address, err)
	}
	s.address, s.client = address, pulumirpc.NewEngineClient(conn)
	conn.Connect()
	go s.watch(conn, address)
	return nil
}

func (s *Session) watch(conn *grpc.ClientConn, address string) {
	defer conn.Close()
	connected := false
	for {
		state := conn.GetState()
		connected = connected || state == connectivity.Ready
		if state == connectivity.TransientFailure || state == connectivity.Shutdown || connected && state == connectivity.Idle {
			s.stop(fmt.Errorf("the engine at %s is gone", address))
			return
		}
		if !conn.WaitForStateChange(s.life, state) {
			return
		}
	}
}

// Address is the engine's, empty until Meet.
func (s *Session) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// Cancel ends every bound context with ErrCancelled, those to come included.
func (s *Session) Cancel() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.cancelled {
		s.cancelled = true
		close(s.abort)
	}
}

// Bound returns a context that ends with the call, with the session, and with
// Cancel; its cause says which. The caller calls the function when it is done.
func (s *Session) Bound(ctx context.Context) (context.Context, func()) {
	ctx, end := context.WithCancelCause(ctx)
	detach := context.AfterFunc(s.life, func() { end(context.Cause(s.life)) })
	go func() {
		select {
		case <-s.abort:
			end(ErrCancelled)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { detach(); end(nil) }
}

// Log shows a message beside the resource and keeps it in the diagnostics. It
// drops the line where the engine does not take it: a message that cannot be
// shown is no reason to fail what it is about.
func (s *Session) Log(ctx context.Context, urn string, severity pulumirpc.LogSeverity, message string) {
	s.mu.Lock()
	client := s.client
	s.mu.Unlock()
	if client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logLimit)
	defer cancel()
	_, _ = client.Log(ctx, &pulumirpc.LogRequest{Severity: severity, Message: message, Urn: urn})
}
