package engine

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// The project infra/bootstrap creates the IAM roles of the CI workflows. Its committed
// configuration must break no mandatory rule of the policy pack. The AWS stand-in must accept
// its resources, and a destroy must delete all of them.
func TestBootstrapLifecycle(t *testing.T) {
	e := newEnvironment(t)
	h := *e.layout
	h.Project = filepath.Join(e.layout.Project, "infra", "bootstrap")
	s := newStack(t, &environment{layout: &h, variables: []string{layout.PolicyPackVariable + "=" + e.layout.PolicyPack()}}, "ci")
	s.pulumi(t, "config", "rm", protection)
	s.pulumi(t, "config", "rm", discard)

	out := s.pulumi(t, "preview")
	require.NotContains(t, out, "[mandatory]")
	p := s.preview(t)
	require.Len(t, p.ChangeSummary, 1, "the preview shows only creations")
	require.Greater(t, p.ChangeSummary["create"], 10)
	require.Empty(t, s.awsResources(t), "the preview creates nothing")

	s.pulumi(t, "up", "--yes", "--skip-preview")
	defer destroyRemovesEverything(t, s)
	created := map[string]int{}
	for _, r := range s.awsResources(t) {
		created[r.Type]++
	}
	require.Equal(t, 1, created["aws:iam/openIdConnectProvider:OpenIdConnectProvider"])
	require.Equal(t, 4, created["aws:iam/role:Role"], "two roles for each of two stacks")
	var roles map[string]string
	s.output(t, "roles", &roles)
	require.Equal(t, map[string]string{
		"preview-staging": "arn:aws:iam::123456789012:role/ci-preview-staging", "deploy-staging": "arn:aws:iam::123456789012:role/ci-deploy-staging",
		"preview-prod": "arn:aws:iam::123456789012:role/ci-preview-prod", "deploy-prod": "arn:aws:iam::123456789012:role/ci-deploy-prod",
	}, roles)
	upAgainChangesNothing(t, s)
}
