package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/home"
)

func TestLines(t *testing.T) {
	var got []string
	l := &lines{each: func(s string) { got = append(got, s) }}
	for _, part := range []string{"a", "b\nc\n", "", "d"} {
		_, err := l.Write([]byte(part))
		require.NoError(t, err)
	}
	require.Equal(t, []string{"ab", "c"}, got)
	l.flush()
	l.flush()
	require.Equal(t, []string{"ab", "c", "d"}, got, "the last line may have no end")
}

func TestCounter(t *testing.T) {
	shown := ""
	c := newCounter(func(s string) { shown = s })
	for _, step := range []struct {
		reason, line string
		progress     bool
		shows        string
	}{
		{"modules come first", "go: downloading k8s.io/api v0.34.2", true, "1 modules downloaded"},
		{"a package of the standard library", "internal/abi", true, "1 packages"},
		{"a package with dots and dashes", "github.com/a-b/c.d/v2/e_f", true, "2 packages"},
		{"a compiler's heading is not progress", "# github.com/a/b", false, "2 packages"},
		{"nor is its message", "x/y.go:3:5: undefined: z", false, "2 packages"},
		{"nor a word of go itself", "go: updates to go.mod needed", false, "2 packages"},
		{"the same package twice counts once", "internal/abi", true, "2 packages"},
	} {
		require.Equal(t, step.progress, c.line(step.line), step.reason)
		require.Equal(t, step.shows, shown, step.reason)
	}
	// Of the listed ones internal/abi was begun while the list was made.
	c.total([]string{"internal/abi", "x/1", "x/2"})
	require.Equal(t, "2 of 4 packages", shown)
	c.line("x/1")
	c.line("x/2")
	require.Equal(t, "4 of 4 packages, linking", shown)
}

