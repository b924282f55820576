package httpserver

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// anyPath is the pattern of what no other pattern of a mux takes.
const anyPath = "/"

// methods are those that a route may have; HEAD comes with GET.
var methods = []string{
	http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPatch, http.MethodPost, http.MethodPut,
}

// Routes has the mux answer what it does not know in our form of error: 404 for
// a path, 405 with Allow for a method. http.ServeMux writes plain text there and
// has no hook for it. The mux must have no pattern "/" of its own.
func Routes(mux *http.ServeMux) http.Handler {
	mux.HandleFunc(anyPath, func(w http.ResponseWriter, r *http.Request) {
		r.Pattern = "" // to whoever counts routes, this is none
		if allow := allowed(mux, r); len(allow) > 0 {
			methods := strings.Join(allow, ", ")
			w.Header().Set("Allow", methods)
			httpapi.Error(w, http.StatusMethodNotAllowed, httpapi.CodeMethodNotAllowed,
				fmt.Sprintf("%s is not a method of %s; use %s", r.Method, r.URL.Path, methods))
			return
		}
		httpapi.Error(w, http.StatusNotFound, httpapi.CodeNotFound, fmt.Sprintf("there is nothing at %s", r.URL.Path))
	})
	return mux
}

// allowed are the methods that the mux knows for the request's path.
func allowed(mux *http.ServeMux, r *http.Request) []string {
	var known []string
	for _, method := range methods {
		if _, pattern := mux.Handler(&http.Request{Method: method, Host: r.Host, URL: r.URL}); pattern != anyPath {
			known = append(known, method)
		}
	}
	return known
}
