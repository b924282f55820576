package ruleset_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/ruleset"
)

func TestEveryRuleHoldsInCompliantProd(t *testing.T) {
	results := compliantProd(t).evaluateRules(nil)
	seen := map[string]bool{}
	for key, r := range results {
		seen[r.Rule.ID] = true
		assert.Equal(t, evaluate.Holds, r.Outcome, "%s: %v", key, r.Messages)
	}
	for _, r := range ruleset.All() {
		assert.True(t, seen[r.ID], "%s checks no resource of compliantProd", r.ID)
	}
}
