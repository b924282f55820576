package ruleset_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/evaluate"
)

// Every rule also holds in a stack that promotes its images instead of building them.
func TestEveryRuleHoldsWithPromotedImages(t *testing.T) {
	env, promotedImages := newCompliantProd(t), 0
	renameType := func(text string) string { return strings.Replace(text, "ko:index:Image::", "ko:index:Promoted::", 1) }
	for i, r := range env.resources {
		r := *r
		if r.Type == "ko:index:Image" {
			r.Type, r.URN = "ko:index:Promoted", renameType(r.URN)
			promotedImages++
		}
		references := map[string][]string{}
		for prop, urns := range r.References {
			urns = slices.Clone(urns)
			for j := range urns {
				urns[j] = renameType(urns[j])
			}
			references[prop] = urns
		}
		r.References = references
		env.resources[i] = &r
	}
	require.Positive(t, promotedImages)
	checked := 0
	for key, r := range env.evaluateRules(nil) {
		if r.Rule.ID == "image-of-this-stack" {
			checked++
		}
		require.Equal(t, evaluate.Holds, r.Outcome, "%s: %v", key, r.Messages)
	}
	require.Positive(t, checked)
}
