// Package enginesession connects a plugin with the Pulumi engine. It serves the plugin's gRPC
// service as the engine expects. It detects that the engine has ended, and ends calls that the
// engine cancels. It also logs to the engine's display.
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

// logTimeout is how long the engine may take to accept a log line.
const logTimeout = 5 * time.Second

// ErrStopped is the cause of a call's context when the plugin is stopped.
var ErrStopped = errors.New("the plugin was stopped")

// ErrCanceled is the cause of a call's context when the engine cancels the
// operation.
var ErrCanceled = errors.New("the engine canceled the operation")

// Session is one run of a plugin: from the first line on stdout until the engine
// ends or the plugin is stopped. It is safe for use by several goroutines.
type Session struct {
	sessionCtx context.Context         // ends with the session
	stop       context.CancelCauseFunc // ends sessionCtx

	mu              sync.Mutex
	address         string
	client          pulumirpc.EngineClient
	cancelRequested chan struct{} // closed by Cancel
	canceled        bool
}

// Serve listens on a free port of 127.0.0.1, and writes the port and a newline to stdout,
// as the engine expects. It serves the services that register adds until ctx or the
// engine ends. Then it ends running calls.
func Serve(ctx context.Context, stdout io.Writer, register func(*grpc.Server, *Session) error) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for the engine: %w", err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(ErrStopped)
	server := grpc.NewServer(grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage))
	if err := register(server, &Session{sessionCtx: ctx, stop: stop, cancelRequested: make(chan struct{})}); err != nil {
		return errors.Join(err, listener.Close())
	}
	// GracefulStop waits for running calls. The calls end when ctx ends.
	defer context.AfterFunc(ctx, server.GracefulStop)()

	if _, err := fmt.Fprintf(stdout, "%d\n", listener.Addr().(*net.TCPAddr).Port); err != nil {
		return errors.Join(fmt.Errorf("writing the port for the engine: %w", err), listener.Close())
	}
	// ErrServerStopped means that ctx ended before Serve was called. This is not a
	// failure.
	if err := server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serving the engine: %w", err)
	}
	return nil
}

// Dial connects to the engine and ends the session when the engine ends. A second call with the
// same address does nothing. Dial keeps one idle connection. When the engine is killed, the
// kernel closes the connection, and the session ends immediately. So no polling is needed.
func (s *Session) Dial(address string) error {
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
		return fmt.Errorf("connect to the engine at %q: %w", address, err)
	}
	s.address, s.client = address, pulumirpc.NewEngineClient(conn)
	conn.Connect()
	go s.watch(conn, address)
	return nil
}

// watch ends the session when the connection to the engine is lost or can't be opened.
func (s *Session) watch(conn *grpc.ClientConn, address string) {
	defer conn.Close()
	wasConnected := false
	for {
		state := conn.GetState()
		if state == connectivity.Ready {
			wasConnected = true
		}
		// The state is also Idle before the first attempt to connect.
		isLost := state == connectivity.TransientFailure || state == connectivity.Shutdown || state == connectivity.Idle && wasConnected
		if isLost {
			s.stop(fmt.Errorf("the engine at %s is gone", address))
			return
		}
		if !conn.WaitForStateChange(s.sessionCtx, state) {
			return
		}
	}
}

// Address returns the engine's address; it is empty before Dial.
func (s *Session) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// Cancel ends every context of CallContext with ErrCanceled, also each context that is created
// later.
func (s *Session) Cancel() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.canceled {
		s.canceled = true
		close(s.cancelRequested)
	}
}

// CallContext returns a context for one call. The context ends when ctx ends, when the session ends or
// when Cancel is called. The cause of the context shows which of these happened. The caller must
// call release at the end of the call.
func (s *Session) CallContext(ctx context.Context) (callCtx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	detach := context.AfterFunc(s.sessionCtx, func() { cancel(context.Cause(s.sessionCtx)) })
	go func() {
		select {
		case <-s.cancelRequested:
			cancel(ErrCanceled)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { detach(); cancel(nil) }
}

// Log shows a message for a resource in the engine's display and diagnostics. If the
// engine does not accept the message, it is dropped, because a message must not fail
// the resource.
func (s *Session) Log(ctx context.Context, urn string, severity pulumirpc.LogSeverity, message string) {
	s.mu.Lock()
	client := s.client
	s.mu.Unlock()
	if client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer cancel()
	_, _ = client.Log(ctx, &pulumirpc.LogRequest{Severity: severity, Message: message, Urn: urn})
}
