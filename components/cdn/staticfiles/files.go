// Package staticfiles reads a folder of static files as the CDN serves them: the
// path, the content type, and how long browsers may keep each. It is pure but
// for reading the folder.
package staticfiles

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Index is what the distribution answers at its root.
const Index = "index.html"

// maxFiles bounds a site: every file is a resource of the stack.
const maxFiles = 500

// types are spelled out because those that Go knows depend on the machine, and
// a browser that is told nosniff takes a wrong type at its word.
var types = map[string]string{
	".avif":        "image/avif",
	".css":         "text/css; charset=utf-8",
	".gif":         "image/gif",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".jpeg":        "image/jpeg",
	".jpg":         "image/jpeg",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".mjs":         "text/javascript; charset=utf-8",
	".pdf":         "application/pdf",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".wasm":        "application/wasm",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".woff":        "font/woff",
	".woff2":       "font/woff2",
	".xml":         "application/xml",
}

// File is one static file.
type File struct {
	// Key is its path in the folder and in the bucket.
	Key string
	// ContentType is by the ending of its name.
	ContentType string
	// CacheControl is for browsers and the CDN: pages are asked for each time
	// whether they changed, as they name what else is loaded; the rest is kept
	// for a day, the document's default, so that a file that must change sooner
	// takes a new name.
	CacheControl string
}

// Files lists the files of a folder, by path. There must be an index.html; a
// name that begins with a dot is not served; what is neither file nor folder,
// or has an unknown ending, is an error. It returns every error that it finds.
func Files(folder fs.FS) ([]File, error) {
	var files []File
	var errs []error
	err := fs.WalkDir(folder, ".", func(p string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case p != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			errs = append(errs, fmt.Errorf("%s: must be a file; links are not followed", p))
			return nil
		}
		kind, known := types[path.Ext(p)]
		if !known {
			errs = append(errs, fmt.Errorf("%s: no content type is known for %q; add it to package staticfiles", p, path.Ext(p)))
			return nil
		}
		files = append(files, File{Key: p, ContentType: kind, CacheControl: cacheControl(p)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("static files: %w", err)
	}
	if _, err := fs.Stat(folder, Index); err != nil {
		errs = append(errs, fmt.Errorf("%s is missing; the root of the site answers with it", Index))
	}
	if len(files) > maxFiles {
		errs = append(errs, fmt.Errorf("there are %d files; must be at most %d", len(files), maxFiles))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("static files: %w", err)
	}
	return files, nil
}

func cacheControl(p string) string {
	if path.Ext(p) == ".html" {
		return "no-cache"
	}
	return "public, max-age=86400"
}
