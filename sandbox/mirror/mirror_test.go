package mirror

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tag is what the program of the stack asks for, and go.mod what is built.
func TestTagsAreTheVersionsOfTheModules(t *testing.T) {
	required := func(folder, module string) string {
		raw, err := os.ReadFile(filepath.Join("../..", folder, "go.mod"))
		require.NoError(t, err)
		for line := range strings.Lines(string(raw)) {
			fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
			if len(fields) >= 2 && fields[0] == module && strings.HasPrefix(fields[1], "v") {
				return fields[1]
			}
		}
		t.Fatalf("%s requires no %s", folder, module)
		return ""
	}
	for _, img := range images {
		module, _, _ := strings.Cut(img.ImportPath, "/cmd/")
		version := required(img.Module, module)
		if module == "github.com/prometheus/prometheus" {
			// Release 3.16.0 is module version v0.316.0: the module has no /v3.
			major, rest, ok := strings.Cut(strings.TrimPrefix(img.Tags[0], "v"), ".")
			require.True(t, ok)
			require.Equal(t, "v0."+major+rest, version, img.Name)
			continue
		}
		require.Equal(t, "v"+strings.TrimPrefix(img.Tags[0], "v"), version, img.Name)
	}
}

// The stack names the versions too: components/keda and components/prometheus.
func TestTagsAreThoseOfTheComponents(t *testing.T) {
	for _, row := range []struct{ file, text string }{
		{"components/prometheus/args.go", `Version    = "` + images[0].Tags[0] + `"`},
		{"components/keda/images.go", `const Version = "` + images[2].Tags[0] + `"`},
		{"components/statemetrics/statemetrics.go", `Version    = "` + images[1].Tags[0] + `"`},
	} {
		raw, err := os.ReadFile(filepath.Join("../..", row.file))
		require.NoError(t, err)
		require.Contains(t, string(raw), row.text, "%s has another version than the sandbox builds", row.file)
	}
	raw, err := os.ReadFile("../../Pulumi.sandbox.yaml")
	require.NoError(t, err)
	require.Contains(t, string(raw), "mirror: ecr://"+strings.TrimSuffix(prefix, "/"))
}

// KEDA's kinds are read from the module that the sandbox builds.
func TestModuleOfTheKindsHasTheHashOfTheBuiltOne(t *testing.T) {
	sums, err := os.ReadFile("keda/go.sum")
	require.NoError(t, err)
	component, err := os.ReadFile("../../components/keda/images.go")
	require.NoError(t, err)
	for line := range strings.Lines(string(sums)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "github.com/kedacore/keda/v2" && !strings.HasSuffix(fields[1], "/go.mod") {
			require.Contains(t, string(component), fields[2])
			return
		}
	}
	t.Fatal("keda/go.sum has no hash of KEDA")
}