func TestRequired(t *testing.T) {
	file := filepath.Join(t.TempDir(), "go.mod")
	require.NoError(t, os.WriteFile(file, []byte("module m\n\nrequire a.b/c v1.2.3\n\nrequire (\n\ta.b/c/v3 v3.4.5-rc.1 // indirect\n)\n"), 0o600))
	for module, want := range map[string]string{"a.b/c": "v1.2.3", "a.b/c/v3": "v3.4.5-rc.1"} {
		got, err := required(file, module)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := required(file, "a.b/d")
	require.ErrorContains(t, err, "does not require it")
}

// The flags are of use only while the repository's own go.mod files are read.
func TestExecutablesOfThisRepository(t *testing.T) {
	w := where{project: "../..", sandbox: t.TempDir()}
	list, err := executables(t.Context(), w)
	require.NoError(t, err)
	cli, err := pulumi(w)
	require.NoError(t, err)
	plugin := kubernetesPlugin(w)
	outs := map[string]bool{}
	for _, e := range append(list[:3:3], cli, plugin) {
		require.False(t, outs[e.out], "%s is written twice", e.out)
		outs[e.out] = true
		require.DirExists(t, filepath.Join(w.project, e.dir), e.name)
	}
	for range 20 {
		again, err := executables(t.Context(), w)
		require.NoError(t, err)
		require.Equal(t, list, again, "other flags would link anew, and restart the cluster")
	}
	require.Contains(t, strings.Join(list[0].flags, " "), "k8s.io/component-base/version.gitVersion=v1.")
	require.Contains(t, strings.Join(cli.flags, " "), "version.Version=v3.")
	for _, document := range plugin.embeds {
		_, err := required(filepath.Join(w.project, plugin.dir, "go.mod"), document.module)
		require.NoError(t, err)
		require.DirExists(t, filepath.Join(w.project, plugin.dir, filepath.Dir(document.out)))
	}
	// One version of the SDK is compiled once for the program and the provider.
	const sdk = "github.com/pulumi/pulumi-kubernetes/sdk/v4"
	program, err := required(filepath.Join(w.project, "go.mod"), sdk)
	require.NoError(t, err)
	provider, err := required(filepath.Join(w.project, plugin.dir, "go.mod"), sdk)
	require.NoError(t, err)
	require.Equal(t, program, provider)
}

func TestWithVersion(t *testing.T) {
	for _, c := range []struct{ reason, document, version, want string }{
		{"a schema gets the version", "{\n  \"name\": \"k\",\n  \"a\": [1, 2]\n}", "4.25.0-alpha+f4", `{"a":[1,2],"name":"k","version":"4.25.0-alpha+f4"}`},
		{"another version is replaced", `{"version": "1.0.0"}`, "2.0.0", `{"version":"2.0.0"}`},
		{"a mapping has none", `{"name": {"b": 1.50}}`, "", `{"name":{"b":1.50}}`},
	} {
		got, err := withVersion([]byte(c.document), c.version)
		require.NoError(t, err, c.reason)
		require.Equal(t, c.want, string(got), c.reason)
	}
	_, err := withVersion([]byte("<html>"), "1.0.0")
	require.Error(t, err, "no JSON")
}

func TestCheckSpace(t *testing.T) {
	disks := map[string]disk{"/mod": {1, 10 * gib}, "/cache": {1, 10 * gib}, "/tmp": {2, 1 * gib}}
	free := func(dir string) (disk, error) {
		d, ok := disks[dir]
		if !ok {
			return disk{}, errors.New("no such disk")
		}
		return d, nil
	}
	cases := []struct {
		reason string
		needs  []need
		used   map[string]uint64
		want   string // empty: enough
	}{
		{"enough", []need{{"/mod", "modules", 5 * gib}, {"/cache", "packages", 5 * gib}}, nil, ""},
		{"two folders on one disk add up", []need{{"/mod", "modules", 5 * gib}, {"/cache", "packages", 6 * gib}}, nil,
			"10.0 GB free, 11.0 GB needed: 5.0 GB for modules in /mod, 6.0 GB for packages in /cache"},
		{"what is there already need not be found again", []need{{"/mod", "modules", 5 * gib}, {"/cache", "packages", 6 * gib}},
			map[string]uint64{"/cache": 2 * gib}, ""},
		{"more than is needed is no negative need", []need{{"/mod", "modules", 11 * gib}, {"/cache", "packages", 6 * gib}},
			map[string]uint64{"/cache": 60 * gib}, "11.0 GB needed"},
		{"another disk is another sum", []need{{"/mod", "modules", 5 * gib}, {"/tmp", "the linker", 2 * gib}}, nil, "1.0 GB free, 2.0 GB needed"},
		{"a disk that cannot be asked", []need{{"/x", "x", 1}}, nil, "no such disk"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			err := checkSpace(c.needs, free, func(dir string) uint64 { return c.used[dir] })
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestFreeBytesOfAFolderToCome(t *testing.T) {
	dir := t.TempDir()
	now, err := freeBytes(dir)
	require.NoError(t, err)
	later, err := freeBytes(filepath.Join(dir, "a", "b"))
	require.NoError(t, err)
	require.Equal(t, now.id, later.id)
	require.NotZero(t, later.free)
}

func TestAptErrorNamesPackagesAndMends(t *testing.T) {
	node := (&aptError{missing: nodePackages[:2], reason: "apt-get update failed", output: "E: no route"}).Error()
	for _, part := range []string{"containerd", "runc", "apt-get install --no-install-recommends containerd runc", "CLUSTER=existing", "E: no route"} {
		require.Contains(t, node, part)
	}
	race := (&aptError{missing: racePackages[:1], reason: "only root can install them"}).Error()
	require.Contains(t, race, "install --no-install-recommends gcc")
	require.NotContains(t, race, "CLUSTER", "another cluster has no compiler either")
}

func TestForbidStarts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy-rc.d")
	allow, err := forbidStarts(file)
	require.NoError(t, err)
	var exit *exec.ExitError
	require.ErrorAs(t, exec.CommandContext(t.Context(), file, "redis-server", "start").Run(), &exit)
	require.Equal(t, 101, exit.ExitCode(), "policy-rc.d's answer for: no")
	allow()
	require.NoFileExists(t, file)

	require.NoError(t, os.WriteFile(file, []byte("the machine's own"), 0o755))
	allow, err = forbidStarts(file)
	require.NoError(t, err)
	allow()
	require.FileExists(t, file)
}

func TestAbsent(t *testing.T) {
	here := filepath.Join(t.TempDir(), "tool")
	require.NoError(t, os.WriteFile(here, nil, 0o755))
	list := []debian{{name: "a", files: []string{"/none/x", here}}, {name: "b", files: []string{"/none/x"}}}
	require.Equal(t, list[1:], absent(list))
	t.Setenv("PATH", filepath.Dir(here))
	require.Empty(t, absent([]debian{{name: "c", files: []string{"tool"}}}))
}

func TestParseTestPackages(t *testing.T) {
	listed := "m/a.test fmt m/a\nm/b.test fmt k8s.io/kubernetes/cmd/kubelet/app m/b\nm/cmd fmt\n\n"
	require.Equal(t, []testPackage{{"m/a", false}, {"m/b", true}}, parseTestPackages(listed))
}

func TestLocate(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "sandbox/x"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "sandbox/go.mod"), nil, 0o600))
	t.Chdir(filepath.Join(root, "sandbox/x"))
	t.Setenv("PROGRESSIVE_SANDBOX", "")
	w, err := locate(t.Context())
	require.NoError(t, err)
	require.Equal(t, root, w.project)
	require.Equal(t, filepath.Join(root, ".sandbox"), w.sandbox)
	require.Contains(t, w.env, "CGO_ENABLED=0")

	t.Chdir(t.TempDir())
	_, err = locate(t.Context())
	require.ErrorContains(t, err, "no project here")
}

