package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/preflight"
)

func TestCounterCountsModulesAndPackagesOfTheOutput(t *testing.T) {
	shown := ""
	c := newCounter(func(s string) { shown = s })
	for _, step := range []struct {
		reason, line string
		progress     bool
		shows        string
	}{
		{"a downloaded module", "go: downloading k8s.io/api v0.34.2", true, "1 modules downloaded"},
		{"a package of the standard library", "internal/abi", true, "1 packages"},
		{"a package with dots and dashes", "github.com/a-b/c.d/v2/e_f", true, "2 packages"},
		{"a compiler's heading is not progress", "# github.com/a/b", false, "2 packages"},
		{"a compiler's message is not progress", "x/y.go:3:5: undefined: z", false, "2 packages"},
		{"another message of go is not progress", "go: updates to go.mod needed", false, "2 packages"},
		{"the same package twice counts once", "internal/abi", true, "2 packages"},
	} {
		require.Equal(t, step.progress, c.countLine(step.line), step.reason)
		require.Equal(t, step.shows, shown, step.reason)
	}
	// The compilation of internal/abi began before the list was complete.
	c.setTotal([]string{"internal/abi", "x/1", "x/2"})
	require.Equal(t, "2 of 4 packages", shown)
	c.countLine("x/1")
	c.countLine("x/2")
	require.Equal(t, "4 of 4 packages, linking", shown)
}

func TestVersionOfAModuleComesFromGoMod(t *testing.T) {
	file := filepath.Join(t.TempDir(), "go.mod")
	require.NoError(t, os.WriteFile(file, []byte("module m\n\nrequire a.b/c v1.2.3\n\nrequire (\n\ta.b/c/v3 v3.4.5-rc.1 // indirect\n)\n"), 0o600))
	for module, want := range map[string]string{"a.b/c": "v1.2.3", "a.b/c/v3": "v3.4.5-rc.1"} {
		version, err := requiredVersion(file, module)
		require.NoError(t, err)
		require.Equal(t, want, version)
	}
	_, err := requiredVersion(file, "a.b/d")
	require.ErrorContains(t, err, "does not require it")
}

// The versions in the flags come from this repository's go.mod files.
func TestExecutablesHaveFoldersVersionsAndConstantFlags(t *testing.T) {
	w := workspace{project: "../..", sandbox: t.TempDir()}
	list, err := listExecutables(t.Context(), w)
	require.NoError(t, err)
	cli, err := pulumiCLI(w)
	require.NoError(t, err)
	plugin := kubernetesPlugin(w)
	outFiles := map[string]bool{}
	// Only the first five are always in the list. listExecutables adds the plugin if none is installed.
	for _, e := range append(list[:5:5], cli, plugin) {
		require.False(t, outFiles[e.out], "%s is written twice", e.out)
		outFiles[e.out] = true
		require.DirExists(t, filepath.Join(w.project, e.dir), e.name)
	}
	for range 20 {
		again, err := listExecutables(t.Context(), w)
		require.NoError(t, err)
		require.Equal(t, list, again, "other flags would link a new binary and restart the cluster")
	}
	require.Contains(t, strings.Join(list[0].flags, " "), "k8s.io/component-base/version.gitVersion=v1.")
	require.Contains(t, strings.Join(cli.flags, " "), "version.Version=v3.")
	_, err = requiredVersion(filepath.Join(w.project, plugin.dir, "go.mod"), plugin.patched.module)
	require.NoError(t, err)
	for _, document := range plugin.embeds {
		require.DirExists(t, filepath.Join(w.project, plugin.dir, filepath.Dir(document.out)))
	}
	// With one version, the SDK is compiled once for the program and the provider.
	const sdk = "github.com/pulumi/pulumi-kubernetes/sdk/v4"
	programVersion, err := requiredVersion(filepath.Join(w.project, "go.mod"), sdk)
	require.NoError(t, err)
	providerVersion, err := requiredVersion(filepath.Join(w.project, plugin.dir, "go.mod"), sdk)
	require.NoError(t, err)
	require.Equal(t, programVersion, providerVersion)
}

