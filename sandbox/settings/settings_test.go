package settings

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/home"
)

func TestFill(t *testing.T) {
	env := map[string]string{"CLUSTER": "existing", "KUBECONFIG": "/k", "REGISTRY": "localhost:5001", "SANDBOX_PORTS": "registry=5002", "HOME": "/home/me"}
	getenv := func(name string) string { return env[name] }
	cases := []struct {
		reason string
		flags  Wishes
		unset  string
		want   Wishes
	}{
		{"the environment fills what no flag says", Wishes{}, "", Wishes{"existing", "/k", "localhost:5001", "registry=5002"}},
		{"a flag wins", Wishes{Cluster: "existing", Kubeconfig: "/other"}, "", Wishes{"existing", "/other", "localhost:5001", "registry=5002"}},
		{"a local cluster takes no KUBECONFIG: in a shell of make env it is our own", Wishes{Cluster: "local"}, "", Wishes{"local", "", "localhost:5001", "registry=5002"}},
		{"kubectl's own default", Wishes{}, "KUBECONFIG", Wishes{"existing", "/home/me/.kube/config", "localhost:5001", "registry=5002"}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			got := c.flags.Fill(func(name string) string {
				if name == c.unset {
					return ""
				}
				return getenv(name)
			})
			require.Equal(t, c.want, got)
		})
	}
}

func TestSettingsReportsEveryWishThatCannotBeMet(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	cases := []struct {
		reason string
		wishes Wishes
		want   []string
	}{
		{"an unknown cluster", Wishes{Cluster: "docker"}, []string{`CLUSTER="docker"`, "local, existing or simulated"}},
		{"a registry for a cluster that has its own", Wishes{Registry: "localhost:1"}, []string{"REGISTRY", "existing"}},
		{"a registry without a port", Wishes{Cluster: "existing", Kubeconfig: missing, Registry: "localhost"}, []string{"host and port", "needs a kubeconfig"}},
		{"several at once", Wishes{Cluster: "docker", Ports: "web=1,registry=x,nodePort=80"},
			[]string{"docker", `"web" is no port`, `registry="x"`, "nodePort=80: Kubernetes gives out 30000 to 32767"}},
		{"two on one port", Wishes{Ports: "registry=6443"}, []string{"apiServer and registry are both 6443"}},
		{"beyond the range", Wishes{Ports: "registry=70000"}, []string{"1 to 65535"}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			_, err := c.wishes.settings("/p")
			require.Error(t, err)
			for _, part := range c.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestSettingsPorts(t *testing.T) {
	s, err := Wishes{Ports: "registry=5002, apiServer=7443"}.settings("/p")
	require.NoError(t, err)
	want := home.DefaultPorts()
	want.Registry, want.APIServer = 5002, 7443
	require.Equal(t, want, s.Ports)
	require.Equal(t, home.ClusterLocal, s.Cluster)
}

func TestMakeKeepsWhatWasMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	first, err := Make(dir, "/p", Wishes{Cluster: home.ClusterSimulated, Ports: "registry=5002"})
	require.NoError(t, err)
	require.NotEmpty(t, first.Zones)

	again, err := Make(dir, "/p", Wishes{})
	require.NoError(t, err)
	require.Equal(t, first.Settings, again.Settings, "no wish: it stays as it is")

	// Nothing was started, so a port that was in use can still be changed.
	moved, err := Make(dir, "/p", Wishes{Ports: "registry=5003"})
	require.NoError(t, err)
	require.Equal(t, 5003, moved.Ports.Registry)
	require.Equal(t, home.ClusterSimulated, moved.Cluster)

	require.NoError(t, os.WriteFile(filepath.Join(moved.PKI(), "ca.crt"), nil, 0o600))
	same, err := Make(dir, "/p", Wishes{Cluster: home.ClusterSimulated, Ports: "registry=5003"})
	require.NoError(t, err)
	require.Equal(t, moved.Settings, same.Settings)

	_, err = Make(dir, "/p", Wishes{Cluster: home.ClusterLocal, Ports: "registry=5004"})
	require.ErrorContains(t, err, `CLUSTER is "simulated", not "local"`)
	require.ErrorContains(t, err, "the port of the registry is 5003, not 5004")
	require.ErrorContains(t, err, "make down PURGE=1")
	kept, err := home.Open(dir)
	require.NoError(t, err)
	require.Equal(t, moved.Settings, kept.Settings, "a refused wish changes nothing")
}

func TestMakeCompletesAnOlderSandbox(t *testing.T) {
	dir := t.TempDir()
	h, err := Make(dir, "/p", Wishes{})
	require.NoError(t, err)
	logs := filepath.Join(dir, "pulumi", "logs")
	require.NoError(t, os.Remove(logs))
	require.NoError(t, os.Mkdir(logs, 0o700))
	again, err := Make(dir, "/p", Wishes{})
	require.NoError(t, err)
	require.Equal(t, h.Settings, again.Settings)
	stat, err := os.Stat(logs)
	require.NoError(t, err)
	require.False(t, stat.IsDir(), "the CLI makes no logs here")
}

func TestMakeKeepsAnExistingCluster(t *testing.T) {
	root := t.TempDir()
	kubeconfig := filepath.Join(root, "config")
	require.NoError(t, os.WriteFile(kubeconfig, nil, 0o600))
	dir := filepath.Join(root, "s")
	wishes := Wishes{Cluster: home.ClusterExisting, Kubeconfig: kubeconfig, Registry: "localhost:5001"}
	made, err := Make(dir, "/p", wishes)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(made.Backend(), "x"), nil, 0o600))
	for _, again := range []Wishes{{}, wishes, {home.ClusterExisting, made.Kubeconfig(), "localhost:5001", ""}} {
		same, err := Make(dir, "/p", again)
		require.NoError(t, err, "%v: also in a shell of make env, whose KUBECONFIG is the sandbox's own", again)
		require.Equal(t, made.Settings, same.Settings)
	}
}
