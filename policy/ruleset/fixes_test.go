package ruleset_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/ruleset"
)

var (
	dottedKey = regexp.MustCompile(`\b[a-z]+[A-Za-z]*(?:\.[A-Za-z]+)+\b`)
	plainKey  = regexp.MustCompile(`\bthe key ([a-z][A-Za-z]*)(?:$|[ ,])`)
	// sourceRef matches a package folder, and a name in the package.
	sourceRef = regexp.MustCompile(`\b((?:components|infra)(?:/[a-z0-9.]+)*)(?:, ([a-z]*[A-Z][A-Za-z]*)\b)?`)
)

// A fix names configuration keys of docs/configuration.md, and packages and names of the
// program.
func TestFixesNameWhatExists(t *testing.T) {
	raw, err := os.ReadFile("../../docs/configuration.md")
	require.NoError(t, err)
	keys, sourceRefs := 0, 0
	for _, r := range ruleset.All() {
		var keyNames []string
		for _, match := range plainKey.FindAllStringSubmatch(r.Fix, -1) {
			keyNames = append(keyNames, match[1])
		}
		if strings.Contains(r.Fix, "the key") {
			for _, key := range dottedKey.FindAllString(r.Fix, -1) {
				if !strings.HasSuffix(key, ".go") {
					keyNames = append(keyNames, key)
				}
			}
		}
		for _, key := range keyNames {
			keys++
			assert.Contains(t, string(raw), "\n| `"+key+"` |", "%s: there is no key %s", r.ID, key)
		}
		for _, match := range sourceRef.FindAllStringSubmatch(r.Fix, -1) {
			sourceRefs++
			path := filepath.Join("..", "..", match[1])
			if assert.True(t, pathExists(path), "%s: there is no %s", r.ID, match[1]) && match[2] != "" {
				assert.True(t, sourceHas(t, path, match[2]), "%s: %s has no %s", r.ID, match[1], match[2])
			}
		}
	}
	require.Greater(t, keys, 30)
	require.Greater(t, sourceRefs, 100)
}

func pathExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// sourceHas reports whether a Go file in a folder, at any depth, contains a name.
func sourceHas(t *testing.T, folder, name string) bool {
	t.Helper()
	word, found := regexp.MustCompile(`\b`+name+`\b`), false
	require.NoError(t, filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		raw, err := os.ReadFile(path)
		found = found || word.Match(raw)
		return err
	}))
	return found
}
