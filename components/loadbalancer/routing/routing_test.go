package routing

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// platformTargets returns targets such as those of the platform.
func platformTargets() []Target {
	return []Target{
		{Name: "web", NodePort: 30080, HealthPath: "/health/ready", Paths: []string{"/*"}},
		{Name: "app", NodePort: 30081, HealthPath: "/health/ready", Paths: []string{"/api/*", "/ws"}},
		{Name: "agents", NodePort: 30800, HealthPath: "/health/ready", Paths: []string{"/api/v1/agents/*"}},
	}
}

// Existing load balancers have these priorities. A changed priority would change their rules.
func TestPrioritiesOfExistingRulesStayTheSame(t *testing.T) {
	rules, err := Rules("staging", platformTargets())
	require.NoError(t, err)
	require.Equal(t, []Rule{
		{"agents", "/api/v1/agents/*", 38167},
		{"app", "/api/*", 45654},
		{"app", "/ws", 47515},
		{"web", "/*", 48671},
	}, rules)
}

func TestNamesAreWithinAWSLimits(t *testing.T) {
	longest := Target{Name: strings.Repeat("t", 10), NodePort: MaxNodePort}
	env := strings.Repeat("e", 12)
	require.LessOrEqual(t, len(GroupName(env, longest)), 32)
	require.LessOrEqual(t, len(BalancerName(env)), 32)
	require.Equal(t, "pf-staging-web-30080", GroupName("staging", platformTargets()[0]))
}

func TestRulesReturnsAllErrorsOfTargets(t *testing.T) {
	for _, tc := range []struct {
		reason string
		change func([]Target) []Target
		want   []string
	}{
		{"no target", func([]Target) []Target { return nil }, []string{"there must be a target"}},
		{"a path that two targets list", func(ts []Target) []Target { ts[2].Paths = append(ts[2].Paths, "/ws"); return ts }, []string{"path /ws is listed by app and by agents"}},
		{"a path that one target lists twice", func(ts []Target) []Target { ts[1].Paths = append(ts[1].Paths, "/ws"); return ts }, []string{"path /ws is listed by app and by app"}},
		{"every error at once", func(ts []Target) []Target {
			ts[0].Name, ts[1].NodePort, ts[2].HealthPath = "the-web", 80, "health"
			return ts
		}, []string{`target "the-web"`, "node port 80 must be", `health path "health"`}},
		{"a name that is too long for a target group", func(ts []Target) []Target { ts[0].Name = "applications"; return ts }, []string{`target "applications"`}},
		{"a target without a path", func(ts []Target) []Target { ts[0].Paths = nil; return ts }, []string{"must have paths"}},
		{"wildcards that are not at the end after a slash", func(ts []Target) []Target { ts[0].Paths = []string{"/a*b", "/*/x", "/a?", "/api*"}; return ts },
			[]string{`"/a*b"`, `"/*/x"`, `"/a?"`, `"/api*"`}},
		{"a slash at the end, and an empty path", func(ts []Target) []Target { ts[0].Paths = []string{"/api/", "/", ""}; return ts }, []string{`"/api/"`, `"/"`, `""`}},
		{"a pattern as health path", func(ts []Target) []Target { ts[0].HealthPath = "/health/*"; return ts }, []string{`health path "/health/*"`}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := Rules("staging", tc.change(platformTargets()))
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	_, err := Rules("progressive-framework-production", platformTargets())
	require.ErrorContains(t, err, `environment "progressive-framework-production"`)
}

// Two paths of the same length can have the same hash, and so the same priority. The test
// searches for such a pair. Rules must refuse it.
func TestEqualPrioritiesAreRefused(t *testing.T) {
	seen := map[int]string{}
	for i := 1000; ; i++ {
		p := fmt.Sprintf("/p%d", i)
		other, found := seen[priority(p)]
		if !found {
			seen[priority(p)] = p
			continue
		}
		targets := platformTargets()
		targets[0].Paths = []string{p, other}
		_, err := Rules("staging", targets)
		require.ErrorContains(t, err, "have the same priority")
		return
	}
}

// drawPath returns a random path, such as "/api/v1" or "/api/*".
func drawPath(t *rapid.T) string {
	segments := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "api", "v1"}), 0, 4).Draw(t, "segments")
	p := strings.Join(append([]string{""}, segments...), "/")
	if p == "" || rapid.Bool().Draw(t, "folder") {
		p += "/*"
	}
	return p
}

// The test draws pairs of paths. It skips a pair unless wide matches more requests than narrow.
func TestMoreSpecificPathHasAnEarlierPriority(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wide, narrow := drawPath(t), drawPath(t)
		narrowRequest := strings.Replace(narrow, "*", "x", 1)
		if wide == narrow || !Matches(wide, narrowRequest) || Matches(narrow, strings.Replace(wide, "*", "y", 1)) {
			return
		}
		require.Less(t, priority(narrow), priority(wide), "%s is hidden by %s", narrow, wide)
	})
}

func TestPrioritiesAreValidAndIndependentOfNewPaths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		targets := platformTargets()
		before, err := Rules("prod", targets)
		require.NoError(t, err)
		targets[0].Paths = append(targets[0].Paths, drawPath(t))
		after, err := Rules("prod", targets)
		if err != nil {
			return // the drawn path is already listed, or has the priority of another path
		}
		for _, r := range after {
			require.True(t, r.Priority >= 1 && r.Priority <= maxPriority, "%v", r)
		}
		for _, r := range before {
			require.Contains(t, after, r)
		}
	})
}

func TestFirstMatchingRuleApplies(t *testing.T) {
	rules, err := Rules("prod", platformTargets())
	require.NoError(t, err)
	for path, want := range map[string]string{"/api/v1/agents/npa/plan": "agents", "/api/v1/users": "app", "/ws": "app", "/ws/a": "web", "/": "web"} {
		rule, ok := RuleFor(rules, path)
		require.True(t, ok, path)
		require.Equal(t, want, rule.Target, path)
	}
	_, ok := RuleFor(rules[:1], "/ws")
	require.False(t, ok, "no rule matches, so the listener's default action responds")
}

func TestPortsReturnsEachPortOnce(t *testing.T) {
	require.Equal(t, []int{30080, 30800}, Ports([]Target{{NodePort: 30800}, {NodePort: 30080}, {NodePort: 30080}}),
		"a port that two targets share is returned once")
}
