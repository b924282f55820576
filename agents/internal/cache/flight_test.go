package cache

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCallAfterAnErrorStartsANewLoad checks that a call does not join a load that has just
// failed. With a wrong order of steps in flight.run, such a call would fail only rarely.
// So the test repeats the calls many times.
func TestCallAfterAnErrorStartsANewLoad(t *testing.T) {
	var (
		f       flight[int, int]
		errLoad = errors.New("an agent failed")
		finish  = func(int) {}
	)
	for user := range 20_000 {
		_, err := f.do(t.Context(), user, func(context.Context) (int, error) { return 0, errLoad }, finish)
		require.ErrorIs(t, err, errLoad)
		value, err := f.do(t.Context(), user, func(context.Context) (int, error) { return 1, nil }, finish)
		require.NoError(t, err)
		require.Equal(t, 1, value)
	}
}
