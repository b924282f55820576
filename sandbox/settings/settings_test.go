package settings

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

func TestFlagsOverrideTheEnvironment(t *testing.T) {
	env := map[string]string{"CLUSTER": "existing", "KUBECONFIG": "/k", "REGISTRY": "localhost:5001", "SANDBOX_PORTS": "registry=5002", "HOME": "/home/me"}
	getenv := func(name string) string { return env[name] }
	cases := []struct {
		reason string
		flags  Options
		unset  string
		want   Options
	}{
		{"the environment fills an option without a flag", Options{}, "", Options{"existing", "/k", "localhost:5001", "registry=5002"}},
		{"a flag overrides the environment", Options{Cluster: "existing", Kubeconfig: "/other"}, "", Options{"existing", "/other", "localhost:5001", "registry=5002"}},
		{"a local cluster ignores KUBECONFIG: in a shell of make env it is the sandbox's", Options{Cluster: "local"}, "", Options{"local", "", "localhost:5001", "registry=5002"}},
		{"without KUBECONFIG, the default of kubectl applies", Options{}, "KUBECONFIG", Options{"existing", "/home/me/.kube/config", "localhost:5001", "registry=5002"}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			options := c.flags.WithEnv(func(name string) string {
				if name == c.unset {
					return ""
				}
				return getenv(name)
			})
			require.Equal(t, c.want, options)
		})
	}
}

func TestSettingsReportEveryInvalidOption(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	cases := []struct {
		reason  string
		options Options
		want    []string
	}{
		{"an unknown cluster", Options{Cluster: "docker"}, []string{`CLUSTER="docker"`, "local, existing or simulated"}},
		{"a registry for a cluster that has its own", Options{Registry: "localhost:1"}, []string{"REGISTRY", "existing"}},
		{"a registry without a port", Options{Cluster: "existing", Kubeconfig: missing, Registry: "localhost"}, []string{"host and port", "needs a kubeconfig"}},
		{"several at once", Options{Cluster: "docker", Ports: "web=1,registry=x,nodePort=80"},
			[]string{"docker", `"web" is not a port`, `registry="x"`, "nodePort=80: Kubernetes allows 30000 to 32767"}},
		{"two on one port", Options{Ports: "registry=6443"}, []string{"apiServer and registry are both 6443"}},
		{"beyond the range", Options{Ports: "registry=70000"}, []string{"1 to 65535"}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			_, err := c.options.newSettings("/p")
			require.Error(t, err)
			for _, part := range c.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestOptionPortsChangesOnlyTheNamedPorts(t *testing.T) {
	s, err := Options{Ports: "registry=5002, apiServer=7443"}.newSettings("/p")
	require.NoError(t, err)
	want := layout.DefaultPorts()
	want.Registry, want.APIServer = 5002, 7443
	require.Equal(t, want, s.Ports)
	require.Equal(t, layout.ClusterLocal, s.Cluster)
}

func TestEnsureKeepsTheSettings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	first, err := Ensure(dir, "/p", Options{Cluster: layout.ClusterSimulated, Ports: "registry=5002"})
	require.NoError(t, err)
	require.NotEmpty(t, first.Zones)

	again, err := Ensure(dir, "/p", Options{})
	require.NoError(t, err)
	require.Equal(t, first.Settings, again.Settings, "without an option the settings stay")

	// Nothing was started, so a port that was in use can still be changed.
	moved, err := Ensure(dir, "/p", Options{Ports: "registry=5003"})
	require.NoError(t, err)
	require.Equal(t, 5003, moved.Ports.Registry)
	require.Equal(t, layout.ClusterSimulated, moved.Cluster)

	require.NoError(t, os.WriteFile(filepath.Join(moved.PKI(), "ca.crt"), nil, 0o600))
	same, err := Ensure(dir, "/p", Options{Cluster: layout.ClusterSimulated, Ports: "registry=5003"})
	require.NoError(t, err)
	require.Equal(t, moved.Settings, same.Settings)

	_, err = Ensure(dir, "/p", Options{Cluster: layout.ClusterLocal, Ports: "registry=5004"})
	require.ErrorContains(t, err, `CLUSTER is "simulated", not "local"`)
	require.ErrorContains(t, err, "the port of the registry is 5003, not 5004")
	require.ErrorContains(t, err, "make down PURGE=1")
	kept, err := layout.Open(dir)
	require.NoError(t, err)
	require.Equal(t, moved.Settings, kept.Settings, "a refused option changes nothing")
}

func TestEnsureCompletesAnOlderSandbox(t *testing.T) {
	dir := t.TempDir()
	first, err := Ensure(dir, "/p", Options{})
	require.NoError(t, err)
	logs := filepath.Join(dir, "pulumi", "logs")
	require.NoError(t, os.Remove(logs))
	require.NoError(t, os.Mkdir(logs, 0o700))
	again, err := Ensure(dir, "/p", Options{})
	require.NoError(t, err)
	require.Equal(t, first.Settings, again.Settings)
	stat, err := os.Stat(logs)
	require.NoError(t, err)
	require.False(t, stat.IsDir(), "a file keeps the CLI from writing logs here")
}

func TestEnsureKeepsAnExistingCluster(t *testing.T) {
	root := t.TempDir()
	kubeconfig := filepath.Join(root, "config")
	require.NoError(t, os.WriteFile(kubeconfig, nil, 0o600))
	dir := filepath.Join(root, "s")
	options := Options{Cluster: layout.ClusterExisting, Kubeconfig: kubeconfig, Registry: "localhost:5001"}
	created, err := Ensure(dir, "/p", options)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(created.Backend(), "x"), nil, 0o600))
	for _, laterOptions := range []Options{{}, options, {layout.ClusterExisting, created.Kubeconfig(), "localhost:5001", ""}} {
		same, err := Ensure(dir, "/p", laterOptions)
		require.NoError(t, err, "%v: also in a shell of make env, which has the sandbox's own KUBECONFIG", laterOptions)
		require.Equal(t, created.Settings, same.Settings)
	}
}
