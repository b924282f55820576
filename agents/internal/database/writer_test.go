package database

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

var discardLog = slog.New(slog.DiscardHandler)

func TestCountsIncludeWrittenDroppedAndFailedItems(t *testing.T) {
	started, release := make(chan struct{}, 8), make(chan struct{})
	var calls [][]int
	w := NewWriter(t.Context(), "test write", func(_ context.Context, items []int) error {
		started <- struct{}{}
		<-release
		calls = append(calls, items)
		if len(calls) == 2 {
			return errors.New("write failed")
		}
		return nil
	}, discardLog)
	w.Enqueue(-1)
	<-started
	for i := range queueSize + 10 { // more than the queue holds
		w.Enqueue(i)
	}
	close(release)
	w.Close(t.Context())
	require.Len(t, calls, 2, "queued items are written in one batch before Close returns")
	require.Equal(t, []int{-1}, calls[0])
	require.Len(t, calls[1], queueSize)
	require.Equal(t, []int{0, 1, 2}, calls[1][:3], "items are written in the order of Enqueue")
	require.Equal(t, WriterCounts{Written: 1, Dropped: 10, Failed: queueSize}, w.Counts())
	require.False(t, w.Enqueue(0), "after Close")
	require.EqualValues(t, 11, w.Counts().Dropped)
	w.Close(t.Context())
}

func TestSingleItemIsWrittenAfterTheBatchDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := make(chan []string, 1)
		w := NewWriter(context.WithoutCancel(t.Context()), "test write", func(_ context.Context, items []string) error {
			done <- items
			return nil
		}, discardLog)
		w.Enqueue("alone")
		require.Equal(t, []string{"alone"}, <-done)
		w.Close(t.Context())
	})
}

func TestCloseReturnsWhenItsContextEnds(t *testing.T) {
	w := NewWriter(t.Context(), "test write", func(ctx context.Context, _ []int) error {
		<-ctx.Done()
		return ctx.Err()
	}, discardLog)
	for i := range 5 {
		w.Enqueue(i)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // as if the timeout of Close had passed
	w.Close(ctx)
	require.EqualValues(t, 5, w.Counts().Failed)
}

func TestPanicFailsOnlyItsBatch(t *testing.T) {
	called := make(chan struct{}, 1)
	w := NewWriter(t.Context(), "test write", func(_ context.Context, items []string) error {
		called <- struct{}{}
		if items[0] == "bad" {
			panic("test panic")
		}
		return nil
	}, discardLog)
	require.True(t, w.Enqueue("bad"))
	<-called
	require.True(t, w.Enqueue("good"))
	w.Close(t.Context())
	require.Equal(t, WriterCounts{Written: 1, Failed: 1}, w.Counts())
}
