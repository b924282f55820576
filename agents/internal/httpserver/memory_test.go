package httpserver

import (
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A VerticalPodAutoscaler changes the memory of a running container. The process must use
// the new limit without a restart.
func TestGoMemoryLimitFollowsTheContainerLimit(t *testing.T) {
	var containerLimit atomic.Uint64
	containerLimit.Store(1000 << 20)
	tuneGC(slog.New(slog.DiscardHandler), func() (uint64, error) { return containerLimit.Load(), nil }, time.Millisecond)
	require.EqualValues(t, 900<<20, debug.SetMemoryLimit(-1), "nine tenths of the container limit")
	containerLimit.Store(2000 << 20)
	require.Eventually(t, func() bool { return debug.SetMemoryLimit(-1) == 1800<<20 }, 20*time.Second, time.Millisecond)
}
