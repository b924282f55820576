package gate

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEachGateHasItsOwnPredicateType(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range Names() {
		u, err := url.Parse(n.PredicateType("prod"))
		require.NoError(t, err)
		require.Equal(t, "https", u.Scheme)
		require.True(t, strings.HasSuffix(u.Path, "/"+string(n)+"/prod/v1"))
		require.False(t, seen[n.PredicateType("prod")])
		require.NotEqual(t, n.PredicateType("staging"), n.PredicateType("prod"), "a statement for staging is none for prod")
		seen[n.PredicateType("prod")] = true
	}
	require.Subset(t, Names(), NamesWithOptionalEvidence())
	require.True(t, Pods.HasOptionalEvidence())
	require.False(t, Signatures.HasOptionalEvidence(), "no promotion without valid signatures")
	require.False(t, Name("other").HasOptionalEvidence())
}
