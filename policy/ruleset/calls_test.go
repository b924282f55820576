package ruleset_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/evaluate"
)

// A role without permissions breaks iam-calls-allowed for each service account of prod. This shows
// that the rule lists the calls of each program.
func TestEveryRoleOfAPodNeedsPermissions(t *testing.T) {
	env, checked := compliantProd(t), 0
	for i, r := range env.resources {
		if r.Type == (awsview.IamRolePolicy{}).Token() {
			env.resources[i] = withInput(r, "policy", `{"Statement":[]}`)
		}
	}
	for key, r := range env.evaluateRules(nil) {
		if r.Rule.ID == "iam-calls-allowed" && r.Resource.Type == (awsview.EksPodIdentityAssociation{}).Token() {
			checked++
			assert.Equal(t, evaluate.Broken, r.Outcome, key)
		}
	}
	require.Positive(t, checked)
}
