package project

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/progressive-framework/platform/sandbox/layout"
)

const description = `name: progressive-framework
main: infra/
runtime:
  name: go
  options:
    buildTarget: ../bin/infra
plugins:
  providers:
    - name: ko
      path: bin
    - name: other
      path: /opt/other
`

func newLayout(t *testing.T, files map[string]string) *layout.Layout {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(content), 0o644))
	}
	l, err := layout.Create(filepath.Join(root, ".sandbox"), layout.Settings{Project: root})
	require.NoError(t, err)
	return l
}

func loadYAML(t *testing.T, dir, name string) map[string]any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	content := map[string]any{}
	require.NoError(t, yaml.Unmarshal(raw, &content))
	return content
}

func TestCopyHasAbsolutePathsIntoTheProject(t *testing.T) {
	l := newLayout(t, map[string]string{"Pulumi.yaml": description, "Pulumi.staging.yaml": "config:\n  aws:region: us-east-1\n"})
	dir, err := Copy(l, "staging")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(l.Dir, "projects/staging"), dir)

	copied := loadYAML(t, dir, "Pulumi.yaml")
	require.Equal(t, map[string]any{
		"name":    "progressive-framework",
		"main":    filepath.Join(l.Project, "infra"),
		"runtime": map[string]any{"name": "go", "options": map[string]any{"buildTarget": filepath.Join(l.Project, "bin/infra")}},
		"plugins": map[string]any{"providers": []any{
			map[string]any{"name": "ko", "path": filepath.Join(l.Project, "bin")},
			map[string]any{"name": "other", "path": "/opt/other"},
		}},
	}, copied)
	require.Equal(t, map[string]any{"config": map[string]any{"aws:region": "us-east-1"}}, loadYAML(t, dir, "Pulumi.staging.yaml"))
}

func TestBrokenFilesOfTheSandboxStackAreNamed(t *testing.T) {
	for name, content := range map[string]string{"Pulumi.yaml": "name: [", "Pulumi.sandbox.yaml": "config: ["} {
		files := map[string]string{"Pulumi.yaml": description, "Pulumi.sandbox.yaml": ""}
		files[name] = content
		_, err := Copy(newLayout(t, files), SandboxStack)
		require.ErrorContains(t, err, name)
	}
}

// The CLI's changes to the copy stay until the project's file changes. Then only the salt stays.
func TestCopyKeepsTheChangesOfTheCLI(t *testing.T) {
	l := newLayout(t, map[string]string{"Pulumi.yaml": description, "Pulumi.sandbox.yaml": "config:\n  a: 1\n"})
	dir, err := Copy(l, SandboxStack)
	require.NoError(t, err)
	require.NotEqual(t, l.Project, dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.sandbox.yaml"), []byte("encryptionsalt: v1:abc\nconfig:\n  a: 2\n"), 0o600))

	_, err = Copy(l, SandboxStack)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"encryptionsalt": "v1:abc", "config": map[string]any{"a": 2}}, loadYAML(t, dir, "Pulumi.sandbox.yaml"))

	require.NoError(t, os.WriteFile(filepath.Join(l.Project, "Pulumi.sandbox.yaml"), []byte("config:\n  a: 3\n"), 0o644))
	_, err = Copy(l, SandboxStack)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"encryptionsalt": "v1:abc", "config": map[string]any{"a": 3}}, loadYAML(t, dir, "Pulumi.sandbox.yaml"))
}

func TestCopyKeepsTheSaltAndUpdatesTheConfig(t *testing.T) {
	l := newLayout(t, map[string]string{"Pulumi.yaml": description, "Pulumi.prod.yaml": "config:\n  a: 1\n"})
	dir, err := Copy(l, "prod")
	require.NoError(t, err)
	// The CLI writes its salt into the file of the configuration.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.prod.yaml"), []byte("encryptionsalt: v1:abc\nconfig:\n  a: 1\n"), 0o600))
	// The user changes the stack's configuration.
	require.NoError(t, os.WriteFile(filepath.Join(l.Project, "Pulumi.prod.yaml"), []byte("config:\n  a: 2\n"), 0o644))

	_, err = Copy(l, "prod")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"encryptionsalt": "v1:abc", "config": map[string]any{"a": 2}}, loadYAML(t, dir, "Pulumi.prod.yaml"))

	projectConfig, err := os.ReadFile(filepath.Join(l.Project, "Pulumi.prod.yaml"))
	require.NoError(t, err)
	require.NotContains(t, string(projectConfig), "encryptionsalt", "the project's file stays as it is")
}

func TestCopyPrefersTheProjectsOwnSecretsProvider(t *testing.T) {
	l := newLayout(t, map[string]string{"Pulumi.yaml": description, "Pulumi.prod.yaml": "secretsprovider: awskms://alias/x\nencryptedkey: k\n"})
	dir := filepath.Join(l.Dir, "projects/prod")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.prod.yaml"), []byte("encryptionsalt: v1:abc\n"), 0o600))
	_, err := Copy(l, "prod")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"secretsprovider": "awskms://alias/x", "encryptedkey": "k"}, loadYAML(t, dir, "Pulumi.prod.yaml"))
}

func TestCopyReturnsAnErrorForInvalidInput(t *testing.T) {
	cases := []struct {
		reason string
		files  map[string]string
		stack  string
		want   string
	}{
		{"a stack that the project does not have", map[string]string{"Pulumi.yaml": description}, "qa", "Pulumi.qa.yaml"},
		{"a name that would leave the folder", map[string]string{"Pulumi.yaml": description}, "../x", `stack "../x"`},
		{"an empty name", map[string]string{"Pulumi.yaml": description}, "", `stack ""`},
		{"no project", nil, "staging", "Pulumi.yaml"},
		{"malformed YAML names the file", map[string]string{"Pulumi.yaml": description, "Pulumi.staging.yaml": "config: ["}, "staging", "Pulumi.staging.yaml"},
		{"a main that is not a path", map[string]string{"Pulumi.yaml": "main: [a]\n", "Pulumi.staging.yaml": ""}, "staging", "main"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			_, err := Copy(newLayout(t, c.files), c.stack)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestConfigurationWithoutPodScalingIsAnotherFile(t *testing.T) {
	const key = "progressive-framework:podScaling"
	l := newLayout(t, map[string]string{"Pulumi.yaml": description, "Pulumi.a.yaml": "encryptionsalt: s\nconfig:\n  a:x: 1\n  " + key + ": {enabled: true}\n"})
	dir, err := Copy(l, "a")
	require.NoError(t, err)
	path, err := WriteConfigWithoutPodScaling(dir, "a")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"encryptionsalt": "s", "config": map[string]any{"a:x": 1}}, loadYAML(t, dir, filepath.Base(path)))
	require.Contains(t, loadYAML(t, dir, "Pulumi.a.yaml")["config"], key, "the stack's own file stays")
}
