package localcluster

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

var update = flag.Bool("update", false, "write the golden files")

// fixedLayout returns a layout with the same paths on every machine.
func fixedLayout(kind string) *layout.Layout {
	return &layout.Layout{Dir: "/sandbox", Settings: layout.Settings{Cluster: kind, Ports: layout.DefaultPorts()}}
}

func newTestLayout(t *testing.T, kind string) *layout.Layout {
	t.Helper()
	l, err := layout.Create(t.TempDir(), layout.Settings{Cluster: kind, Ports: layout.DefaultPorts()})
	require.NoError(t, err)
	return l
}

// requireGolden compares a text with a file in testdata. With -update it writes the file.
func requireGolden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text, "%s; `go test -update` writes it", path)
}

func TestFlagsEqualTheGoldenFiles(t *testing.T) {
	for _, kind := range []string{layout.ClusterLocal, layout.ClusterSimulated} {
		var out strings.Builder
		for _, c := range ComponentsFor(fixedLayout(kind)) {
			if c.Flags != nil {
				fmt.Fprintf(&out, "%s\n  %s\n", c.Name, strings.Join(c.Flags(fixedLayout(kind)), "\n  "))
			}
		}
		requireGolden(t, "flags-"+kind+".txt", out.String())
	}
}

func TestNodeConfigurationEqualsTheGoldenFiles(t *testing.T) {
	l := fixedLayout(layout.ClusterLocal)
	files, err := renderNodeConfig(l, "/usr/lib/cni")
	require.NoError(t, err)
	for _, f := range files {
		require.True(t, strings.HasPrefix(f.path, l.Dir+"/config/"), f.path)
		requireGolden(t, filepath.Base(f.path), string(f.content))
	}
}

func TestComponentsHaveRequiredFieldsAndFollowTheirDependencies(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Components {
		require.False(t, seen[c.Name], "%s is in the table twice", c.Name)
		for _, dependency := range c.After {
			require.True(t, seen[dependency], "%s starts after %s, so its row must be below that row; this also excludes cycles", c.Name, dependency)
		}
		seen[c.Name] = true
		require.NotNil(t, c.CheckHealth, c.Name)
		require.NotEmpty(t, c.Kinds, c.Name)
		require.Positive(t, c.StartTimeout, c.Name)
		require.Positive(t, c.Grace, c.Name)
	}
	for _, kind := range allKinds {
		ports := map[int]string{}
		for _, c := range ComponentsFor(fixedLayout(kind)) {
			if c.Ports == nil {
				continue
			}
			for _, p := range c.Ports(layout.DefaultPorts()) {
				require.Empty(t, ports[p.Port], "%s and %s on one port in a %s cluster", p.Name, ports[p.Port], kind)
				ports[p.Port] = p.Name
			}
		}
	}
}

func TestEachKindOfClusterHasItsComponents(t *testing.T) {
	controlPlane := []string{Registry, Etcd, APIServer, ControllerManager, Scheduler}
	for _, tc := range []struct {
		reason string
		layout *layout.Layout
		want   []string
	}{
		{"a local cluster has a node", fixedLayout(layout.ClusterLocal), append(slices.Clone(controlPlane), Containerd, Kubelet, Proxy, NetworkPolicies, Volumes)},
		{"a simulated cluster has kwok, and nothing that needs root", fixedLayout(layout.ClusterSimulated), append(slices.Clone(controlPlane), Kwok, Volumes)},
		{"an existing cluster needs only a registry", fixedLayout(layout.ClusterExisting), []string{Registry}},
		{"an existing cluster with a registry needs nothing", &layout.Layout{Settings: layout.Settings{Cluster: layout.ClusterExisting, Registry: "localhost:5000"}}, nil},
	} {
		var names []string
		for _, c := range ComponentsFor(tc.layout) {
			names = append(names, c.Name)
		}
		require.Equal(t, tc.want, names, tc.reason)
	}
}

func TestSocketPathsAreShortEnough(t *testing.T) {
	for _, dir := range []string{"/sandbox", "/home/somebody/platform/.sandbox", "/" + strings.Repeat("long/", 40)} {
		paths := nodePaths{&layout.Layout{Dir: dir}}
		for _, socket := range []string{paths.containerdSocket(), paths.containerdSocket() + ".ttrpc", paths.kubeletDir() + kubeletSocket} {
			require.LessOrEqual(t, len(socket), maxSocketPath, socket)
		}
	}
	require.Equal(t, "/sandbox/kubelet", nodePaths{fixedLayout(layout.ClusterLocal)}.kubeletDir(), "the kubelet's folder is in the sandbox's folder if that path is short enough")
	require.NotEqual(t, nodePaths{&layout.Layout{Dir: "/a"}}.runDir(), nodePaths{&layout.Layout{Dir: "/b"}}.runDir(), "each sandbox has its own folder for sockets")
}

func TestKubernetesVersionEqualsTheVersionInGoMod(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "go.mod"))
	require.NoError(t, err)
	require.Contains(t, string(raw), "k8s.io/kubernetes "+KubernetesVersion+"\n")
}