func TestPatchIsAppliedWhereTheTextOccursOnce(t *testing.T) {
	patch := patchedModule{module: "m", file: "a.go", before: "x{", after: "&x{"}
	for _, tc := range []struct{ reason, content, want, fails string }{
		{"once", "a: x{},", "a: &x{},", ""},
		{"a newer version lacks the text", "a: y{},", "a: y{},", "0 times"},
		{"the text occurs twice, so the place of the patch is unclear", "x{}, x{}", "x{}, x{}", "2 times"},
	} {
		file := filepath.Join(t.TempDir(), patch.file)
		require.NoError(t, os.WriteFile(file, []byte(tc.content), 0o600))
		err := patch.apply(filepath.Dir(file))
		if tc.fails == "" {
			require.NoError(t, err, tc.reason)
		} else {
			require.ErrorContains(t, err, tc.fails, tc.reason)
		}
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, tc.want, string(content), tc.reason)
	}
}

func TestEmbeddedDocumentHasTheProvidersVersion(t *testing.T) {
	for _, tc := range []struct{ reason, document, version, want string }{
		{"a schema gets the version", "{\n  \"name\": \"k\",\n  \"a\": [1, 2]\n}", "4.25.0-alpha+f4", `{"a":[1,2],"name":"k","version":"4.25.0-alpha+f4"}`},
		{"another version is replaced", `{"version": "1.0.0"}`, "2.0.0", `{"version":"2.0.0"}`},
		{"a mapping has none", `{"name": {"b": 1.50}}`, "", `{"name":{"b":1.50}}`},
	} {
		document, err := setVersion([]byte(tc.document), tc.version)
		require.NoError(t, err, tc.reason)
		require.Equal(t, tc.want, string(document), tc.reason)
	}
	_, err := setVersion([]byte("<html>"), "1.0.0")
	require.Error(t, err, "no JSON")
}

func TestWrongArgumentsGiveExitCode2(t *testing.T) {
	for _, args := range [][]string{nil, {"/p", "/s"}, {"/p", "/s", "down"}} {
		require.Equal(t, 2, run(t.Context(), args, io.Discard), "%v", args)
	}
}

// The first `make up` builds a late executable after the platform answers. Later runs keep it up to
// date with the others.
func TestFirstUpBuildsLateExecutablesLast(t *testing.T) {
	folder := t.TempDir()
	existing := filepath.Join(folder, "existing")
	require.NoError(t, os.WriteFile(existing, nil, 0o600))
	for _, tc := range []struct {
		reason               string
		executable           executable
		inUp, missing, inAll bool
	}{
		{"sandbox up runs it", executable{out: filepath.Join(folder, "none")}, true, true, true},
		{"not in the first up", executable{out: filepath.Join(folder, "none"), late: true}, false, true, true},
		{"in a later up", executable{out: existing, late: true}, true, false, true},
	} {
		require.Equal(t, tc.inUp, tc.executable.isNeededBy(prepareUp), tc.reason)
		require.Equal(t, tc.missing, tc.executable.isNeededBy(buildMissing), tc.reason)
		require.Equal(t, tc.inAll, tc.executable.isNeededBy(buildAll), tc.reason)
	}
}

