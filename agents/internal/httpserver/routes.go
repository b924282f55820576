package httpserver

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// anyPath is the pattern of requests that no other pattern matches.
const anyPath = "/"

// methods are the HTTP methods that the header Allow can list.
var methods = []string{
	http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPatch, http.MethodPost, http.MethodPut,
}

// HandleUnknownRoutes makes the mux respond with problem details to requests without a route. An
// unknown path gets 404, and an unknown method 405 with the header Allow. http.ServeMux itself
// would respond with plain text, and has no option to change this. The mux must not have the pattern "/".
func HandleUnknownRoutes(mux *http.ServeMux) http.Handler {
	mux.HandleFunc(anyPath, func(w http.ResponseWriter, r *http.Request) {
		r.Pattern = "" // access log and metrics must not count this as a route
		if allowed := allowedMethods(mux, r); len(allowed) > 0 {
			methodList := strings.Join(allowed, ", ")
			w.Header().Set("Allow", methodList)
			httpapi.SendError(w, http.StatusMethodNotAllowed, httpapi.CodeMethodNotAllowed,
				fmt.Sprintf("method %s is not allowed for %s; use %s", r.Method, r.URL.Path, methodList))
			return
		}
		httpapi.SendError(w, http.StatusNotFound, httpapi.CodeNotFound, fmt.Sprintf("no route for %s", r.URL.Path))
	})
	return mux
}

// allowedMethods returns the methods for which the mux has a route to the request's path.
func allowedMethods(mux *http.ServeMux, r *http.Request) []string {
	var allowed []string
	for _, method := range methods {
		if _, pattern := mux.Handler(&http.Request{Method: method, Host: r.Host, URL: r.URL}); pattern != anyPath {
			allowed = append(allowed, method)
		}
	}
	return allowed
}
