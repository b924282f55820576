package engine

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// versions are the Kubernetes minor versions of a cluster's parts. addons is the version of the
// add-on kube-proxy.
type versions struct {
	controlPlane, addons, autoscaler string
}

// readVersions reads the versions from the stack's state and from the cluster.
func (s *stack) readVersions(t *testing.T) versions {
	t.Helper()
	current := versions{controlPlane: s.findObject(t, "eks/cluster:Cluster", "-cluster").Outputs["version"].(string)}
	current.addons = minorVersion(s.findObject(t, "eks/addon:Addon", "-kube-proxy").Outputs["addonVersion"].(string))
	image := s.kubectl(t, "-n", "kube-system", "get", "deployment", "cluster-autoscaler", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
	_, tag, _ := strings.Cut(image, "cluster-autoscaler:")
	current.autoscaler = minorVersion(tag)
	return current
}

// minorVersion returns the first two numbers of a version: 1.36 for v1.36.0-eksbuild.25.
func minorVersion(version string) string {
	parts := strings.Split(strings.TrimPrefix(version, "v"), ".")
	return strings.Join(parts[:2], ".")
}

// A cluster is upgraded by one minor version, as docs/runbooks/upgrade.md says. The control
// plane, the add-ons, the autoscaler and the nodes of each tier get one `up` each. No resource
// is replaced.
func TestMinorUpgrade(t *testing.T) {
	s := newStack(t, newEnvironment(t), "staging")
	original := s.readConfiguration(t)
	setConfigValue(original, "deletionProtection", true)
	setConfigValue(original, "cluster.version", "1.35")
	s.configure(t, original, nil)
	s.pulumi(t, "up", "--yes", "--skip-preview")
	protectedBefore := s.readProtectedIDs(t)
	require.Equal(t, versions{"1.35", "1.35", "1.35"}, s.readVersions(t))
	oldAMIs := s.readAMIs(t)

	upgrade := func(changes map[string]any) {
		s.configure(t, original, changes)
		require.Empty(t, s.preview(t).destructiveSteps(), "%v", changes)
		s.pulumi(t, "up", "--yes", "--skip-preview")
		requireNoChanges(t, s)
	}
	for _, tc := range []struct {
		stage string
		want  versions
	}{
		{"controlPlane", versions{"1.36", "1.35", "1.35"}},
		{"addons", versions{"1.36", "1.36", "1.35"}},
		{"autoscaler", versions{"1.36", "1.36", "1.36"}},
	} {
		upgrade(map[string]any{"cluster.version": "1.36", "cluster.upgradeStage": tc.stage})
		require.Equal(t, tc.want, s.readVersions(t), tc.stage)
		require.Equal(t, oldAMIs, s.readAMIs(t), "the nodes keep their image")
	}
	const release = "1.36-20260923"
	upgrade(map[string]any{"cluster.version": "1.36", "tiers.web.release": release})
	upgrade(map[string]any{"cluster.version": "1.36", "tiers.web.release": release, "tiers.application.release": release})
	for urn, ami := range s.readAMIs(t) {
		require.NotEqual(t, oldAMIs[urn], ami, urn)
	}
	require.Equal(t, protectedBefore, s.readProtectedIDs(t), "no protected resource was lost")
	s.unprotectAndDestroy(t)
}

// readAMIs returns the AMI of each launch template, by the URN of the template.
func (s *stack) readAMIs(t *testing.T) map[string]string {
	t.Helper()
	amis := map[string]string{}
	for _, template := range s.listObjects(t, "ec2/launchTemplate:LaunchTemplate") {
		amis[template.URN] = template.Outputs["imageId"].(string)
	}
	return amis
}

// When standard support ends, EKS upgrades the control plane by itself. After that the program
// must refuse the former version, because EKS can't downgrade a cluster.
func TestProgramRefusesAVersionAfterItsSupport(t *testing.T) {
	s := newStack(t, newEnvironment(t), "staging")
	original := s.readConfiguration(t)
	setConfigValue(original, "cluster.version", "1.35")
	s.configure(t, original, nil)
	s.pulumi(t, "up", "--yes", "--skip-preview")

	s.today = "2026-12-27" // 90 days before the end
	out := s.pulumi(t, "preview", "--expect-no-changes")
	require.Contains(t, out, "standard support of Kubernetes 1.35 ends on 2027-03-27")

	s.today = "2027-03-27"
	out, err := s.tryPulumi(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, `cluster.version: Invalid value: "1.35": its standard support ended on 2027-03-27`)

	s.pulumi(t, "refresh", "--yes", "--skip-preview")
	require.Equal(t, "1.36", s.findObject(t, "eks/cluster:Cluster", "-cluster").Outputs["version"])

	// EKS has already upgraded the control plane, so extended support of 1.35 is no longer
	// possible. The program must say so.
	s.configure(t, original, map[string]any{"cluster.extendedSupport": true})
	out, err = s.tryPulumi(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, `cluster.version: "1.35" is older than the cluster, which has 1.36`)

	s.configure(t, original, map[string]any{"cluster.version": "1.36"})
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Equal(t, versions{"1.36", "1.36", "1.36"}, s.readVersions(t))
	requireNoChanges(t, s)
	checkDestroyRemovesEverything(t, s)
}
