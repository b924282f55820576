package cmd

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/progressive-framework/platform/sandbox/stack"
)

// errTerminated is the context's cause after a SIGTERM. After a SIGINT it is
// stack.ErrInterrupted.
var errTerminated = errors.New("terminated")

// Signals returns a context that ends at the first SIGINT or SIGTERM. The cause of the
// context says which signal it was. After the first signal, a second one ends the process.
func Signals(parent context.Context) (ctx context.Context, stop func()) {
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
