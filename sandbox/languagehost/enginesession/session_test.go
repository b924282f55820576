package enginesession

import (
	"bufio"
	"context"
	"io"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// startSession serves a plugin without a service and returns its session. stop ends the plugin, and
// done gets the result of Serve.
func startSession(t *testing.T) (session *Session, stop context.CancelFunc, done chan error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	sessions, done := make(chan *Session, 1), make(chan error, 1)
	go func() {
		done <- Serve(ctx, w, func(_ *grpc.Server, s *Session) error { sessions <- s; return nil })
	}()
	port, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err)
	require.Regexp(t, `^\d+\n$`, port, "the engine reads the port from the first line")
	t.Cleanup(stop)
	return <-sessions, stop, done
}

func TestCallContextEndsWithOperationPluginAndCall(t *testing.T) {
	for _, tc := range []struct {
		reason string
		end    func(*Session, context.CancelFunc, context.CancelFunc)
		cause  error
	}{
		{"the operation, which the engine cancels", func(s *Session, _, _ context.CancelFunc) { s.Cancel(); s.Cancel() }, ErrCanceled},
		{"the plugin", func(_ *Session, stop, _ context.CancelFunc) { stop() }, context.Canceled},
		{"the call", func(_ *Session, _, call context.CancelFunc) { call() }, context.Canceled},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s, stop, _ := startSession(t)
			call, endCall := context.WithCancel(t.Context())
			defer endCall()
			ctx, end := s.CallContext(call)
			defer end()
			require.NoError(t, ctx.Err())
			tc.end(s, stop, endCall)
			<-ctx.Done()
			require.ErrorIs(t, context.Cause(ctx), tc.cause)
		})
	}
}

func TestCallAfterCancelEndsAtOnce(t *testing.T) {
	s, _, _ := startSession(t)
	s.Cancel()
	ctx, end := s.CallContext(t.Context())
	defer end()
	<-ctx.Done()
	require.ErrorIs(t, context.Cause(ctx), ErrCanceled)
}

func TestServeEndsWithItsContext(t *testing.T) {
	_, stop, done := startSession(t)
	stop()
	require.NoError(t, <-done)
}

func TestPluginEndsIfTheEngineDoesNotAnswer(t *testing.T) {
	s, _, done := startSession(t)
	require.ErrorContains(t, s.Dial(""), "no address")
	require.Empty(t, s.Address())
	require.NoError(t, s.Dial("127.0.0.1:1"))
	require.Equal(t, "127.0.0.1:1", s.Address())
	require.NoError(t, <-done)
}

func TestLogWithoutAnEngineIsDropped(t *testing.T) {
	s, _, _ := startSession(t)
	s.Log(t.Context(), "urn", pulumirpc.LogSeverity_INFO, "lost")
}
