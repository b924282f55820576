package cluster

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/home"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixed is a home whose paths are the same everywhere.
func fixed(kind string) *home.Home {
	return &home.Home{Dir: "/sandbox", Settings: home.Settings{Cluster: kind, Ports: home.DefaultPorts()}}
}

func testHome(t *testing.T, kind string) *home.Home {
	t.Helper()
	h, err := home.Create(t.TempDir(), home.Settings{Cluster: kind, Ports: home.DefaultPorts()})
	require.NoError(t, err)
	return h
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "%s; `go test -update` writes it anew", path)
}

func TestFlags(t *testing.T) {
	for _, kind := range []string{home.ClusterLocal, home.ClusterSimulated} {
		var out strings.Builder
		for _, c := range In(fixed(kind)) {
			if c.Flags != nil {
				fmt.Fprintf(&out, "%s\n  %s\n", c.Name, strings.Join(c.Flags(fixed(kind)), "\n  "))
			}
		}
		golden(t, "flags-"+kind+".txt", out.String())
	}
}

func TestNodeConfig(t *testing.T) {
	h := fixed(home.ClusterLocal)
	files, err := nodeConfig(h, "/usr/lib/cni")
	require.NoError(t, err)
	for _, f := range files {
		require.True(t, strings.HasPrefix(f.path, h.Dir+"/config/"), f.path)
		golden(t, filepath.Base(f.path), string(f.content))
	}
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Components {
		require.False(t, seen[c.Name], "%s is there twice", c.Name)
		for _, before := range c.After {
			require.True(t, seen[before], "%s comes after %s, which must stand above it: so there is no circle", c.Name, before)
		}
		seen[c.Name] = true
		require.NotNil(t, c.Healthy, c.Name)
		require.NotEmpty(t, c.Kinds, c.Name)
		require.Positive(t, c.Limit, c.Name)
		require.Positive(t, c.Grace, c.Name)
	}
	for _, kind := range everywhere {
		ports := map[int]string{}
		for _, c := range In(fixed(kind)) {
			if c.Ports == nil {
				continue
			}
			for _, p := range c.Ports(home.DefaultPorts()) {
				require.Empty(t, ports[p.Port], "%s and %s on one port in a %s cluster", p.Name, ports[p.Port], kind)
				ports[p.Port] = p.Name
			}
		}
	}
}

func TestKindsOfCluster(t *testing.T) {
	control := []string{Registry, Etcd, APIServer, ControllerManager, Scheduler}
	for _, tc := range []struct {
		reason string
		h      *home.Home
		want   []string
	}{
		{"a local cluster has a node", fixed(home.ClusterLocal), append(slices.Clone(control), Containerd, Kubelet, Proxy, Volumes)},
		{"a simulated one has kwok, and nothing that needs root", fixed(home.ClusterSimulated), append(slices.Clone(control), Kwok, Volumes)},
		{"an existing one has all but a registry", fixed(home.ClusterExisting), []string{Registry}},
		{"unless the person has one", &home.Home{Settings: home.Settings{Cluster: home.ClusterExisting, Registry: "localhost:5000"}}, nil},
	} {
		var got []string
		for _, c := range In(tc.h) {
			got = append(got, c.Name)
		}
		require.Equal(t, tc.want, got, tc.reason)
	}
}

func TestSocketsFit(t *testing.T) {
	for _, dir := range []string{"/sandbox", "/home/somebody/platform/.sandbox", "/" + strings.Repeat("long/", 40)} {
		l := layout{&home.Home{Dir: dir}}
		for _, socket := range []string{l.containerdSocket(), l.containerdSocket() + ".ttrpc", l.kubelet() + kubeletSocket} {
			require.LessOrEqual(t, len(socket), 107, socket)
		}
	}
	require.Equal(t, "/sandbox/kubelet", layout{fixed(home.ClusterLocal)}.kubelet(), "in the sandbox's own folder where that can be")
	require.NotEqual(t, layout{&home.Home{Dir: "/a"}}.run(), layout{&home.Home{Dir: "/b"}}.run(), "each sandbox has its own")
}

func TestVersionIsThatOfTheModule(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "go.mod"))
	require.NoError(t, err)
	require.Contains(t, string(raw), "k8s.io/kubernetes "+KubernetesVersion+"\n")
}
