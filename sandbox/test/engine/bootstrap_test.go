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
	bootstrapLayout := *e.layout
	bootstrapLayout.Project = filepath.Join(e.layout.Project, "infra", "bootstrap")
	s := newStack(t, &environment{layout: &bootstrapLayout, variables: []string{layout.PolicyPackVariable + "=" + e.layout.PolicyPack()}, buildsProgram: true}, "ci")
	s.pulumi(t, "config", "rm", protectionKey)
	s.pulumi(t, "config", "rm", discardKey)

	out := s.pulumi(t, "preview")
	require.NotContains(t, out, "[mandatory]")
	preview := s.preview(t)
	require.Len(t, preview.ChangeSummary, 1, "the preview shows only creations")
	require.Greater(t, preview.ChangeSummary["create"], 10)
	require.Empty(t, s.listAWSResources(t), "the preview creates nothing")

	s.pulumi(t, "up", "--yes", "--skip-preview")
	defer checkDestroyRemovesEverything(t, s)
	created := map[string]int{}
	for _, r := range s.listAWSResources(t) {
		created[r.Type]++
	}
	require.Equal(t, 1, created["aws:iam/openIdConnectProvider:OpenIdConnectProvider"])
	require.Equal(t, 4, created["aws:iam/role:Role"], "two roles for each of two stacks")
	var roles map[string]string
	s.readOutput(t, "roles", &roles)
	require.Equal(t, map[string]string{
		"preview-staging": "arn:aws:iam::123456789012:role/ci-preview-staging", "deploy-staging": "arn:aws:iam::123456789012:role/ci-deploy-staging",
		"preview-prod": "arn:aws:iam::123456789012:role/ci-preview-prod", "deploy-prod": "arn:aws:iam::123456789012:role/ci-deploy-prod",
	}, roles)
	checkSecondUpChangesNothing(t, s)
}
