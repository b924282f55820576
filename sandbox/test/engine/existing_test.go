package engine

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// A second sandbox stands on the cluster of the first, as it would on a
// person's kind or k3d: by its kubeconfig alone, with a registry and an AWS of
// its own, and no root.
func TestExistingCluster(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := free.Addr().(*net.TCPAddr).Port
	require.NoError(t, free.Close())
	first := newEnvironment(t)
	second := copyProject(t, first)
	second.variables = []string{"CLUSTER=" + layout.ClusterExisting, fmt.Sprintf("SANDBOX_PORTS=registry=%d", port)}
	dir := t.TempDir()
	sandbox := func(args ...string) string {
		out, err := second.run(t, second.layout.Project, "sandbox", append([]string{"--home", dir}, args...)...)
		require.NoError(t, err)
		return out
	}
	defer sandbox("down", "--purge")
	sandbox("up", "--no-deploy", "--kubeconfig", first.layout.Kubeconfig())
	sandbox("pulumi", "up", "--yes", "--skip-preview", "--non-interactive")

	s := &stack{environment: first, name: "sandbox", dir: second.layout.Project}
	image := s.kubectl(t, "-n", "progressive-framework-sandbox", "get", "deployment", "mca",
		"-o", "jsonpath={.spec.template.spec.containers[0].image}")
	require.Contains(t, image, fmt.Sprintf("127.0.0.1:%d/", port), "the image lies in the second sandbox's registry")
	require.Empty(t, s.atAWS(t), "the first sandbox's AWS knows nothing of it")

	sandbox("pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive")
	require.NotContains(t, s.kubectl(t, "get", "namespaces", "-o", "name"), "progressive-framework-sandbox")
}
