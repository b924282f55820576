package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// copyProject copies the product's sources, so that the test can change them, and returns
// an environment whose project is the copy.
func copyProject(t *testing.T, e *environment) *environment {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, ".sandbox"), 0o700))
	for _, name := range []string{".sandbox/issuer", "agents", "components", "forecast", "release", "infra", "bin", "go.mod", "go.sum", "Pulumi.yaml", "Pulumi.sandbox.yaml", "Pulumi.staging.yaml"} {
		from := filepath.Join(e.layout.Project, name)
		info, err := os.Stat(from)
		require.NoError(t, err)
		if info.IsDir() {
			require.NoError(t, os.CopyFS(filepath.Join(root, name), os.DirFS(from)))
			continue
		}
		raw, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(root, name), raw, 0o600))
	}
	h := *e.layout
	h.Settings = layout.Settings{Cluster: h.Cluster, Project: root, Ports: h.Ports, Zones: h.Zones, ZoneSeed: h.ZoneSeed, OrderSeed: h.OrderSeed}
	return &environment{layout: &h}
}

// A service's image depends only on its sources.
func TestImageFollowsItsSources(t *testing.T) {
	s := newStack(t, copyProject(t, newEnvironment(t)), "staging")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	defer destroyRemovesEverything(t, s)
	digest := func() string {
		var images map[string]string
		s.output(t, "images", &images)
		_, digest, _ := strings.Cut(images["mca"], "@")
		return digest
	}
	first := digest()

	file := filepath.Join(s.layout.Project, "agents", "mca", "greeting.go")
	good, err := os.ReadFile(file)
	require.NoError(t, err)
	edit := func(old, new string) {
		require.Contains(t, string(good), old)
		require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(good), old, new, 1)), 0o600))
	}

	edit(`"MCA coordinates`, `undefined + "MCA coordinates`)
	out, err := s.try(t, "preview")
	require.Error(t, err, "a source that does not compile")
	require.Contains(t, out, "greeting.go", "the compiler's own message names the file")
	require.Contains(t, out, "undefined: undefined", "the compiler's own message names the error")

	edit(`"MCA coordinates`, `"MCA, changed, coordinates`)
	p := s.preview(t)
	require.Equal(t, 2, p.ChangeSummary["update"], "the preview shows that the image and the Deployment will change")
	require.Equal(t, first, digest(), "the preview has pushed and changed nothing")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.NotEqual(t, first, digest())

	require.NoError(t, os.WriteFile(file, good, 0o600))
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Equal(t, first, digest(), "the same sources are the same image")
}