func TestProblemsOfTheMachineAreFoundBeforeABuild(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	// packages.sh is replaced by a script that writes its arguments to a file.
	newWorkspace := func(t *testing.T) (w workspace, argumentsFile string) {
		for _, name := range []string{"CLUSTER", "KUBECONFIG", "REGISTRY", "SANDBOX_PORTS"} {
			t.Setenv(name, "")
		}
		w = workspace{project: t.TempDir(), sandbox: filepath.Join(t.TempDir(), "s")}
		argumentsFile = filepath.Join(w.project, "arguments")
		script := filepath.Join(w.project, "sandbox/bootstrap/packages.sh")
		require.NoError(t, os.MkdirAll(filepath.Dir(script), 0o755))
		require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\necho $* >"+argumentsFile+"\n"), 0o755))
		return w, argumentsFile
	}
	t.Run("a port in use is reported before anything is built", func(t *testing.T) {
		w, argumentsFile := newWorkspace(t)
		t.Setenv("SANDBOX_PORTS", fmt.Sprintf("apiServer=%d", port))
		require.ErrorContains(t, prepareMachine(t.Context(), w), fmt.Sprintf("port %d in use", port))
		require.NoFileExists(t, argumentsFile)
	})
	t.Run("an invalid option is reported before anything is built", func(t *testing.T) {
		w, _ := newWorkspace(t)
		t.Setenv("CLUSTER", "docker")
		require.ErrorContains(t, prepareMachine(t.Context(), w), `CLUSTER="docker"`)
		require.NoFileExists(t, filepath.Join(w.sandbox, "settings.json"))
	})
	t.Run("simulated nodes need neither packages nor root", func(t *testing.T) {
		w, argumentsFile := newWorkspace(t)
		t.Setenv("CLUSTER", "simulated")
		require.NoError(t, prepareMachine(t.Context(), w))
		require.NoFileExists(t, argumentsFile)
	})
	t.Run("with a sandbox the ports are not checked: they may be the sandbox's own", func(t *testing.T) {
		w, argumentsFile := newWorkspace(t)
		require.NoError(t, os.MkdirAll(w.bin(), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(w.bin(), "sandbox"), nil, 0o755))
		t.Setenv("SANDBOX_PORTS", fmt.Sprintf("apiServer=%d", port))
		err := prepareMachine(t.Context(), w)
		if os.Geteuid() != 0 {
			require.ErrorIs(t, err, preflight.ErrNotRoot)
			return
		}
		require.NoError(t, err)
		arguments, err := os.ReadFile(argumentsFile)
		require.NoError(t, err)
		require.Equal(t, "node servers\n", string(arguments))
	})
}

func TestMissingBytesAreTheTotalMinusTheContent(t *testing.T) {
	dir := t.TempDir()
	require.EqualValues(t, 10, missingBytes(10, filepath.Join(dir, "absent")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), make([]byte, 4), 0o600))
	require.EqualValues(t, 6, missingBytes(10, dir))
	require.Zero(t, missingBytes(3, dir), "a folder that holds more than the total needs nothing")
}

// A build with filled caches must not need the space of a build without them.
func TestSpaceNeedsShrinkAsTheFoldersFill(t *testing.T) {
	fillFolder := func(dir string, bytes int64) { // a sparse file: its size counts, it takes no disk space
		require.NoError(t, os.MkdirAll(dir, 0o755))
		file := filepath.Join(dir, "content")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		require.NoError(t, os.Truncate(file, bytes))
	}
	for _, tc := range []struct {
		reason                    string
		modules, packages, folder int64
		want                      uint64
	}{
		{"nothing is there", 0, 0, 0, allModulesSpace + allPackagesSpace + linkerSpace + newSandboxSpace},
		{"all modules and packages are there: only the executables are missing", allModulesSpace, allPackagesSpace, 0, linkerSpace + newSandboxSpace},
		{"half of the packages are missing", allModulesSpace, allPackagesSpace / 2, newSandboxSpace, allPackagesSpace/2 + linkerSpace},
		{"everything is there and more", 2 * allModulesSpace, 2 * allPackagesSpace, 2 * newSandboxSpace, linkerSpace},
	} {
		modules, packages, w := filepath.Join(t.TempDir(), "mod"), filepath.Join(t.TempDir(), "cache"), workspace{sandbox: filepath.Join(t.TempDir(), "s")}
		fillFolder(modules, tc.modules)
		fillFolder(packages, tc.packages)
		fillFolder(w.sandbox, tc.folder)
		var sum uint64
		for _, need := range spaceNeeds(w, modules, packages) {
			sum += need.Bytes
		}
		require.Equal(t, tc.want, sum, tc.reason)
	}
}

