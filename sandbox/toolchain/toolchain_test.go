package toolchain

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// machine is a machine with a sandbox. A test adds tools to it.
type machine struct {
	t           *testing.T
	layout      *layout.Layout
	builtFolder string // the folder of the executables of the bootstrap
	root        string // the home folder of the user
	path        string // the folder of installed tools, which is on PATH
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	root := t.TempDir()
	l, err := layout.Create(filepath.Join(root, ".sandbox"), layout.Settings{Cluster: layout.ClusterSimulated, Project: root})
	require.NoError(t, err)
	m := &machine{t: t, layout: l, builtFolder: l.Bin(), root: root, path: filepath.Join(root, "usr")}
	m.writeTool(m.builtFolder, "sandbox", "")
	m.writeTool(m.builtFolder, "pulumi", "echo v3.259.0")
	m.writeTool(m.builtFolder, "pulumi-resource-kubernetes", "")
	return m
}

// writeTool writes an executable that runs script.
func (m *machine) writeTool(dir, name, script string) string {
	m.t.Helper()
	require.NoError(m.t, os.MkdirAll(dir, 0o755))
	file := filepath.Join(dir, name)
	require.NoError(m.t, os.WriteFile(file, []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	return file
}

// resolve returns the selected tools by name.
func (m *machine) resolve(extra ...string) map[string]Tool {
	m.t.Helper()
	environ := append([]string{"HOME=" + m.root, "PATH=" + m.layout.Bin() + ":" + m.path}, extra...)
	tools, err := Resolve(m.t.Context(), m.layout, m.builtFolder, environ)
	require.NoError(m.t, err)
	byName := map[string]Tool{}
	for _, tool := range tools {
		byName[tool.Name] = tool
	}
	return byName
}

// kubectlScript returns the script of a kubectl that prints this version.
func kubectlScript(version string) string {
	return fmt.Sprintf(`echo '{"clientVersion":{"gitVersion":"%s"}}'`, version)
}

func TestInstalledToolsAreUsedIfTheirVersionsFit(t *testing.T) {
	type want struct {
		kind Kind
		path string // relative to the machine's root
		note string // a part of the note
	}
	const (
		standIn = ".sandbox/bin/sandbox"
		plugin  = ".sandbox/bin/pulumi-resource-kubernetes"
	)
	cases := []struct {
		reason  string
		prepare func(m *machine)
		tool    string
		want    want
	}{
		{"nothing installed: the CLI that was built", func(*machine) {}, "pulumi", want{Built, ".sandbox/bin/pulumi", ""}},
		{"nothing installed: the stand-in for the language host", func(*machine) {}, "pulumi-language-go", want{StandIn, standIn, ""}},
		{"nothing installed: the Kubernetes provider that was built", func(*machine) {}, "pulumi-resource-kubernetes", want{Built, plugin, ""}},
		{"nothing installed: kubectl of the sandbox's binary", func(*machine) {}, "kubectl", want{Built, standIn, ""}},
		{"a new CLI is used", func(m *machine) { m.writeTool(m.path, "pulumi", "echo v3.274.1") }, "pulumi", want{Installed, "usr/pulumi", ""}},
		{"the oldest CLI that is used", func(m *machine) { m.writeTool(m.path, "pulumi", "echo v3.259.0-dev") }, "pulumi", want{Installed, "usr/pulumi", ""}},
		{"an older CLI is not used, with a note", func(m *machine) { m.writeTool(m.path, "pulumi", "echo v3.258.9") }, "pulumi", want{Built, ".sandbox/bin/pulumi", "3.259 or later is needed"}},
		{"a CLI of another major version is not used", func(m *machine) { m.writeTool(m.path, "pulumi", "echo v4.300.0") }, "pulumi", want{Built, ".sandbox/bin/pulumi", "is v4.300.0"}},
		{"a broken CLI is not used", func(m *machine) { m.writeTool(m.path, "pulumi", "exit 1") }, "pulumi", want{Built, ".sandbox/bin/pulumi", "does not print"}},
		{"the real language host", func(m *machine) { m.writeTool(m.path, "pulumi-language-go", "") }, "pulumi-language-go", want{Installed, "usr/pulumi-language-go", ""}},
		{"the real Kubernetes plugin on PATH", func(m *machine) { m.writeTool(m.path, "pulumi-resource-kubernetes", "") }, "pulumi-resource-kubernetes", want{Installed, "usr/pulumi-resource-kubernetes", ""}},
		{"the newest of the user's plugins", func(m *machine) {
			for _, version := range []string{"v4.9.0", "v4.30.0", "v4.30.0-beta"} {
				m.writeTool(filepath.Join(m.root, ".pulumi/plugins/resource-kubernetes-"+version), "pulumi-resource-kubernetes", "")
			}
		}, "pulumi-resource-kubernetes", want{Installed, ".pulumi/plugins/resource-kubernetes-v4.30.0/pulumi-resource-kubernetes", ""}},
		{"a plugin of another major version has other resources", func(m *machine) {
			m.writeTool(filepath.Join(m.root, ".pulumi/plugins/resource-kubernetes-v3.30.2"), "pulumi-resource-kubernetes", "")
		}, "pulumi-resource-kubernetes", want{Built, plugin, "major version 4 is needed"}},
		{"the real AWS plugin is never reached from a sandbox", func(m *machine) { m.writeTool(m.path, "pulumi-resource-aws", "") }, "pulumi-resource-aws", want{StandIn, standIn, ""}},
		{"the real aws is never reached from a sandbox", func(m *machine) { m.writeTool(m.path, "aws", "") }, "aws", want{StandIn, standIn, ""}},
		{"a kubectl one minor older", func(m *machine) { m.writeTool(m.path, "kubectl", kubectlScript("v1.35.0")) }, "kubectl", want{Installed, "usr/kubectl", ""}},
		{"a kubectl one minor newer", func(m *machine) { m.writeTool(m.path, "kubectl", kubectlScript("v1.37.1+k3s1")) }, "kubectl", want{Installed, "usr/kubectl", ""}},
		{"a kubectl outside the supported skew", func(m *machine) { m.writeTool(m.path, "kubectl", kubectlScript("v1.34.4")) }, "kubectl", want{Built, standIn, "1.35 to 1.37"}},
		{"a file that is not executable is not a tool", func(m *machine) {
			require.NoError(m.t, os.Chmod(m.writeTool(m.path, "pulumi-language-go", ""), 0o644))
		}, "pulumi-language-go", want{StandIn, standIn, ""}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			m := newMachine(t)
			c.prepare(m)
			tool := m.resolve()[c.tool]
			require.Equal(t, c.want.kind, tool.Kind)
			require.Equal(t, filepath.Join(m.root, c.want.path), tool.Path)
			if c.want.note == "" {
				require.Empty(t, tool.Note)
			} else {
				require.Contains(t, tool.Note, c.want.note)
			}
		})
	}
}

func TestAnotherSandboxIsNotInstalled(t *testing.T) {
	// An engine test runs in a shell of `make env`. The PATH has the links of the live
	// sandbox, and the test resolves the tools of its own sandbox.
	m := newMachine(t)
	live := filepath.Join(m.root, "live")
	for _, name := range []string{"pulumi", "pulumi-language-go", "pulumi-resource-kubernetes", "kubectl"} {
		m.writeTool(filepath.Join(live, "bin"), name, "echo v3.300.0")
	}
	m.writeTool(filepath.Join(live, "pulumi/plugins/resource-kubernetes-v4.30.0"), "pulumi-resource-kubernetes", "")
	// This pulumi is a script that runs the pulumi in the folder bin. If the link in
	// bin led to the script, the script would run itself without end.
	m.writeTool(filepath.Join(live, "shell/bin"), "pulumi", "echo v3.300.0")
	m.path = filepath.Join(live, "shell/bin") + ":" + filepath.Join(live, "bin")
	tools := m.resolve(layout.Variable+"="+live, "PULUMI_HOME="+live+"/pulumi")
	for name, tool := range tools {
		require.NotEqual(t, Installed, tool.Kind, name)
	}
}

func TestMissingBuiltToolIsAnError(t *testing.T) {
	m := newMachine(t)
	require.NoError(t, os.Remove(filepath.Join(m.builtFolder, "pulumi")))
	_, err := Resolve(t.Context(), m.layout, m.builtFolder, []string{"PATH=" + m.path, "HOME=" + m.root})
	require.ErrorContains(t, err, "run make build")
}

func TestLinksLeadToTheSelectedTools(t *testing.T) {
	m := newMachine(t)
	for range 2 { // the second call changes nothing
		tools, err := Resolve(t.Context(), m.layout, m.builtFolder, []string{"PATH=" + m.path, "HOME=" + m.root})
		require.NoError(t, err)
		require.NoError(t, Link(m.layout, tools))
	}
	target, err := os.Readlink(filepath.Join(m.layout.Bin(), "aws"))
	require.NoError(t, err)
	require.Equal(t, filepath.Join(m.builtFolder, "sandbox"), target)
	info, err := os.Lstat(filepath.Join(m.layout.Bin(), "pulumi"))
	require.NoError(t, err)
	require.True(t, info.Mode().IsRegular(), "an executable that was built in the bin folder stays")

	// When the real host is installed later, the link changes.
	hostPath := m.writeTool(m.path, "pulumi-language-go", "")
	tools, err := Resolve(t.Context(), m.layout, m.builtFolder, []string{"PATH=" + m.path, "HOME=" + m.root})
	require.NoError(t, err)
	require.NoError(t, Link(m.layout, tools))
	target, err = os.Readlink(filepath.Join(m.layout.Bin(), "pulumi-language-go"))
	require.NoError(t, err)
	require.Equal(t, hostPath, target)
}

func TestLinksOfAnotherSandboxLeadToTheBuiltTools(t *testing.T) {
	m := newMachine(t)
	other, err := layout.Create(filepath.Join(m.root, "other"), m.layout.Settings)
	require.NoError(t, err)
	tools, err := Resolve(t.Context(), other, m.builtFolder, []string{"PATH=" + m.path, "HOME=" + m.root})
	require.NoError(t, err)
	require.NoError(t, Link(other, tools))
	for name, want := range map[string]string{"sandbox": "sandbox", "kubectl": "sandbox", "pulumi": "pulumi", "pulumi-resource-kubernetes": "pulumi-resource-kubernetes"} {
		target, err := os.Readlink(filepath.Join(other.Bin(), name))
		require.NoError(t, err)
		require.Equal(t, filepath.Join(m.builtFolder, want), target)
	}
}

// The constants repeat versions that the go.mod files pin.
func TestVersionsAgreeWithGoMod(t *testing.T) {
	for _, c := range []struct {
		file, module string
		major, minor int
	}{
		{"../cli/go.mod", `github.com/pulumi/pulumi/pkg/v3`, PulumiMajor, PulumiMinor},
		{"../go.mod", `k8s.io/kubernetes`, 1, KubernetesMinor},
		{"../../go.mod", `github.com/pulumi/pulumi-kubernetes/sdk/v4`, KubernetesPluginMajor, -1},
	} {
		raw, err := os.ReadFile(c.file)
		require.NoError(t, err)
		version := regexp.MustCompile(regexp.QuoteMeta(c.module) + ` v(\d+)\.(\d+)\.`).FindSubmatch(raw)
		require.NotNil(t, version, "%s requires %s", c.file, c.module)
		require.Equal(t, strconv.Itoa(c.major), string(version[1]), c.module)
		if c.minor >= 0 {
			require.Equal(t, strconv.Itoa(c.minor), string(version[2]), c.module)
		}
	}
}

func TestEnvironmentHasTheBuildVariablesAndNoCredentials(t *testing.T) {
	m := newMachine(t)
	base := []string{"HOME=" + m.root, "PATH=" + m.layout.ShellBin() + ":" + m.layout.Bin() + ":/x:/y", "GOFLAGS=-mod=mod", "CGO_ENABLED=1", "AWS_PROFILE=production", "EDITOR=vi"}
	env := SandboxEnv(m.layout, base)
	values := map[string]string{}
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		require.NotContains(t, values, name, "each variable once")
		values[name] = value
	}
	require.Equal(t, m.layout.Bin()+":/x:/y", values["PATH"], "the sandbox's folders are not in PATH twice")
	require.Equal(t, "-trimpath -buildvcs=false", values["GOFLAGS"], "the sandbox's flags replace the user's GOFLAGS")
	require.Equal(t, "off", values["GOWORK"])
	require.Equal(t, "0", values["CGO_ENABLED"])
	require.Equal(t, "vi", values["EDITOR"])
	require.NotContains(t, values, "AWS_PROFILE")
	again := SandboxEnv(m.layout, env)
	require.ElementsMatch(t, env, again, "a second call changes nothing")
}
