package mirror

import (
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The stack pulls an image by its tag, and go.mod pins the version that is built. Both
// must be the same version.
func TestImageTagsEqualTheVersionsInGoMod(t *testing.T) {
	requiredVersion := func(folder, module string) string {
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
		module, _, _ := strings.Cut(strings.Replace(img.ImportPath, "/pkg/", "/cmd/", 1), "/cmd/")
		version := requiredVersion(img.Module, module)
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

// The packages components/keda, components/prometheus, components/statemetrics and components/vpa
// contain the versions that a stack deploys. The sandbox must build the same versions. The versions
// of the images that only stacks on AWS run must be equal, too.
func TestImageTagsEqualTheVersionsOfTheComponents(t *testing.T) {
	for _, row := range []struct{ file, text string }{
		{"components/prometheus/args.go", `Version = "` + images[0].Tags[0] + `"`},
		{"components/keda/images.go", `const Version = "` + images[2].Tags[0] + `"`},
		{"components/vpa/images.go", `const Version = "` + images[4].Tags[0] + `"`},
		{"components/statemetrics/statemetrics.go", `Version = "` + images[1].Tags[0] + `"`},
		{"components/alertmanager/alertmanager.go", `Version = "` + awsTags["alertmanager"][0] + `"`},
		{"components/terminationhandler/terminationspec/handler.go", ":" + awsTags["aws-node-termination-handler"][0] + `"`},
		{"components/containerlogs/fluentbit/fluentbit.go", `Version = "` + awsTags["aws-for-fluent-bit"][0] + `"`},
	} {
		raw, err := os.ReadFile(filepath.Join("../..", row.file))
		require.NoError(t, err)
		require.Contains(t, string(raw), row.text, "%s has another version than the sandbox builds", row.file)
	}
	raw, err := os.ReadFile("../../components/cluster/eksspec/release.go")
	require.NoError(t, err)
	var tags []string
	for _, match := range regexp.MustCompile(`ClusterAutoscaler: +"([^"]+)"`).FindAllStringSubmatch(string(raw), -1) {
		tags = append(tags, match[1])
	}
	require.ElementsMatch(t, tags, awsTags["cluster-autoscaler"], "one for each version of EKS")
	raw, err = os.ReadFile("../../Pulumi.sandbox.yaml")
	require.NoError(t, err)
	require.Contains(t, string(raw), "mirror: ecr://"+strings.TrimSuffix(repositoryPrefix, "/"))
}

// components/keda and components/vpa contain CustomResourceDefinitions that were copied from
// Go modules, and the hashes of these modules. The sandbox must build the same modules.
func TestComponentsHaveTheHashesOfTheBuiltModules(t *testing.T) {
	for folder, module := range map[string]string{"keda": "github.com/kedacore/keda/v2", "vpa": "k8s.io/autoscaler/vertical-pod-autoscaler"} {
		component, err := os.ReadFile(filepath.Join("../../components", folder, "images.go"))
		require.NoError(t, err)
		hash := ""
		for line := range readLines(t, filepath.Join(folder, "go.sum")) {
			if fields := strings.Fields(line); len(fields) == 3 && fields[0] == module && !strings.HasSuffix(fields[1], "/go.mod") {
				hash = fields[2]
			}
		}
		require.NotEmpty(t, hash, "%s/go.sum has no hash of %s", folder, module)
		require.Contains(t, string(component), hash)
	}
}

// Kubernetes' libraries are compiled once for both programs only if both go.mod files
// require the same versions. A replace directive is not enough, because the go
// command's cache identifies a package by the required version.
func TestVPAIsBuiltWithTheVersionsOfPrometheus(t *testing.T) {
	readVersions := func(folder string) map[string]string {
		versions := map[string]string{}
		for line := range readLines(t, filepath.Join(folder, "go.mod")) {
			require.NotContains(t, line, "=>")
			if fields := strings.Fields(line); len(fields) >= 2 && strings.HasPrefix(fields[1], "v") {
				versions[fields[0]] = fields[1]
			}
		}
		return versions
	}
	prometheus, shared := readVersions("prometheus"), 0
	for module, version := range readVersions("vpa") {
		// VPA 1.8.1 does not compile with version 1.25 of Prometheus' client, which changed a
		// result type. Kubernetes' libraries do not need the client.
		if module == "github.com/prometheus/client_golang" || module == "github.com/prometheus/common" {
			continue
		}
		if other, ok := prometheus[module]; ok {
			require.Equal(t, other, version, module)
			shared++
		}
	}
	require.Greater(t, shared, 30)
}

func readLines(t *testing.T, file string) iter.Seq[string] {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.Lines(string(raw))
}
