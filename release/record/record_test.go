package record

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// example is the record that the tests write.
var example = &Record{
	Commit: strings.Repeat("12", 20), At: time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC), From: "staging",
	Repository: "registry.example.com/progressive-framework-staging",
	Images:     map[string]string{"web": "sha256:" + strings.Repeat("a", 64), "mca": "sha256:" + strings.Repeat("b", 64)},
}

// renderedRecord is the text of example in a stack file.
const renderedRecord = `  progressive-framework:release:
    commit: "1212121212121212121212121212121212121212"
    at: "2026-12-01T10:00:00Z"
    from: staging
    repository: registry.example.com/progressive-framework-staging
    images:
      mca: sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
      web: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
`

func TestWithChangesOnlyTheRecord(t *testing.T) {
	for _, tc := range []struct{ reason, before, after string }{
		{"no record, config at the end",
			"# about\nconfig:\n  a:b: c # why\n  # last\n  x:y: {z: 1}\n",
			"# about\nconfig:\n  a:b: c # why\n  # last\n  x:y: {z: 1}\n" + renderedRecord},
		{"no record, a key after config",
			"config:\n  a:b: c\nencryptionsalt: v1:x\n",
			"config:\n  a:b: c\n" + renderedRecord + "encryptionsalt: v1:x\n"},
		{"no newline at the end", "config:\n  a:b: c", "config:\n  a:b: c\n" + renderedRecord},
		{"an older record in the middle",
			"config:\n  a:b: c\n\n  # promoted\n  progressive-framework:release:\n    images:\n      old: sha256:0\n    # of it\n\n  # next\n  x:y: z\n",
			"config:\n  a:b: c\n\n  # promoted\n" + renderedRecord + "\n  # next\n  x:y: z\n"},
		{"an older record at the end",
			"config:\n  a:b: c\n  progressive-framework:release: {from: x, images: {}}\n",
			"config:\n  a:b: c\n" + renderedRecord},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			f, err := Parse([]byte(tc.before))
			require.NoError(t, err)
			after, err := f.With(example)
			require.NoError(t, err)
			require.Equal(t, tc.after, string(after))
			reparsed, err := Parse(after)
			require.NoError(t, err)
			require.Equal(t, example, reparsed.Release)
			rewritten, err := reparsed.With(example)
			require.NoError(t, err)
			require.Equal(t, string(after), string(rewritten))
		})
	}
}

func TestStackFilesOfTheProjectKeepTheirLines(t *testing.T) {
	files, err := filepath.Glob("../../Pulumi.*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		f, err := Parse(text)
		require.NoError(t, err, file)
		require.NotEmpty(t, f.Environment, file)
		after, err := f.With(example)
		require.NoError(t, err, file)
		for line := range strings.Lines(string(text)) {
			require.Contains(t, string(after), line, file)
		}
	}
}

func TestInvalidStackFilesAreErrors(t *testing.T) {
	for reason, tc := range map[string]struct{ text, want string }{
		"no YAML":              {"a: [", "stack file"},
		"no config":            {"a: b\n", "no key config"},
		"config on one line":   {"config: {a:b: c}\n", ""},
		"a list as the record": {"config:\n  progressive-framework:release: [a]\n", "progressive-framework:release"},
	} {
		t.Run(reason, func(t *testing.T) {
			f, err := Parse([]byte(tc.text))
			if err == nil {
				_, err = f.With(example)
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// With other keys, comments and blank lines before and after the record, only the record changes.
func TestWithKeepsOtherKeysAndComments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		b.WriteString("config:\n  a:a: b\n")
		n := rapid.IntRange(0, 6).Draw(t, "keys")
		recordIndex := rapid.IntRange(-1, n).Draw(t, "record")
		for i := range n {
			if i == recordIndex {
				b.WriteString("  progressive-framework:release:\n    images: {old: sha256:1}\n")
			}
			for range rapid.IntRange(0, 2).Draw(t, "blank") {
				b.WriteString(rapid.SampledFrom([]string{"\n", "  # a comment\n", "# another\n"}).Draw(t, "line"))
			}
			fmt.Fprintf(&b, "  x:k%d: %s\n", i, rapid.SampledFrom([]string{"1", "[a, b]", "{a: b}", "\n    a: b\n    # in\n    c: d"}).Draw(t, "value"))
		}
		f, err := Parse([]byte(b.String()))
		require.NoError(t, err)
		after, err := f.With(example)
		require.NoError(t, err)
		removeRecord := func(text, record string) string { return strings.Replace(text, record, "", 1) }
		require.Equal(t, removeRecord(b.String(), "  progressive-framework:release:\n    images: {old: sha256:1}\n"), removeRecord(string(after), renderedRecord))
	})
}

func TestDraftIsNotReleased(t *testing.T) {
	draft := *example
	draft.Draft = true
	f, err := Parse([]byte("config:\n  a:b: c\n"))
	require.NoError(t, err)
	text, err := f.With(&draft)
	require.NoError(t, err)
	withDraft, err := Parse(text)
	require.NoError(t, err)
	require.Equal(t, &draft, withDraft.Release)
	require.Nil(t, withDraft.Released())
	text, err = withDraft.With(example)
	require.NoError(t, err)
	require.Equal(t, "config:\n  a:b: c\n"+renderedRecord, string(text), "the release replaces the draft")
}
