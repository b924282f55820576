package besteffort

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryJobIsDoneDroppedOrFailed(t *testing.T) {
	w := New(t.Context(), "a test's job", slog.New(slog.DiscardHandler))
	begun, release := make(chan struct{}), make(chan struct{})
	w.Do(func(context.Context) error {
		close(begun)
		<-release
		return nil
	})
	<-begun
	var ran atomic.Int64
	for i := range depth + 10 { // more than may wait
		w.Do(func(context.Context) error {
			ran.Add(1)
			if i == 0 {
				return errors.New("oh")
			}
			return nil
		})
	}
	close(release)
	w.Close(t.Context())
	require.EqualValues(t, depth, ran.Load(), "what waits is done before the end")
	require.Equal(t, Counts{Done: depth, Dropped: 10, Failed: 1}, w.Counts())
	require.False(t, w.Do(func(context.Context) error { panic("after the end") }))
	require.EqualValues(t, 11, w.Counts().Dropped)
	w.Close(t.Context())
}

func TestTheLastJobsAreBounded(t *testing.T) {
	w := New(t.Context(), "a test's job", slog.New(slog.DiscardHandler))
	hangs := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	for range 5 {
		w.Do(hangs)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // stands for the second's end
	w.Close(ctx)
	require.EqualValues(t, 5, w.Counts().Failed)
}

func TestAPanicCostsOneJob(t *testing.T) {
	w := New(t.Context(), "a test's job", slog.New(slog.DiscardHandler))
	require.True(t, w.Do(func(context.Context) error { panic("oh") }))
	require.True(t, w.Do(func(context.Context) error { return nil }))
	w.Close(t.Context())
	require.Equal(t, Counts{Done: 1, Failed: 1}, w.Counts())
}
