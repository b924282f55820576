package provider

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestContextEndsWithTheParentProcessOrTheOuterContext(t *testing.T) {
	var parent atomic.Int64
	parent.Store(42)
	ctx, cancel := cancelWhenOrphaned(t.Context(), func() int { return int(parent.Load()) }, time.Millisecond)
	defer cancel()
	require.NoError(t, ctx.Err())
	parent.Store(1)
	<-ctx.Done()

	outer, stop := context.WithCancel(t.Context())
	ctx, cancel = cancelWhenOrphaned(outer, func() int { return 42 }, time.Hour)
	defer cancel()
	stop()
	<-ctx.Done()
}
