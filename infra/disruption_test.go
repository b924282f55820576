package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/infra/config"
)

// Every Deployment and StatefulSet that can have two pods has a disruption budget. So the drain
// of nodes ends one of its pods at a time.
func TestWorkloadsWithSeveralPodsHaveADisruptionBudget(t *testing.T) {
	for _, stack := range []string{"sandbox", "staging", "prod"} {
		t.Run(stack, func(t *testing.T) {
			changes := map[string]string{}
			if stack == "sandbox" { // the sandbox's key files exist only after make build
				changes = map[string]string{
					config.Project + ":auth":   `{"issuer":"a","audience":"b","jwksUrl":"https://a.example.com/jwks"}`,
					config.Project + ":images": `{"mirror":"ecr://mirror"}`,
				}
			}
			budgets, checked := map[string]bool{}, 0
			resources := deployStackWith(t, stack, changes)
			for _, r := range resources {
				if r.Type == "kubernetes:policy/v1:PodDisruptionBudget" {
					spec := r.Properties["spec"].(map[string]any)
					require.EqualValues(t, 1, spec["maxUnavailable"], r.URN)
					budgets[appLabel(spec["selector"])] = true
				}
			}
			for _, r := range resources {
				if r.Type != "kubernetes:apps/v1:Deployment" && r.Type != "kubernetes:apps/v1:StatefulSet" {
					continue
				}
				spec := r.Properties["spec"].(map[string]any)
				if replicas, set := spec["replicas"].(float64); set && replicas < 2 {
					continue
				}
				checked++
				require.True(t, budgets[appLabel(spec["selector"])], "%s has several pods and no budget", r.URN)
			}
			require.GreaterOrEqual(t, checked, 4)
		})
	}
}

// appLabel returns the value of the label app in a selector. It returns "" if the selector has no
// such label.
func appLabel(selector any) string {
	object, _ := selector.(map[string]any)
	labels, _ := object["matchLabels"].(map[string]any)
	name, _ := labels["app"].(string)
	return name
}

// Every IAM role of the program has the permissions boundary of the configuration.
func TestEveryRoleHasThePermissionsBoundary(t *testing.T) {
	const boundary = "arn:aws:iam::123456789012:policy/boundary"
	roles := 0
	for _, r := range deployStackWith(t, "prod", map[string]string{config.Project + ":permissionsBoundary": boundary}) {
		if r.Type == "aws:iam/role:Role" {
			roles++
			require.Equal(t, boundary, r.Properties["permissionsBoundary"], r.URN)
		}
	}
	require.Greater(t, roles, 10)
}

// The policy eks-autoscaler-version reads the version of Cluster Autoscaler from the tag of its image,
// also when the image comes from a mirror.
func TestMirroredAutoscalerKeepsItsTag(t *testing.T) {
	autoscalers := 0
	for _, r := range deployStackWith(t, "prod", map[string]string{config.Project + ":images": `{"mirror":"ecr://mirror"}`}) {
		if r.Type == "kubernetes:apps/v1:Deployment" && appLabel(r.Properties["spec"].(map[string]any)["selector"]) == "cluster-autoscaler" {
			autoscalers++
			spec, err := json.Marshal(r.Properties["spec"])
			require.NoError(t, err)
			require.Regexp(t, `"image":"registry\.example\.com/base:v1\.\d+\.\d+@sha256:2"`, string(spec))
		}
	}
	require.Equal(t, 1, autoscalers)
}
