package manifest

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/progressive-framework/platform/components/iam/policydocument"
	"github.com/progressive-framework/platform/components/scaling"
)

// readManifest returns the command and the resources of the container in the design
// document's manifest.
func readManifest(t *testing.T) (command []string, resources map[string]map[string]string) {
	t.Helper()
	text, err := os.ReadFile("testdata/cluster-autoscaler.yaml")
	require.NoError(t, err)
	var deployment struct {
		Spec struct {
			Template struct {
				Spec struct {
					Containers []struct {
						Command   []string
						Resources map[string]map[string]string
					}
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &deployment))
	container := deployment.Spec.Template.Spec.Containers[0]
	return container.Command, container.Resources
}

// The command has every flag of the design document, in the same order. Three flags are
// corrected.
func TestCommandMatchesTheDesignDocument(t *testing.T) {
	want, _ := readManifest(t)
	corrected := map[string]string{
		// Release 1.32 replaced this flag.
		"--max-empty-bulk-delete=10": "--max-scale-down-parallelism=10",
		// The design document's two tags are the same in every environment, so the cluster's own
		// tag is added.
		"--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/progressive-framework-v5": "--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/progressive-framework-v5,k8s.io/cluster-autoscaler/progressive-framework-prod",
		// The flag gets a value, because the option can also be false.
		"--balance-similar-node-groups": "--balance-similar-node-groups=true",
	}
	for i, flag := range want {
		if replacement, ok := corrected[flag]; ok {
			want[i] = replacement
		}
	}
	command, err := Command(scaling.DefaultClusterAutoscaler(), "progressive-framework-prod")
	require.NoError(t, err)
	require.Equal(t, want, command)
}

func TestResourcesMatchTheDesignDocument(t *testing.T) {
	_, want := readManifest(t)
	for _, kind := range []string{"requests", "limits"} {
		require.Equal(t, "300Mi", want[kind]["memory"])
		want[kind]["memory"] = "600Mi" // with the design document's limit, the kernel can kill the autoscaler at its start
	}
	actual := scaling.DefaultClusterAutoscaler().Resources
	for _, tc := range []struct {
		kind, name string
		actual     resource.Quantity
	}{
		{"requests", "cpu", actual.CPURequest}, {"limits", "cpu", actual.CPULimit},
		{"requests", "memory", actual.MemoryRequest}, {"limits", "memory", actual.MemoryLimit},
	} {
		require.Zero(t, tc.actual.Cmp(resource.MustParse(want[tc.kind][tc.name])), "%s of %s", tc.kind, tc.name)
	}
}

func TestCommandHasTheValuesOfTheOptions(t *testing.T) {
	o := scaling.DefaultClusterAutoscaler()
	o.ScaleDownDelayAfterAdd, o.ScaleDownUnneededTime, o.MaxNodeProvisionTime = 90*time.Second, 2*time.Hour, 10*time.Minute
	o.ScaleDownUtilizationThreshold, o.BalanceSimilarNodeGroups = 0.65, false
	command, err := Command(o, "c")
	require.NoError(t, err)
	for _, flag := range []string{
		"--scale-down-delay-after-add=1m30s", "--scale-down-unneeded-time=2h", "--max-node-provision-time=10m",
		"--scale-down-utilization-threshold=0.65", "--balance-similar-node-groups=false",
	} {
		require.Contains(t, command, flag)
	}
	o.MaxScaleDownParallelism = 0
	_, err = Command(o, "c")
	require.ErrorContains(t, err, "MaxScaleDownParallelism 0")
	_, err = Command(scaling.DefaultClusterAutoscaler(), "")
	require.ErrorContains(t, err, "must be the name of the EKS cluster")
}

func TestImageHasTheClustersMinorVersion(t *testing.T) {
	for _, minor := range []string{"1.33", "1.34", "1.35", "1.36"} {
		image, err := Image(minor)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(image, "registry.k8s.io/autoscaling/cluster-autoscaler:v"+minor+"."), image)
	}
	_, err := Image("1.27")
	require.ErrorContains(t, err, `"1.27": must be one of`)
}

// CheckIdentity refuses the permission to scale without a condition. The condition allows
// the groups of this cluster with the Cluster Autoscaler as capacity owner.
func TestPermissionsAreScopedToTheClustersGroups(t *testing.T) {
	unscoped := policydocument.Statement{Sid: "Scale", Actions: ScaleActions(), Resources: []string{policydocument.Any}}
	require.ErrorContains(t, policydocument.CheckIdentity(unscoped), "has no condition")
	require.NoError(t, policydocument.CheckIdentity(policydocument.Statement{Sid: "Read", Actions: ReadActions(), Resources: []string{policydocument.Any}}))

	allowed := func(clusterName string, tags map[string]string) bool {
		for key, value := range ScopeTags(clusterName) {
			if tags[strings.TrimPrefix(key, "aws:ResourceTag/")] != value {
				return false
			}
		}
		return true
	}
	for _, tier := range scaling.Tiers() {
		plan, err := scaling.PlanFor(tier, scaling.ClusterAutoscaler{ClusterName: "progressive-framework-prod"})
		require.NoError(t, err)
		require.True(t, allowed("progressive-framework-prod", plan.DiscoveryTags), "the cluster's groups")
		require.False(t, allowed("progressive-framework-staging", plan.DiscoveryTags), "another cluster's groups")
		policyPlan, err := scaling.PlanFor(tier, scaling.ScalingPolicies{})
		require.NoError(t, err)
		require.False(t, allowed("progressive-framework-prod", policyPlan.DiscoveryTags), "groups whose capacity owner is a scaling policy")

		command, err := Command(scaling.DefaultClusterAutoscaler(), "progressive-framework-prod")
		require.NoError(t, err)
		for _, flag := range command {
			if tags, found := strings.CutPrefix(flag, "--node-group-auto-discovery=asg:tag="); found {
				for _, tag := range strings.Split(tags, ",") {
					require.Contains(t, plan.DiscoveryTags, tag, "the autoscaler finds its groups")
				}
			}
		}
	}
}

func TestRulesHaveNoWildcards(t *testing.T) {
	for _, r := range append(ClusterRules(), NamespaceRules()...) {
		for _, list := range [][]string{r.Groups, r.Resources, r.Verbs} {
			require.NotEmpty(t, list)
			require.NotContains(t, list, "*", "%+v", r)
		}
		require.NotContains(t, r.Resources, "secrets")
		require.NotContains(t, r.Verbs, "escalate")
	}
}
