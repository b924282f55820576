package ruleset_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/ruleset"
)

// Each rule says what it requires, why, how to fix a violation, and which standard requires it.
// There are at least 100 rules. At least 30 of them read several resources.
func TestEveryRuleIsDescribed(t *testing.T) {
	id := regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$`)
	seen, cross := map[string]bool{}, 0
	for _, r := range ruleset.All() {
		require.Regexp(t, id, r.ID)
		require.False(t, seen[r.ID], "two rules are called %s", r.ID)
		seen[r.ID] = true
		for what, text := range map[string]string{"title": r.Title, "why": r.Why, "fix": r.Fix} {
			require.NotEmpty(t, text, "%s has no %s", r.ID, what)
		}
		require.NotEmpty(t, r.Standards, "%s has no standard", r.ID)
		require.NotZero(t, r.Severity, r.ID)
		for _, environment := range []string{"prod", "staging", "sandbox"} {
			require.Greater(t, r.Levels.In(environment), rule.Disabled, "%s in %s", r.ID, environment)
		}
		require.GreaterOrEqual(t, r.Levels.Prod, r.Levels.Staging, "%s: prod is the strictest", r.ID)
		require.GreaterOrEqual(t, r.Levels.Staging, r.Levels.Sandbox, r.ID)
		require.NotEmpty(t, r.Check.Types, r.ID)
		if r.Check.Cross {
			cross++
		}
	}
	t.Logf("%d rules, %d of them across resources", len(seen), cross)
	require.GreaterOrEqual(t, len(seen), 100)
	require.GreaterOrEqual(t, cross, 30)
}
