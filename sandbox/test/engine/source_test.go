package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// copyProject copies the product's sources, so that a test can change them. It returns an
// environment with the copy as its project.
func copyProject(t *testing.T, e *environment) *environment {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, ".sandbox"), 0o700))
	for _, name := range []string{".sandbox/issuer", "agents", "components", "forecast", "release", "infra", "bin", "go.mod", "go.sum", "Pulumi.yaml", "Pulumi.sandbox.yaml", "Pulumi.staging.yaml"} {
		source := filepath.Join(e.layout.Project, name)
		info, err := os.Stat(source)
		require.NoError(t, err)
		if info.IsDir() {
			require.NoError(t, os.CopyFS(filepath.Join(root, name), os.DirFS(source)))
			continue
		}
		raw, err := os.ReadFile(source)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(root, name), raw, 0o600))
	}
	l := *e.layout
	l.Settings = layout.Settings{Cluster: l.Cluster, Project: root, Ports: l.Ports, Zones: l.Zones, ZoneSeed: l.ZoneSeed, OrderSeed: l.OrderSeed}
	return &environment{layout: &l, buildsProgram: true}
}

// The digest of a service's image changes if the service's sources change. The same sources
// give the same digest.
func TestImageChangesOnlyWithItsSources(t *testing.T) {
	s := newStack(t, copyProject(t, newEnvironment(t)), "staging")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	defer checkDestroyRemovesEverything(t, s)
	readDigest := func() string {
		var images map[string]string
		s.readOutput(t, "images", &images)
		_, digest, _ := strings.Cut(images["mca"], "@")
		return digest
	}
	firstDigest := readDigest()

	file := filepath.Join(s.layout.Project, "agents", "mca", "greeting.go")
	original, err := os.ReadFile(file)
	require.NoError(t, err)
	replaceText := func(old, new string) {
		require.Contains(t, string(original), old)
		require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(original), old, new, 1)), 0o600))
	}

	replaceText(`"MCA coordinates`, `undefined + "MCA coordinates`)
	out, err := s.tryPulumi(t, "preview")
	require.Error(t, err, "the source does not compile")
	require.Contains(t, out, "greeting.go", "the compiler's own message names the file")
	require.Contains(t, out, "undefined: undefined", "the compiler's own message names the error")

	replaceText(`"MCA coordinates`, `"MCA, changed, coordinates`)
	p := s.preview(t)
	require.Equal(t, 2, p.ChangeSummary["update"], "the preview shows that the image and the Deployment will change")
	require.Equal(t, firstDigest, readDigest(), "the preview has pushed and changed nothing")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.NotEqual(t, firstDigest, readDigest())

	require.NoError(t, os.WriteFile(file, original, 0o600))
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Equal(t, firstDigest, readDigest(), "the same sources give the same image")
}
