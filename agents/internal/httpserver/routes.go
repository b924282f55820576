package httpserver

import (
	"fmt"
	"net/http"

	"github.com/progressive-framework/platform/agents/internal/reply"
)

// Routes serves mux, and answers what it does not know in our form of error:
// 404 for a path, 405 with Allow for a method. http.ServeMux writes plain
// text there and has no hook for it.
func Routes(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refusal, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		// Not matched: mux's own handler knows whether it is the path or the
		// method, and which methods there are.
		said := unsent{header: http.Header{}}
		refusal.ServeHTTP(&said, r)
		switch said.status {
		case http.StatusMethodNotAllowed:
			allow := said.header.Get("Allow")
			w.Header().Set("Allow", allow)
			reply.Error(w, said.status, reply.CodeMethodNotAllowed,
				fmt.Sprintf("%s is not a method of %s; use %s", r.Method, r.URL.Path, allow))
		case http.StatusNotFound:
			reply.Error(w, said.status, reply.CodeNotFound, fmt.Sprintf("there is nothing at %s", r.URL.Path))
		default: // a redirect to the clean form of the path
			refusal.ServeHTTP(w, r)
		}
	})
}

// unsent takes an answer that nobody is to receive.
type unsent struct {
	header http.Header
	status int
}

func (u *unsent) Header() http.Header         { return u.header }
func (u *unsent) WriteHeader(status int)      { u.status = status }
func (u *unsent) Write(p []byte) (int, error) { return len(p), nil }
