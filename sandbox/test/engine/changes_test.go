package engine

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
)

// propertiesVariable is the variable that selects the tested rows of the tables of changes.
// With "all", as `make properties` sets it, every row is tested, which takes many minutes.
// Without it, only the rows with everyRun are tested.
const propertiesVariable = "PROPERTIES"

// Every change of a key is refused in the preview, or it is applied without a loss of
// data and can be undone.
func TestChangesOfAnExistingStack(t *testing.T) {
	t.Parallel()
	allRows := os.Getenv(propertiesVariable) == "all"
	for name, table := range map[string][]change{"staging": stagingChanges, "sandbox": sandboxChanges} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t, newEnvironment(t).withDocumentedZones(t), name)
			original := s.readConfiguration(t)
			setConfigValue(original, "deletionProtection", true)
			if name == "staging" {
				setConfigValue(original, "discardData", false)
				setConfigValue(original, "network.zones", stagingZones)
				setConfigValue(original, "cluster.version", stagingVersion)
			}
			s.configure(t, original, nil)
			s.pulumi(t, "up", "--yes", "--skip-preview")
			if !allRows {
				table = slices.DeleteFunc(slices.Clone(table), func(c change) bool { return !c.everyRun })
			}
			for _, c := range table {
				t.Run(c.key+" "+string(c.want), func(t *testing.T) { s.checkPreview(t, original, c) })
			}
			s.applyAndUndo(t, original, table)

			s.configure(t, original, nil)
			t.Run("the whole stack", func(t *testing.T) {
				out, err := s.tryPulumi(t, "destroy", "--preview-only")
				require.Error(t, err)
				require.Contains(t, out, protectedText)
			})
			s.unprotectAndDestroy(t)
		})
	}
}

// The tables must have every key of docs/configuration.md, so that nobody forgets the row
// of a new key.
func TestEveryKeyHasAChange(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "configuration.md"))
	require.NoError(t, err)
	keys, _, found := strings.Cut(string(raw), "<!-- end of keys -->")
	require.True(t, found)
	tested := map[string]bool{}
	for _, c := range slices.Concat(stagingChanges, sandboxChanges) {
		parts := strings.Split(c.key, ".")
		if parts[0] == "tiers" || parts[0] == "services" {
			parts[1] = "NAME"
		}
		tested[strings.Join(parts, ".")] = true
		require.Contains(t, c.values, c.key)
	}
	documented := regexp.MustCompile("(?m)^\\| `([a-zA-Z:.]+)` \\|").FindAllStringSubmatch(keys, -1)
	require.NotEmpty(t, documented)
	for _, match := range documented {
		key := match[1]
		require.True(t, tested[key], "%s: add a row to changes_table_test.go", key)
	}
}

// checkPreview previews one change. The preview must refuse the change if the row's outcome is
// refused. Otherwise the preview must not replace a protected resource.
func (s *stack) checkPreview(t *testing.T, original map[string]any, c change) {
	s.configure(t, original, c.values)
	defer s.configure(t, original, nil)
	if c.want == refused {
		out, err := s.tryPulumi(t, "preview")
		require.Error(t, err)
		require.Contains(t, out, c.message)
		return
	}
	protected := s.readProtectedIDs(t)
	for _, step := range s.preview(t).destructiveSteps() {
		_, urn, _ := strings.Cut(step, " ")
		require.NotContains(t, protected, urn, "%s would be replaced", urn)
	}
}

// applyAndUndo applies all accepted changes of the table, and sets the earlier values again.
// The changes with the outcome applied come first, then adds, then oneWay.
func (s *stack) applyAndUndo(t *testing.T, original map[string]any, table []change) {
	// mergeChanges merges the values of all changes with the outcome want that are applied
	// together in one update. secondUpdate selects the changes that need an update of their
	// own.
	mergeChanges := func(want outcome, secondUpdate bool) map[string]any {
		values := map[string]any{}
		for _, c := range table {
			if c.want == want && c.secondUpdate == secondUpdate && !c.previewOnly {
				maps.Copy(values, c.values)
			}
		}
		delete(values, "deletionProtection") // this change would remove the protection of the resources
		return values
	}
	protectedBefore := s.readProtectedIDs(t)
	for _, secondUpdate := range []bool{false, true} {
		values := mergeChanges(applied, secondUpdate)
		if len(values) == 0 {
			continue
		}
		s.configure(t, original, values)
		s.pulumi(t, "up", "--yes")
		require.Equal(t, protectedBefore, s.readProtectedIDs(t), "no protected resource was lost")
		s.configure(t, original, nil)
		s.pulumi(t, "up", "--yes")
		s.pulumi(t, "preview", "--expect-no-changes")
		require.Equal(t, protectedBefore, s.readProtectedIDs(t))
	}
	if values := mergeChanges(adds, false); len(values) > 0 {
		s.configure(t, original, values)
		s.pulumi(t, "up", "--yes")
		requireKept(t, protectedBefore, s.readProtectedIDs(t))
		s.configure(t, original, nil)
		out, err := s.tryPulumi(t, "preview")
		require.Error(t, err, "the added resources are protected")
		require.Contains(t, out, protectedText)
		// The first update removes the protection of all resources, the second one deletes the added
		// resources, and the third one protects the other resources again.
		s.configure(t, original, map[string]any{"deletionProtection": false})
		s.configure(t, s.readConfiguration(t), values)
		s.pulumi(t, "up", "--yes", "--skip-preview")
		s.configure(t, original, map[string]any{"deletionProtection": false})
		s.pulumi(t, "up", "--yes")
		s.configure(t, original, nil)
		s.pulumi(t, "up", "--yes")
		s.pulumi(t, "preview", "--expect-no-changes")
		require.Equal(t, protectedBefore, s.readProtectedIDs(t))
	}
	if values := mergeChanges(oneWay, false); len(values) > 0 {
		s.configure(t, original, values)
		s.pulumi(t, "up", "--yes")
		s.pulumi(t, "preview", "--expect-no-changes")
		require.Equal(t, protectedBefore, s.readProtectedIDs(t))
		s.requireVolumesMatchClaims(t)
		for key := range values { // the earlier value of each key is refused
			s.configure(t, original, values)
			value, ok := s.configValue(original, key)
			if !ok {
				value = nil
			}
			s.configure(t, s.readConfiguration(t), map[string]any{key: value})
			out, err := s.tryPulumi(t, "preview")
			require.Error(t, err, key)
			require.Contains(t, out, "can't become", key)
		}
		for key, value := range values { // the stack keeps these values
			setConfigValue(original, key, value)
		}
	}
}

