package database

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

var quiet = slog.New(slog.DiscardHandler)

func TestEveryItemIsDoneDroppedOrFailed(t *testing.T) {
	begun, release := make(chan struct{}, 8), make(chan struct{})
	var calls [][]int
	w := NewWriter(t.Context(), "a test's work", func(_ context.Context, items []int) error {
		begun <- struct{}{}
		<-release
		calls = append(calls, items)
		if len(calls) == 2 {
			return errors.New("oh")
		}
		return nil
	}, quiet)
	w.Do(-1)
	<-begun
	for i := range depth + 10 { // more than may wait
		w.Do(i)
	}
	close(release)
	w.Close(t.Context())
	require.Len(t, calls, 2, "what has gathered is done at once, before the end")
	require.Equal(t, []int{-1}, calls[0])
	require.Len(t, calls[1], depth)
	require.Equal(t, []int{0, 1, 2}, calls[1][:3], "in their order")
	require.Equal(t, WriterCounts{Done: 1, Dropped: 10, Failed: depth}, w.Counts())
	require.False(t, w.Do(0), "after the end")
	require.EqualValues(t, 11, w.Counts().Dropped)
	w.Close(t.Context())
}

func TestALonelyItemWaitsOnlySoLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := make(chan []string, 1)
		w := NewWriter(context.WithoutCancel(t.Context()), "a test's work", func(_ context.Context, items []string) error {
			done <- items
			return nil
		}, quiet)
		w.Do("alone")
		require.Equal(t, []string{"alone"}, <-done)
		w.Close(t.Context())
	})
}

func TestTheLastItemsAreBounded(t *testing.T) {
	w := NewWriter(t.Context(), "a test's work", func(ctx context.Context, _ []int) error {
		<-ctx.Done()
		return ctx.Err()
	}, quiet)
	for i := range 5 {
		w.Do(i)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // stands for the second's end
	w.Close(ctx)
	require.EqualValues(t, 5, w.Counts().Failed)
}

func TestAPanicCostsOneGathering(t *testing.T) {
	ran := make(chan struct{}, 1)
	w := NewWriter(t.Context(), "a test's work", func(_ context.Context, items []string) error {
		ran <- struct{}{}
		if items[0] == "bad" {
			panic("oh")
		}
		return nil
	}, quiet)
	require.True(t, w.Do("bad"))
	<-ran
	require.True(t, w.Do("good"))
	w.Close(t.Context())
	require.Equal(t, WriterCounts{Done: 1, Failed: 1}, w.Counts())
}