// runPackagesScript runs packages.sh for groups of packages. The folder bin is its PATH. It has
// only the tools that packages.sh needs, a script id that prints uid, and the script aptScript as
// apt-get. Without aptScript there is no apt-get. output has both output streams.
func runPackagesScript(t *testing.T, aptScript string, uid int, groups ...string) (bin, output string, err error) {
	t.Helper()
	bin = t.TempDir()
	for _, tool := range []string{"sh", "rm", "chmod", "timeout", "touch", "cat"} {
		path, err := exec.LookPath(tool)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(bin, tool)))
	}
	for name, script := range map[string]string{"id": fmt.Sprintf("echo %d", uid), "apt-get": aptScript} {
		if script != "" {
			require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
		}
	}
	script, err := filepath.Abs("packages.sh")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), script, groups...)
	cmd.Dir, cmd.Env = bin, []string{"PATH=" + bin, "POLICY_RC_D=" + filepath.Join(bin, "policy-rc.d")}
	out, err := cmd.CombinedOutput()
	return bin, string(out), err
}

func TestPackagesAreInstalledOrTheErrorNamesTheFix(t *testing.T) {
	t.Run("installs what is missing, and starts no service meanwhile", func(t *testing.T) {
		oldUmask := syscall.Umask(0o077)
		defer syscall.Umask(oldUmask)
		bin, out, err := runPackagesScript(t, `echo "$@" >>calls; : >created; case "$*" in *install*) ./policy-rc.d redis-server start || echo "policy $?" >>calls; touch slowhttptest chromium amtool promtool; chmod 755 slowhttptest chromium amtool promtool ;; esac`, 0, "clients")
		require.NoError(t, err, out)
		calls, err := os.ReadFile(filepath.Join(bin, "calls"))
		require.NoError(t, err)
		require.Regexp(t, `update\n.* install --yes --no-install-recommends chromium slowhttptest prometheus-alertmanager prometheus\npolicy 101\n$`, string(calls))
		require.NoFileExists(t, filepath.Join(bin, "policy-rc.d"))
		info, err := os.Stat(filepath.Join(bin, "created"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o644), info.Mode(), "files that packages create must be readable by other users, whatever umask the shell has")
	})
	t.Run("without a group nothing is installed", func(t *testing.T) {
		_, out, err := runPackagesScript(t, "echo must not run; exit 1", 0)
		require.NoError(t, err, out)
		require.Empty(t, out)
	})
	for _, tc := range []struct {
		reason, apt string
		uid         int
		group       string
		want        []string
		without     string
	}{
		{"only root installs", "exit 1", 1000, "clients", []string{"chromium opens the front page", "only root", "apt-get install --no-install-recommends chromium slowhttptest"}, "CLUSTER"},
		{"no Debian", "", 0, "clients", []string{"no apt-get"}, "CLUSTER"},
		{"apt-get fails and its message is shown", "echo E: no route; exit 100", 0, "clients", []string{"E: no route", "update failed", "as root"}, "CLUSTER"},
		{"apt-get installs nothing", "true", 0, "clients", []string{"not in their folders"}, "CLUSTER"},
		{"the error for the group node names the alternative CLUSTER=existing", "exit 1", 1000, "node", []string{"containerd runs the pods", "make up CLUSTER=existing"}, "clients"},
		{"no such group", "exit 1", 0, "x", []string{"no group x"}, "apt"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			bin, out, err := runPackagesScript(t, tc.apt, tc.uid, tc.group)
			require.Error(t, err)
			for _, want := range tc.want {
				require.Contains(t, out, want)
			}
			require.NotContains(t, out, tc.without)
			require.NoFileExists(t, filepath.Join(bin, "policy-rc.d"))
		})
	}
}
