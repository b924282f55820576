package gate

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
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
	require.Subset(t, Names(), Evidence())
	require.True(t, Pods.MayMiss())
	require.False(t, Signatures.MayMiss(), "without signatures nothing is promoted")
	require.False(t, Name("other").MayMiss())
}

func TestStatementIsAboutTheDigest(t *testing.T) {
	digest, err := v1.NewHash("sha256:" + strings.Repeat("0a", 32))
	require.NoError(t, err)
	passed := Passed{From: "staging", To: "prod", Commit: strings.Repeat("0a", 20), At: time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC), Evidence: "3 pods", Images: map[string]string{"web": digest.String()}}
	s, err := Statement(Pods, "registry.example.com/staging/web", digest, passed)
	require.NoError(t, err)
	require.Equal(t, Pods.PredicateType(), s.PredicateType)
	require.Equal(t, map[string]string{"sha256": digest.Hex}, s.Subject[0].Digest)
	var read Passed
	require.NoError(t, json.Unmarshal(s.Predicate, &read))
	require.Equal(t, passed, read)
}
