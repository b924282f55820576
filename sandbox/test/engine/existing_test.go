package engine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/mirror"
)

// A second sandbox uses the cluster of the first one, as it would use a user's own cluster of
// kind or k3d. The second sandbox needs only a kubeconfig, and no root. It has its own registry
// and its own AWS stand-in.
func TestSandboxUsesAnExistingCluster(t *testing.T) {
	first := newEnvironment(t)
	ports, err := layout.FindFreePorts()
	require.NoError(t, err)
	port := ports.Registry
	second := copyProject(t, first)
	second.variables = []string{"CLUSTER=" + layout.ClusterExisting, fmt.Sprintf("SANDBOX_PORTS=registry=%d", port)}
	dir := t.TempDir()
	runSandbox := func(args ...string) string {
		out, err := second.run(t, second.layout.Project, "sandbox", append([]string{"--home", dir}, args...)...)
		require.NoError(t, err)
		return out
	}
	defer runSandbox("down", "--purge")
	runSandbox("up", "--no-deploy", "--kubeconfig", first.layout.Kubeconfig())
	secondLayout, err := layout.Open(dir)
	require.NoError(t, err)
	require.NoError(t, mirror.EnsureEmpty(t.Context(), secondLayout), "the nodes are simulated")
	runSandbox("pulumi", "up", "--yes", "--skip-preview", "--non-interactive")

	s := &stack{environment: first, name: "sandbox", dir: second.layout.Project}
	image := s.kubectl(t, "-n", "progressive-framework-sandbox", "get", "deployment", "mca",
		"-o", "jsonpath={.spec.template.spec.containers[0].image}")
	require.Contains(t, image, fmt.Sprintf("127.0.0.1:%d/", port), "the image is in the second sandbox's registry")
	require.Empty(t, s.listAWSResources(t), "nothing was created in the first sandbox's AWS stand-in")

	runSandbox("pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive")
	require.NotContains(t, s.kubectl(t, "get", "namespaces", "-o", "name"), "progressive-framework-sandbox")
}
