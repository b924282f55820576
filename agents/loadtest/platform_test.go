package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/fleet"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// TestTheRealServices: web, mca, npa and wpa as processes, on PostgreSQL and
// Redis, take the whole load test.
func TestTheRealServices(t *testing.T) {
	starting, cancel := context.WithTimeout(t.Context(), 2*testservers.StartTimeout)
	defer cancel()
	f, err := fleet.New(starting, "web", "mca", "npa", "wpa")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	platform, err := f.StartPlatform(t.Context())
	require.NoError(t, err)
	token, err := f.Token(servicetest.User)
	require.NoError(t, err)
	code, r, errs := command(t.Context(), t, token, "-url", platform.Web.URL, "-duration", "1s", "-rate", "100")
	require.Zero(t, code, "%s %+v", errs, r)
	require.Len(t, r.Load, 8)
}
