// Package site is the front page. Its files are embedded, so that web can serve them in
// stacks without a CDN. On AWS the files of the folder page are in the CDN's bucket. This
// package owns the files and their headers. Package webapp owns the API.
package site

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"mime"
	"net/http"
	"path"
)

// folder is the embedded folder.
const folder = "page"

//go:embed page
var files embed.FS

// ContentSecurityPolicy is the header for the page, both from web and from a CDN. It
// allows only what the page needs, and only from the page's own origin. It also allows
// "data:" images. The page has an empty inline icon, so that browsers request no icon
// file.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// AddRoutes adds a route for each file, and / for index.html.
func AddRoutes(handle func(pattern string, handler http.Handler)) error {
	entries, err := files.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		content, err := files.ReadFile(path.Join(folder, entry.Name()))
		if err != nil {
			return err
		}
		pattern := "GET /" + entry.Name()
		if entry.Name() == "index.html" {
			pattern = "GET /{$}"
		}
		handle(pattern, fileHandler(entry.Name(), content))
	}
	return nil
}

// fileHandler returns a handler that serves one file. File names have no version, so
// browsers must revalidate each time. The ETag makes that response short.
func fileHandler(name string, content []byte) http.Handler {
	etag := fmt.Sprintf(`"%x"`, sha256.Sum256(content))
	contentType := mime.TypeByExtension(path.Ext(name))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("ETag", etag)
		h.Set("Cache-Control", "public, no-cache")
		h.Set("Content-Security-Policy", ContentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Strict-Transport-Security", "max-age=31536000") // browsers ignore it without HTTPS
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", contentType)
		_, _ = w.Write(content) // a write fails if the client has disconnected
	})
}
