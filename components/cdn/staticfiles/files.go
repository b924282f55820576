// Package staticfiles lists a folder of static files for the CDN: the path, the
// content type and the Cache-Control header of each. It only reads the folder.
package staticfiles

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Index is the file that the distribution serves at its root.
const Index = "index.html"

// maxFiles limits the files of a site, because every file is a resource of the stack: the
// platform's choice.
const maxFiles = 500

// contentTypes are the content types by extension. Go's package mime is not used, because its list
// depends on the machine. A wrong type would break a page: the header
// X-Content-Type-Options: nosniff forbids browsers to guess the type.
var contentTypes = map[string]string{
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
	// Key is the file's path in the folder and in the bucket.
	Key string
	// ContentType depends on the extension of the file.
	ContentType string
	// CacheControl is for browsers and the CDN. Pages are revalidated at each
	// request, because they refer to the other files. The other files are cached for a
	// day, the design document's default. A file that must change sooner needs a new
	// name.
	CacheControl string
}

// Files lists the files of a folder, sorted by path. It skips names that begin with a dot.
// These are errors: a missing index.html, an unknown extension, and an entry that is not a file or
// a folder, such as a link. Files returns all errors together.
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
		contentType, known := contentTypes[path.Ext(p)]
		if !known {
			errs = append(errs, fmt.Errorf("%s: no content type is known for %q; add it to package staticfiles", p, path.Ext(p)))
			return nil
		}
		files = append(files, File{Key: p, ContentType: contentType, CacheControl: cacheControl(p)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("static files: %w", err)
	}
	if _, err := fs.Stat(folder, Index); err != nil {
		errs = append(errs, fmt.Errorf("%s is missing; it is the page at the root of the site", Index))
	}
	if len(files) > maxFiles {
		errs = append(errs, fmt.Errorf("there are %d files; must be at most %d", len(files), maxFiles))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("static files: %w", err)
	}
	return files, nil
}

// cacheControl returns the Cache-Control header of a file; see File.CacheControl.
func cacheControl(p string) string {
	if path.Ext(p) == ".html" {
		return "no-cache"
	}
	return "public, max-age=86400"
}
