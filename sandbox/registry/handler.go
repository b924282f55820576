package registry

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"regexp"
	"strings"
)

// Limits of a request's body, in bytes. 4 MiB is what the OCI distribution
// specification asks a registry to accept for a manifest; no layer of ours
// comes near 8 GiB.
const (
	maxManifest = 4 << 20
	maxBlob     = 8 << 30
)

// handler speaks the OCI distribution specification 1.1 over a store.
type handler struct {
	store  *store
	secret [sha256.Size]byte // of "AWS:password"
}

func newHandler(s *store, password string) http.Handler {
	return &handler{store: s, secret: sha256.Sum256([]byte(User + ":" + password))}
}

// call is one request to a resource of one repository.
type call struct {
	w         http.ResponseWriter
	r         *http.Request
	repo, ref string
}

// A route is a resource by its path and what each method does to it.
type route struct {
	path    *regexp.Regexp // groups: repository, reference
	methods map[string]func(*handler, call) error
}

// The API of the specification, one row a resource. A repository's name may
// hold any word, so the rows match from the end of the path.
var routes = []route{
	{regexp.MustCompile(`^/v2/(.+)/blobs/uploads/()$`), map[string]func(*handler, call) error{
		http.MethodPost: (*handler).startUpload,
	}},
	{regexp.MustCompile(`^/v2/(.+)/blobs/uploads/([0-9a-f]{32})$`), map[string]func(*handler, call) error{
		http.MethodGet:    (*handler).uploadStatus,
		http.MethodPatch:  (*handler).appendUpload,
		http.MethodPut:    (*handler).finishUpload,
		http.MethodDelete: (*handler).cancelUpload,
	}},
	{regexp.MustCompile(`^/v2/(.+)/blobs/([^/]+)$`), map[string]func(*handler, call) error{
		http.MethodGet:    (*handler).getBlob,
		http.MethodHead:   (*handler).getBlob,
		http.MethodDelete: (*handler).deleteBlob,
	}},
	{regexp.MustCompile(`^/v2/(.+)/manifests/([^/]+)$`), map[string]func(*handler, call) error{
		http.MethodGet:    (*handler).getManifest,
		http.MethodHead:   (*handler).getManifest,
		http.MethodPut:    (*handler).putManifest,
		http.MethodDelete: (*handler).deleteManifest,
	}},
	{regexp.MustCompile(`^/v2/(.+)/tags/list()$`), map[string]func(*handler, call) error{
		http.MethodGet: (*handler).listTags,
	}},
	{regexp.MustCompile(`^/v2/(.+)/referrers/([^/]+)$`), map[string]func(*handler, call) error{
		http.MethodGet: (*handler).listReferrers,
	}},
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	if err := h.serve(w, r); err != nil {
		writeError(w, r, err)
	}
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request) error {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	// From the version check a client learns whether the registry wants
	// credentials at all, so that must ask for them though it only reads.
	isVersionCheck := strings.TrimSuffix(r.URL.Path, "/") == "/v2"
	if (!reads || isVersionCheck) && !h.authenticated(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="progressive sandbox registry"`)
		return &apiError{http.StatusUnauthorized, codeUnauthorized,
			"pushes need the user " + User + " and the sandbox's registry password"}
	}
	switch {
	case isVersionCheck && reads:
		w.WriteHeader(http.StatusOK)
		return nil
	case r.URL.Path == "/v2/_catalog" && reads:
		return h.listRepositories(w, r)
	}
	for _, row := range routes {
		m := row.path.FindStringSubmatch(r.URL.Path)
		if m == nil {
			continue
		}
		repo, ref := m[1], m[2]
		if len(repo) > maxName || !repositoryName.MatchString(repo) {
			return &apiError{http.StatusBadRequest, codeNameInvalid, "repository name " + repo + " is not well-formed"}
		}
		do, ok := row.methods[r.Method]
		if !ok {
			return &apiError{http.StatusMethodNotAllowed, codeUnsupported, r.Method + " is not possible on " + r.URL.Path}
		}
		return do(h, call{w: w, r: r, repo: repo, ref: ref})
	}
	return &apiError{http.StatusNotFound, codeUnsupported, r.URL.Path + " is not part of the registry API"}
}

func (h *handler) authenticated(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	got := sha256.Sum256([]byte(user + ":" + password))
	return ok && subtle.ConstantTimeCompare(got[:], h.secret[:]) == 1
}