// requireVolumesMatchClaims requires that each volume has the size that its claim requests. If
// only the claim became larger, the store would keep its old disk.
func (s *stack) requireVolumesMatchClaims(t *testing.T) {
	t.Helper()
	bound := 0
	require.Eventually(t, func() bool {
		var claims corev1.PersistentVolumeClaimList
		require.NoError(t, json.Unmarshal([]byte(s.kubectl(t, "get", "persistentvolumeclaims", "--all-namespaces", "--output=json")), &claims))
		bound = 0
		for _, claim := range claims.Items {
			if claim.Status.Phase != corev1.ClaimBound {
				continue
			}
			bound++
			if claim.Status.Capacity.Storage().Cmp(*claim.Spec.Resources.Requests.Storage()) != 0 {
				return false
			}
		}
		return true
	}, time.Minute, time.Second, "every volume must grow to the size that its claim requests")
	require.Positive(t, bound)
}

// requireKept requires that every resource of before has the same id in after. The keys of
// both maps are URNs.
func requireKept(t *testing.T, before, after map[string]string) {
	t.Helper()
	for urn, id := range before {
		require.Equal(t, id, after[urn], urn)
	}
}

// readProtectedIDs returns the ids of the stack's protected resources by URN.
func (s *stack) readProtectedIDs(t *testing.T) map[string]string {
	t.Helper()
	var export struct {
		Deployment struct {
			Resources []struct {
				URN     string `json:"urn"`
				ID      string `json:"id"`
				Protect bool   `json:"protect"`
			} `json:"resources"`
		} `json:"deployment"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.pulumiStdout(t, "stack", "export")), &export))
	ids := map[string]string{}
	for _, r := range export.Deployment.Resources {
		if r.Protect {
			ids[r.URN] = r.ID
		}
	}
	require.NotEmpty(t, ids)
	return ids
}

// unprotectAndDestroy destroys a protected stack as the documentation says: an update removes
// the protection before the destroy.
func (s *stack) unprotectAndDestroy(t *testing.T) {
	t.Helper()
	s.configure(t, s.readConfiguration(t), map[string]any{"deletionProtection": false, "discardData": true})
	s.pulumi(t, "up", "--yes", "--skip-preview")
	checkDestroyRemovesEverything(t, s)
}

// readConfiguration returns the stack's configuration, by keys with their namespaces.
func (s *stack) readConfiguration(t *testing.T) map[string]any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.dir, "Pulumi."+s.name+".yaml"))
	require.NoError(t, err)
	var content struct {
		Config map[string]any `yaml:"config"`
	}
	require.NoError(t, yaml.Unmarshal(raw, &content))
	return content.Config
}

// configure applies changes to a copy of a configuration, and writes the copy to the stack's
// file.
func (s *stack) configure(t *testing.T, config, changes map[string]any) {
	t.Helper()
	path := filepath.Join(s.dir, "Pulumi."+s.name+".yaml")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	content := map[string]any{}
	require.NoError(t, yaml.Unmarshal(raw, &content))
	encoded, err := yaml.Marshal(config)
	require.NoError(t, err)
	changed := map[string]any{}
	require.NoError(t, yaml.Unmarshal(encoded, &changed))
	for key, value := range changes {
		setConfigValue(changed, key, value)
	}
	content["config"] = changed
	raw, err = yaml.Marshal(content)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, raw, 0o600))
}

// fullKey returns a key with its namespace.
func fullKey(key string) string {
	if strings.Contains(key, ":") {
		return key
	}
	return "progressive-framework:" + key
}

// setConfigValue sets a key, such as network.cidr, or removes it if value is nil.
func setConfigValue(config map[string]any, key string, value any) {
	parts := strings.Split(key, ".")
	object, name := config, fullKey(parts[0])
	for _, next := range parts[1:] {
		child, ok := object[name].(map[string]any)
		if !ok {
			child = map[string]any{}
			object[name] = child
		}
		object, name = child, next
	}
	if value == nil {
		delete(object, name)
		return
	}
	object[name] = value
}

// configValue returns the value of a key, and whether it is set.
func (s *stack) configValue(config map[string]any, key string) (any, bool) {
	parts := strings.Split(key, ".")
	object, name := config, fullKey(parts[0])
	for _, next := range parts[1:] {
		child, ok := object[name].(map[string]any)
		if !ok {
			return nil, false
		}
		object, name = child, next
	}
	value, ok := object[name]
	return value, ok
}
