package cmd

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/progressive-framework/platform/sandbox/stack"
)

// errTerminated is the cause of a context that a SIGTERM ended; that of one
// that a SIGINT ended is stack.ErrInterrupted.
var errTerminated = errors.New("terminated")

// Signals returns a context that ends at the first SIGINT or SIGTERM, with the
// cause that tells which. After it the signals have their usual effect again,
// so that a second one ends the process.
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
