package cmd

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/progressive-framework/platform/sandbox/stack"
)

// errTerminated is the cause of the context after a SIGTERM.
var errTerminated = errors.New("terminated")

// WithSignals returns a context that ends at the first SIGINT or SIGTERM. The cause of the context is
// stack.ErrInterrupted after a SIGINT, and errTerminated after a SIGTERM. A second signal ends the
// process.
func WithSignals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	received := make(chan os.Signal, 1)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case s := <-received:
			cause := errTerminated
			if s == os.Interrupt {
				cause = stack.ErrInterrupted
			}
			cancel(cause)
		case <-ctx.Done():
		}
		signal.Stop(received)
	}()
	return ctx, func() { cancel(nil) }
}
