package provider

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// tree is a module with a library, an embedded file, and packages that the
// main package does not import.
func tree(t *testing.T) (dir string, hash func() string) {
	t.Helper()
	dir = module(t, map[string]string{
		"main.go":            "package main\n\nimport \"" + tinyPath(t) + "/lib\"\n\nfunc main() { lib.Say() }\n",
		"main_test.go":       "package main\n",
		"lib/lib.go":         "package lib\n\nimport _ \"embed\"\n\n//go:embed data/words.txt\nvar words string\n\nfunc Say() { println(words) }\n",
		"lib/data/words.txt": "hello",
		"other/other.go":     "package other\n",
	})
	return dir, func() string {
		got, err := recipe{ImportPath: tinyPath(t), Dir: dir, Platforms: []string{"linux/amd64"}}.fingerprint("go1.26.8 auto")
		require.NoError(t, err)
		return got
	}
}

func TestFingerprintFollowsWhatTheImageIsMadeFrom(t *testing.T) {
	dir, hash := tree(t)
	before := hash()
	require.NotEmpty(t, before)
	require.Equal(t, before, hash())
	for _, tc := range []struct {
		reason, file string
		counts       bool
	}{
		{"the main package", "main.go", true},
		{"a package that it imports", "lib/lib.go", true},
		{"a new file of such a package", "lib/more.go", true},
		{"an embedded file", "lib/data/words.txt", true},
		{"the versions of modules", "go.sum", true},
		{"a test", "main_test.go", false},
		{"a package that nobody imports", "other/other.go", false},
		{"a file beside the packages", "docs/readme.md", false},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			file := filepath.Join(dir, tc.file)
			was, err := os.ReadFile(file)
			edit(t, dir, tc.file, string(was)+"\n// changed\n")
			require.Equal(t, tc.counts, hash() != before)
			if err != nil {
				require.NoError(t, os.Remove(file))
			} else {
				require.NoError(t, os.WriteFile(file, was, 0o600))
			}
			require.Equal(t, before, hash(), "the same files are the same sources")
		})
	}
}

func TestFingerprintFollowsTheRecipe(t *testing.T) {
	dir := module(t, map[string]string{"main.go": hello})
	of := func(r recipe) string {
		r.ImportPath, r.Dir = tinyPath(t), dir
		got, err := r.fingerprint("go1.26.8 auto")
		require.NoError(t, err)
		return got
	}
	require.NotEqual(t, of(recipe{}), of(recipe{Labels: map[string]string{"a": "b"}}))
	require.NotEqual(t, of(recipe{}), of(recipe{Platforms: []string{"linux/arm64"}}))
}

func TestFingerprintLeavesToTheCompilerWhatItCannotSee(t *testing.T) {
	for _, tc := range []struct{ reason, file, content string }{
		{"vendored modules", "vendor/modules.txt", ""},
		{"a workspace", "go.work", "go 1.26\n"},
		{"ko's data folder", "kodata/page.html", "x"},
		{"a module of this machine", "go.mod", "module " + tinyPath(t) + "\n\ngo 1.26\n\nreplace example.com/other => ../other\n"},
		{"a go.mod that cannot be read", "go.mod", "not a go.mod"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			dir := module(t, map[string]string{"main.go": hello})
			edit(t, dir, tc.file, tc.content)
			got, err := recipe{ImportPath: tinyPath(t), Dir: dir}.fingerprint("go1.26.8 auto")
			require.NoError(t, err)
			require.Empty(t, got)
		})
	}
	got, err := recipe{ImportPath: "example.com/another/main", Dir: module(t, nil)}.fingerprint("go1.26.8 auto")
	require.NoError(t, err)
	require.Empty(t, got, "another module's main package")
}

// An image whose sources are as they were is not built to learn its digest.
func TestUnchangedSourcesAreNotBuilt(t *testing.T) {
	dir := module(t, map[string]string{"main.go": hello})
	s := newStack(t, "tiny")
	given := args(tinyPath(t), dir, newStore(t).host+"/shop/tiny")
	require.True(t, s.up(given))
	digest := s.output("digest")

	t.Setenv("KOCACHE", t.TempDir()) // where every build leaves its binary
	require.False(t, s.up(given))
	built, err := os.ReadDir(os.Getenv("KOCACHE"))
	require.NoError(t, err)
	require.Empty(t, built)
	require.Equal(t, digest, s.inputs.Get("digest").AsString())

	edit(t, dir, "notes.txt", "beside the sources")
	require.False(t, s.up(given), "where in doubt it is built, and is the same image")
	built, err = os.ReadDir(os.Getenv("KOCACHE"))
	require.NoError(t, err)
	require.NotEmpty(t, built)
}