func TestPreflight(t *testing.T) {
	held, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer held.Close()
	port := held.Addr().(*net.TCPAddr).Port
	clear := func(t *testing.T) where {
		for _, name := range []string{"CLUSTER", "KUBECONFIG", "REGISTRY", "SANDBOX_PORTS"} {
			t.Setenv(name, "")
		}
		return where{project: t.TempDir(), sandbox: filepath.Join(t.TempDir(), "s")}
	}
	t.Run("a port in use is told before anything is built", func(t *testing.T) {
		w := clear(t)
		t.Setenv("SANDBOX_PORTS", fmt.Sprintf("apiServer=%d", port))
		_, err := preflight(w)
		require.ErrorContains(t, err, fmt.Sprintf("port %d in use", port))
	})
	t.Run("so is a wish that cannot be met", func(t *testing.T) {
		w := clear(t)
		t.Setenv("CLUSTER", "docker")
		_, err := preflight(w)
		require.ErrorContains(t, err, `CLUSTER="docker"`)
		require.NoFileExists(t, filepath.Join(w.sandbox, "settings.json"))
	})
	t.Run("simulated nodes need neither packages nor root", func(t *testing.T) {
		w := clear(t)
		t.Setenv("CLUSTER", "simulated")
		missing, err := preflight(w)
		require.NoError(t, err)
		require.Empty(t, missing)
	})
	t.Run("once there is a sandbox, it looks for itself: the ports may be its own", func(t *testing.T) {
		w := clear(t)
		require.NoError(t, os.MkdirAll(w.bin(), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(w.bin(), "sandbox"), nil, 0o755))
		h, err := home.Create(w.sandbox, home.Settings{Ports: home.Ports{APIServer: port}})
		require.NoError(t, err)
		require.NoError(t, checkPorts(w, h))
	})
	require.NoError(t, checkUser(0))
	require.ErrorContains(t, checkUser(1000), "CLUSTER=existing")
}
