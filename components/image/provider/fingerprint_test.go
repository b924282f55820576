package provider

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// newModuleWithLibrary creates a module with a library, an embedded file, and a package
// that the main package does not import. computeFingerprint returns the fingerprint of the module's
// current files.
func newModuleWithLibrary(t *testing.T) (dir string, computeFingerprint func() string) {
	t.Helper()
	dir = newModule(t, map[string]string{
		"main.go":            "package main\n\nimport \"" + testImportPath(t) + "/lib\"\n\nfunc main() { lib.Say() }\n",
		"main_test.go":       "package main\n",
		"lib/lib.go":         "package lib\n\nimport _ \"embed\"\n\n//go:embed data/words.txt\nvar words string\n\nfunc Say() { println(words) }\n",
		"lib/data/words.txt": "hello",
		"other/other.go":     "package other\n",
	})
	return dir, func() string {
		fingerprint, err := recipe{ImportPath: testImportPath(t), Dir: dir, Platforms: []string{"linux/amd64"}}.fingerprint("go1.26.8 auto")
		require.NoError(t, err)
		return fingerprint
	}
}

func TestFingerprintChangesWithTheSources(t *testing.T) {
	dir, computeFingerprint := newModuleWithLibrary(t)
	original := computeFingerprint()
	require.NotEmpty(t, original)
	require.Equal(t, original, computeFingerprint())
	for _, tc := range []struct {
		reason, file string
		changes      bool
	}{
		{"the main package", "main.go", true},
		{"a package that it imports", "lib/lib.go", true},
		{"a new file of such a package", "lib/more.go", true},
		{"an embedded file", "lib/data/words.txt", true},
		{"the versions of modules", "go.sum", true},
		{"a test file", "main_test.go", false},
		{"a package that nobody imports", "other/other.go", false},
		{"a file outside of the packages", "docs/readme.md", false},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			file := filepath.Join(dir, tc.file)
			before, err := os.ReadFile(file)
			writeFile(t, dir, tc.file, string(before)+"\n// changed\n")
			require.Equal(t, tc.changes, computeFingerprint() != original)
			if err != nil {
				require.NoError(t, os.Remove(file))
			} else {
				require.NoError(t, os.WriteFile(file, before, 0o600))
			}
			require.Equal(t, original, computeFingerprint(), "the same files have the same fingerprint")
		})
	}
}

func TestFingerprintChangesWithTheRecipe(t *testing.T) {
	dir := newModule(t, map[string]string{"main.go": helloSource})
	computeFingerprint := func(r recipe) string {
		r.ImportPath, r.Dir = testImportPath(t), dir
		fingerprint, err := r.fingerprint("go1.26.8 auto")
		require.NoError(t, err)
		return fingerprint
	}
	require.NotEqual(t, computeFingerprint(recipe{}), computeFingerprint(recipe{Labels: map[string]string{"a": "b"}}))
	require.NotEqual(t, computeFingerprint(recipe{}), computeFingerprint(recipe{Platforms: []string{"linux/arm64"}}))
}

func TestFingerprintIsEmptyIfItCannotSeeAllInputs(t *testing.T) {
	for _, tc := range []struct{ reason, file, content string }{
		{"vendored modules", "vendor/modules.txt", ""},
		{"a workspace", "go.work", "go 1.26\n"},
		{"ko's data folder", "kodata/page.html", "x"},
		{"a local module", "go.mod", "module " + testImportPath(t) + "\n\ngo 1.26\n\nreplace example.com/other => ../other\n"},
		{"a malformed go.mod", "go.mod", "not a go.mod"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			dir := newModule(t, map[string]string{"main.go": helloSource})
			writeFile(t, dir, tc.file, tc.content)
			fingerprint, err := recipe{ImportPath: testImportPath(t), Dir: dir}.fingerprint("go1.26.8 auto")
			require.NoError(t, err)
			require.Empty(t, fingerprint)
		})
	}
	fingerprint, err := recipe{ImportPath: "example.com/another/main", Dir: newModule(t, nil)}.fingerprint("go1.26.8 auto")
	require.NoError(t, err)
	require.Empty(t, fingerprint, "a main package of another module")
}

// The digest of an image with unchanged sources needs no build.
func TestUnchangedSourcesAreNotBuilt(t *testing.T) {
	dir := newModule(t, map[string]string{"main.go": helloSource})
	s := newStack(t, "tiny")
	programInputs := imageInputs(testImportPath(t), dir, newRegistry(t).host+"/shop/tiny")
	require.True(t, s.up(programInputs))
	digest := s.output("digest")

	t.Setenv("KOCACHE", t.TempDir()) // every build writes its binary there
	require.False(t, s.up(programInputs))
	cacheEntries, err := os.ReadDir(os.Getenv("KOCACHE"))
	require.NoError(t, err)
	require.Empty(t, cacheEntries)
	require.Equal(t, digest, s.inputs.Get("digest").AsString())

	writeFile(t, dir, "notes.txt", "not a source")
	require.False(t, s.up(programInputs), "a build without need gives the same image")
	cacheEntries, err = os.ReadDir(os.Getenv("KOCACHE"))
	require.NoError(t, err)
	require.NotEmpty(t, cacheEntries)
}
