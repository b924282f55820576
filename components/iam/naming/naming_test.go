package naming

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFitShortensOnlyLongNames(t *testing.T) {
	const short = "progressive-framework-prod-postgres-monitoring-role"
	require.Equal(t, short, Fit(short, MaxRole), "a name that fits stays")
	long := "progressive-framework-abcdefghijkl-postgres-monitoring-role"
	require.Equal(t, "progressive-framework-abcdefghijkl-postgres-monit-", Fit(long, MaxRole)[:50])
	require.NotEqual(t, Fit(long, MaxRole), Fit(long+"2", MaxRole))
}

func TestFittedNameIsWithinTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z][a-z0-9-]{0,120}`).Draw(t, "name")
		fitted := Fit(name, MaxRole)
		require.LessOrEqual(t, len(fitted)+Suffix, MaxRole)
		require.Equal(t, fitted, Fit(name, MaxRole))
		require.True(t, strings.HasPrefix(name, fitted[:1]))
	})
}
