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

// deployment is the design document's manifest, word for word.
func deployment(t *testing.T) (command []string, resources map[string]map[string]string) {
	t.Helper()
	text, err := os.ReadFile("testdata/cluster-autoscaler.yaml")
	require.NoError(t, err)
	var d struct {
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
	require.NoError(t, yaml.Unmarshal(text, &d))
	c := d.Spec.Template.Spec.Containers[0]
	return c.Command, c.Resources
}

// Every flag of the document, in its order, but for three that are mended.
func TestCommandIsTheDocuments(t *testing.T) {
	want, _ := deployment(t)
	mended := map[string]string{
		// Removed after release 1.32; this is what it became.
		"--max-empty-bulk-delete=10": "--max-scale-down-parallelism=10",
		// The document's two tags are the same in every environment.
		"--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/progressive-framework-v5": "--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/progressive-framework-v5,k8s.io/cluster-autoscaler/progressive-framework-prod",
		// A flag without a value can't say no.
		"--balance-similar-node-groups": "--balance-similar-node-groups=true",
	}
	for i, flag := range want {
		if m, ok := mended[flag]; ok {
			want[i] = m
		}
	}
	have, err := Command(scaling.DefaultClusterAutoscaler(), "progressive-framework-prod")
	require.NoError(t, err)
	require.Equal(t, want, have)
}

func TestResourcesAreTheDocuments(t *testing.T) {
	_, want := deployment(t)
	have := scaling.DefaultClusterAutoscaler().Resources
	for _, tc := range []struct {
		kind, name string
		have       resource.Quantity
	}{
		{"requests", "cpu", have.CPURequest}, {"limits", "cpu", have.CPULimit},
		{"requests", "memory", have.MemoryRequest}, {"limits", "memory", have.MemoryLimit},
	} {
		require.Zero(t, tc.have.Cmp(resource.MustParse(want[tc.kind][tc.name])), "%s of %s", tc.kind, tc.name)
	}
}

func TestCommandFollowsItsOptions(t *testing.T) {
	o := scaling.DefaultClusterAutoscaler()
	o.ScaleDownDelayAfterAdd, o.ScaleDownUnneededTime, o.MaxNodeProvisionTime = 90*time.Second, 2*time.Hour, 10*time.Minute
	o.ScaleDownUtilizationThreshold, o.BalanceSimilarNodeGroups = 0.65, false
	have, err := Command(o, "c")
	require.NoError(t, err)
	for _, flag := range []string{
		"--scale-down-delay-after-add=1m30s", "--scale-down-unneeded-time=2h", "--max-node-provision-time=10m",
		"--scale-down-utilization-threshold=0.65", "--balance-similar-node-groups=false",
	} {
		require.Contains(t, have, flag)
	}
	o.MaxScaleDownParallelism = 0
	_, err = Command(o, "c")
	require.ErrorContains(t, err, "MaxScaleDownParallelism 0")
	_, err = Command(scaling.DefaultClusterAutoscaler(), "")
	require.ErrorContains(t, err, "name of its cluster")
}

func TestImageIsOfTheClustersMinor(t *testing.T) {
	for _, minor := range []string{"1.33", "1.34", "1.35"} {
		image, err := Image(minor)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(image, "registry.k8s.io/autoscaling/cluster-autoscaler:v"+minor+"."), image)
	}
	_, err := Image("1.27")
	require.ErrorContains(t, err, `"1.27": must be one of`)
}

// Unscoped rights to scale are refused; these are scoped to groups that the
// driver of this cluster tags, and of no other.
func TestRightsAreScopedToTheClustersGroups(t *testing.T) {
	unscoped := policydocument.Statement{Sid: "Scale", Actions: Changes(), Resources: []string{policydocument.Any}}
	require.ErrorContains(t, policydocument.CheckIdentity(unscoped), "without a condition")
	require.NoError(t, policydocument.CheckIdentity(policydocument.Statement{Sid: "Look", Actions: Looks(), Resources: []string{policydocument.Any}}))

	allowed := func(clusterName string, tags map[string]string) bool {
		for key, value := range Scope(clusterName) {
			if tags[strings.TrimPrefix(key, "aws:ResourceTag/")] != value {
				return false
			}
		}
		return true
	}
	for _, tier := range scaling.Tiers() {
		own, err := scaling.PlanFor(tier, scaling.ClusterAutoscaler{ClusterName: "progressive-framework-prod"})
		require.NoError(t, err)
		require.True(t, allowed("progressive-framework-prod", own.DiscoveryTags), "its own groups")
		require.False(t, allowed("progressive-framework-staging", own.DiscoveryTags), "another cluster's groups")
		alone, err := scaling.PlanFor(tier, scaling.ScalingPolicies{})
		require.NoError(t, err)
		require.False(t, allowed("progressive-framework-prod", alone.DiscoveryTags), "groups that scaling policies own")

		command, err := Command(scaling.DefaultClusterAutoscaler(), "progressive-framework-prod")
		require.NoError(t, err)
		for _, flag := range command {
			if list, found := strings.CutPrefix(flag, "--node-group-auto-discovery=asg:tag="); found {
				for _, tag := range strings.Split(list, ",") {
					require.Contains(t, own.DiscoveryTags, tag, "it finds its groups")
				}
			}
		}
	}
}

func TestRulesAskForNothingWide(t *testing.T) {
	for _, r := range append(ClusterRules(), NamespaceRules()...) {
		for _, list := range [][]string{r.Groups, r.Resources, r.Verbs} {
			require.NotEmpty(t, list)
			require.NotContains(t, list, "*", "%+v", r)
		}
		require.NotContains(t, r.Resources, "secrets")
		require.NotContains(t, r.Verbs, "escalate")
	}
}
