// Package site is the front page: files that a browser loads, embedded so that
// web can serve them where no CDN does. In AWS the files of the folder page lie
// in the CDN's bucket. It owns the files and their headers; the API is
// service's.
package site

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"mime"
	"net/http"
	"path"
)

const folder = "page"

//go:embed page
var files embed.FS

// ContentSecurityPolicy is the header of that name, whoever serves the page: it
// allows what the page needs, from its own origin only. The icon is empty and
// inline, so that no browser asks for one.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Routes adds a route for each file, and / for index.html.
func Routes(handle func(pattern string, handler http.Handler)) error {
	entries, err := files.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		text, err := files.ReadFile(path.Join(folder, entry.Name()))
		if err != nil {
			return err
		}
		pattern := "GET /" + entry.Name()
		if entry.Name() == "index.html" {
			pattern = "GET /{$}"
		}
		handle(pattern, file(entry.Name(), text))
	}
	return nil
}

// file serves one file. Names hold no version, so a browser must ask each time;
// the ETag makes the answer short.
func file(name string, text []byte) http.Handler {
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(text))
	kind := mime.TypeByExtension(path.Ext(name))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("ETag", tag)
		h.Set("Cache-Control", "public, no-cache")
		h.Set("Content-Security-Policy", ContentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Strict-Transport-Security", "max-age=31536000") // browsers heed it over HTTPS only
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", kind)
		_, _ = w.Write(text) // a failed write means that the client has left
	})
}
