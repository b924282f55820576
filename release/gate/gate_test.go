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
		u, err := url.Parse(n.PredicateType())
		require.NoError(t, err)
		require.Equal(t, "https", u.Scheme)
		require.True(t, strings.HasSuffix(u.Path, "/"+string(n)+"/v1"))
		require.False(t, seen[n.PredicateType()])
		seen[n.PredicateType()] = true
	}
	require.Subset(t, Names(), WithOptionalEvidence())
	require.True(t, Pods.HasOptionalEvidence())
	require.False(t, Signatures.HasOptionalEvidence(), "no promotion without valid signatures")
	require.False(t, Name("other").HasOptionalEvidence())
}
