package staticfiles

import (
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestFilesListsTypesAndCacheControl(t *testing.T) {
	files, err := Files(fstest.MapFS{
		"index.html":     {},
		"assets/app.js":  {},
		"assets/app.css": {},
		".git/config":    {},
		"assets/.cache":  {},
	})
	require.NoError(t, err)
	require.Equal(t, []File{
		{"assets/app.css", "text/css; charset=utf-8", "public, max-age=86400"},
		{"assets/app.js", "text/javascript; charset=utf-8", "public, max-age=86400"},
		{"index.html", "text/html; charset=utf-8", "no-cache"},
	}, files)
}

func TestFilesReturnsAllErrors(t *testing.T) {
	many := fstest.MapFS{"index.html": {}}
	for i := range maxFiles {
		many[fmt.Sprintf("%d.txt", i)] = &fstest.MapFile{}
	}
	for _, tc := range []struct {
		reason string
		folder fstest.MapFS
		want   []string
	}{
		{"every error at once", fstest.MapFS{"run.exe": {}, "etc": {Mode: fs.ModeSymlink, Data: []byte("/etc")}},
			[]string{`run.exe: no content type`, "etc: must be a file", "index.html is missing"}},
		{"one file more than maxFiles", many, []string{"there are 501 files"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := Files(tc.folder)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
