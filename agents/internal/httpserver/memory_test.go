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
func TestMemoryLimitFollowsTheContainers(t *testing.T) {
	var container atomic.Uint64
	container.Store(1000 << 20)
	tuneGC(slog.New(slog.DiscardHandler), func() (uint64, error) { return container.Load(), nil }, time.Millisecond)
	require.EqualValues(t, 900<<20, debug.SetMemoryLimit(-1))
	container.Store(2000 << 20)
	require.Eventually(t, func() bool { return debug.SetMemoryLimit(-1) == 1800<<20 }, 20*time.Second, time.Millisecond)
}
