package naming

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFitNameShortensOnlyLongNames(t *testing.T) {
	const short = "progressive-framework-prod-postgres-monitoring-role"
	require.Equal(t, short, FitName(short, MaxRoleNameLength), "a name that fits stays")
	long := "progressive-framework-abcdefghijkl-postgres-monitoring-role"
	require.Equal(t, "progressive-framework-abcdefghijkl-postgres-monit-", FitName(long, MaxRoleNameLength)[:50])
	require.NotEqual(t, FitName(long, MaxRoleNameLength), FitName(long+"2", MaxRoleNameLength))
}

func TestFittedNameIsWithinTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z][a-z0-9-]{0,120}`).Draw(t, "name")
		fitted := FitName(name, MaxRoleNameLength)
		require.LessOrEqual(t, len(fitted)+SuffixLength, MaxRoleNameLength)
		require.Equal(t, fitted, FitName(name, MaxRoleNameLength))
		require.True(t, strings.HasPrefix(name, fitted[:1]))
	})
}
