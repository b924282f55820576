package ruleset_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/ruleset"
)

// docs/policy-peers.md lists the checks of other tools, each with the platform's rules for it. The
// rules must exist. For a check without a rule, the page must say why there is none.
func TestPolicyPeersPageNamesExistingRules(t *testing.T) {
	raw, err := os.ReadFile("../../docs/policy-peers.md")
	require.NoError(t, err)
	ids := map[string]bool{}
	for _, r := range ruleset.All() {
		ids[r.ID] = true
	}
	rows, namedRules := 0, 0
	quotedID := regexp.MustCompile("^`([a-z0-9-]+)`$")
	for line := range strings.Lines(string(raw)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || strings.TrimSpace(cells[1]) == "theirs" || strings.HasPrefix(cells[1], "---") {
			continue
		}
		rows++
		ruleIDs, note := strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])
		if ruleIDs == "no rule" {
			require.NotEmpty(t, note, "%s: say why there is no rule", cells[1])
			continue
		}
		for id := range strings.SplitSeq(ruleIDs, ", ") {
			match := quotedID.FindStringSubmatch(id)
			require.NotNil(t, match, "%s: %q is not the id of a rule", cells[1], id)
			require.True(t, ids[match[1]], "%s: there is no rule %s", cells[1], match[1])
			namedRules++
		}
	}
	require.Greater(t, rows, 100)
	require.Greater(t, namedRules, 80)
	for _, match := range regexp.MustCompile("`([a-z]+-[a-z0-9-]+)`").FindAllStringSubmatch(string(raw), -1) {
		require.True(t, ids[match[1]], "the text names the rule %s, which does not exist", match[1])
	}
}
