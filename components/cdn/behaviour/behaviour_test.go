package behaviour

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// dynamic are paths that the platform's load balancer serves.
var dynamic = []string{"/api/*", "/ws", "/api/v1/agents/*"}

func TestPlatformSortsTheMostSpecificPathFirst(t *testing.T) {
	table, err := PlatformTable(dynamic, "/api/v1/templates/*", "/api/v1/agents/*/status")
	require.NoError(t, err)
	require.Equal(t, []Rule{
		{"/api/v1/agents/*/status", Dynamic, perCallerAgents},
		{"/api/v1/templates/*", Dynamic, perCallerAPI},
		{"/api/v1/agents/*", Dynamic, Caching{}},
		{"/api/*", Dynamic, Caching{}},
		{"/ws", Dynamic, Caching{}},
	}, table.Rules)
	require.Equal(t, Rule{"", Static, sharedStatic}, table.Default)
}

func TestFirstMatchingRuleApplies(t *testing.T) {
	table, err := PlatformTable(dynamic, "/api/v1/templates/*")
	require.NoError(t, err)
	for path, want := range map[string]string{
		"/api/v1/templates/a": "/api/v1/templates/*", "/api/v1/agents/npa/plan": "/api/v1/agents/*", "/api/v1/users": "/api/*", "/ws": "/ws",
		"/ws/a": "", "/": "", "/api": "",
	} {
		require.Equal(t, want, table.RuleFor(path).Pattern, path)
	}
}

// The numbers are those of the design document, in seconds.
func TestTTLsMatchTheDesignDocument(t *testing.T) {
	for _, tc := range []struct {
		caching            Caching
		defaultTTL, maxTTL time.Duration
	}{
		{sharedStatic, 86400, 31536000}, {perCallerAPI, 300, 3600}, {perCallerAgents, 60, 300},
	} {
		require.Equal(t, TTL{tc.defaultTTL * time.Second, tc.maxTTL * time.Second}, tc.caching.TTL(), tc.caching.Name())
	}
}

func TestPlatformRefusesEndpointsThatCannotBeCached(t *testing.T) {
	for _, tc := range []struct {
		reason    string
		cacheable []string
		want      []string
	}{
		{"the whole API", []string{"/api/*"}, []string{"behaviour /api/* never applies: /api/*"}},
		{"the whole API, with two stars", []string{"/api/**"}, []string{"behaviour /api/** never applies: /api/*"}},
		{"an endpoint twice", []string{"/api/v1/x", "/api/v1/x"}, []string{"behaviour /api/v1/x never applies"}},
		{"WebSockets, which have no response to cache", []string{"/ws"}, []string{`"/ws": must be below /api/`}},
		{"a pattern that also matches paths outside /api/", []string{"/a*"}, []string{`"/a*": must be below /api/`}},
		{"every error at once", []string{"nowhere", "/x"}, []string{`"nowhere": must be`, `"/x": must be`, `path pattern "nowhere"`}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := PlatformTable(dynamic, tc.cacheable...)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	var many []string
	for i := range maxRules {
		many = append(many, fmt.Sprintf("/api/v1/x%d", i))
	}
	_, err := PlatformTable(dynamic, many...)
	require.ErrorContains(t, err, "at most 24")
}

// The design document has /api/* first, so the behaviour of the agents never applies.
func TestDesignDocumentsOrderIsRefused(t *testing.T) {
	documentRules := []Rule{{Pattern: "/api/*", Origin: Dynamic}, {Pattern: "/api/v1/agents/*", Origin: Dynamic}}
	require.EqualError(t, checkRules(documentRules),
		"behaviour /api/v1/agents/* never applies: /api/* comes first and matches all of its paths")
	sorted, err := sortRules(documentRules)
	require.NoError(t, err)
	require.Equal(t, "/api/v1/agents/*", sorted[0].Pattern)
}

// For random rules and a random path, the applied rule must be the most specific of the
// rules that match. The order in which the rules are given must not matter.
func TestMostSpecificRuleApplies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rules []Rule
		for i := range rapid.IntRange(1, 6).Draw(t, "rules") {
			rules = append(rules, Rule{Pattern: string(drawPattern(t, fmt.Sprint(i)))})
		}
		sorted, err := sortRules(rules)
		if err != nil {
			return
		}
		shuffled, err := sortRules(rapid.Permutation(rules).Draw(t, "shuffled"))
		require.NoError(t, err)
		require.Equal(t, sorted, shuffled)
		path := "/" + rapid.StringMatching(`[abx]{0,6}`).Draw(t, "path")
		matches := func(r Rule) bool { return pathRegexp(pattern(r.Pattern)).MatchString(path) }
		applied := slices.IndexFunc(sorted, matches)
		if applied < 0 {
			return
		}
		for _, r := range sorted[applied+1:] {
			if matches(r) {
				require.False(t, pattern(sorted[applied].Pattern).covers(pattern(r.Pattern)), "%v hides %v", sorted[applied], r)
			}
		}
	})
}

// The origin of a cached path receives only the cache key. So a response that can differ by
// caller must have Authorization, the cookies and the query in its key.
func TestCachedAPIResponsesAreSeparateForEachCaller(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		endpoint := "/api/" + rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "endpoint")
		table, err := PlatformTable(dynamic, endpoint)
		require.NoError(t, err)
		for _, r := range append(table.Rules, table.Default) {
			switch {
			case !r.Caching.Cached():
				require.Equal(t, TTL{}, r.Caching.TTL(), "%v", r)
			case r.Origin == Dynamic:
				require.Contains(t, r.Caching.Headers(), "Authorization", "%v", r)
				require.True(t, r.Caching.PerCaller(), "%v: cookies can also identify the caller", r)
			default:
				require.Empty(t, r.Caching.Headers(), "%v: static files are the same for every caller", r)
				require.NotContains(t, r.Origin.Methods(), "POST")
			}
		}
	})
}
