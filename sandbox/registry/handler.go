package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/olareg/olareg/types"
	"github.com/opencontainers/go-digest"
)

// repositoryName is the grammar of repository names in the OCI distribution
// specification 1.1. A name is checked before it becomes a path, so no request reads or
// writes outside the registry's folder.
var repositoryName = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)

// maxName is the longest name in bytes that file systems allow.
const maxName = 255

// resourcePath has the groups repository, kind and reference. The repository's
// name may contain a kind's word too; then the last such word in the path is the
// kind.
var resourcePath = regexp.MustCompile(`^/v2/(.+)/(blobs/uploads|blobs|manifests|tags|referrers)/([^/]*)$`)

// manifestTypes are all types of manifests that the library stores. The library
// responds 404 to a client that accepts only "*/*"; ECR sends the stored type.
var manifestTypes = strings.Join([]string{
	types.MediaTypeOCI1ManifestList, types.MediaTypeOCI1Manifest, types.MediaTypeDocker2ManifestList, types.MediaTypeDocker2Manifest,
}, ", ")

// handler serves the registry's API: that of the library, with ECR's additions.
type handler struct {
	library         http.Handler
	files           *folder
	credentialsHash [sha256.Size]byte // of "AWS:password"
	indexes         sync.Mutex        // see sendExclusive
}

func newHandler(library http.Handler, files *folder, password string) http.Handler {
	return &handler{library: library, files: files, credentialsHash: sha256.Sum256([]byte(User + ":" + password))}
}

// refusal is an error response that does not come from the library.
type refusal struct {
	status        int
	code, message string
}

func (e *refusal) Error() string { return e.message }

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := h.serve(w, r)
	if err == nil {
		return
	}
	var e *refusal
	if !errors.As(err, &e) {
		slog.Error("registry failed", "method", r.Method, "path", r.URL.Path, "error", err)
		e = &refusal{http.StatusInternalServerError, "UNKNOWN", err.Error()}
	}
	if e.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="progressive sandbox registry"`)
	}
	writeJSON(w, e.status, map[string]any{"errors": []map[string]string{{"code": e.code, "message": e.message}}})
}

// serve checks the credentials and the path, and passes the request to the
// function for its kind. It returns a *refusal instead of writing an error.
func (h *handler) serve(w http.ResponseWriter, r *http.Request) error {
	isRead := r.Method == http.MethodGet || r.Method == http.MethodHead
	versionCheck := strings.TrimSuffix(r.URL.Path, "/") == "/v2"
	switch {
	case (!isRead || versionCheck) && !h.authenticated(r):
		return &refusal{http.StatusUnauthorized, "UNAUTHORIZED", "pushes need the user " + User + " and the sandbox's registry password"}
	case versionCheck:
		h.library.ServeHTTP(w, r)
		return nil
	case r.URL.Path == "/v2/_catalog" && isRead:
		writeJSON(w, http.StatusOK, map[string]any{"repositories": h.files.repositoriesWithImages()})
		return nil
	}
	m := resourcePath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		return &refusal{http.StatusNotFound, "UNSUPPORTED", r.URL.Path + " is not part of the registry API"}
	}
	repository, kind, reference := m[1], m[2], m[3]
	if len(repository) > maxName || !repositoryName.MatchString(repository) {
		return &refusal{http.StatusBadRequest, "NAME_INVALID", "repository name " + repository + " is not well-formed"}
	}
	mayCreate := r.Method == http.MethodPost || r.Method == http.MethodPut
	switch {
	case !mayCreate && !h.files.has(repository):
		return &refusal{http.StatusNotFound, "NAME_UNKNOWN", "repository " + repository + " is not in this registry"}
	case kind == "blobs" && isRead:
		return h.readBlob(w, r, repository, reference)
	case kind == "blobs/uploads" && r.Method != http.MethodPost:
		return h.continueUpload(w, r)
	case kind == "manifests" && isRead:
		return h.readManifest(w, r, repository)
	case kind == "manifests":
		return h.changeManifest(w, r, repository)
	}
	return h.sendExclusive(r).send(w)
}

// sendExclusive sends one request at a time to the library. It is for requests that use
// a repository's index, because the library has data races there, and it can lose one
// of two referrers that are added at the same time. Such a request takes less than a
// millisecond.
func (h *handler) sendExclusive(r *http.Request) *bufferedResponse {
	h.indexes.Lock()
	defer h.indexes.Unlock()
	return buffer(h.library, r)
}

// authenticated says whether the request has the credentials for pushes.
func (h *handler) authenticated(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	hash := sha256.Sum256([]byte(user + ":" + password))
	return ok && subtle.ConstantTimeCompare(hash[:], h.credentialsHash[:]) == 1
}

// readBlob serves a blob without the library, which does not check the content.
func (h *handler) readBlob(w http.ResponseWriter, r *http.Request, repository, reference string) error {
	d, err := digest.Parse(reference)
	if err != nil {
		return &refusal{http.StatusBadRequest, "DIGEST_INVALID", fmt.Sprintf("digest %s: %v", reference, err)}
	}
	file, err := h.files.open(repository, d)
	if errors.Is(err, fs.ErrNotExist) {
		return &refusal{http.StatusNotFound, "BLOB_UNKNOWN", fmt.Sprintf("blob %s is not in %s", d, repository)}
	}
	if err != nil {
		return err
	}
	defer file.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Docker-Content-Digest", d.String())
	http.ServeContent(w, r, "", time.Time{}, file) // serves ranges, because containerd continues a broken pull
	return nil
}

// readManifest serves a manifest if all its blobs exist, and otherwise responds
// 404. Clients skip the push of an image whose manifest exists, so without the 404
// they would never restore the missing blob.
func (h *handler) readManifest(w http.ResponseWriter, r *http.Request, repository string) error {
	r = r.Clone(r.Context())
	r.Header.Set("Accept", manifestTypes)
	a := h.sendExclusive(r)
	if d := digest.Digest(a.header.Get("Docker-Content-Digest")); d != "" {
		missing, err := h.files.missing(repository, d)
		if err != nil {
			return err
		}
		if missing != "" {
			slog.Warn("registry: incomplete image is not served", "repository", repository, "digest", d, "missing", missing)
			return &refusal{http.StatusNotFound, "MANIFEST_UNKNOWN", fmt.Sprintf("the image %s@%s lacks %s; push it again", repository, d, missing)}
		}
	}
	return a.send(w)
}

// changeManifest stores or deletes a manifest or a tag. Deleting a digest also
// deletes the tags that point to it, as in ECR.
func (h *handler) changeManifest(w http.ResponseWriter, r *http.Request, repository string) error {
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxManifest))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return &refusal{http.StatusRequestEntityTooLarge, "SIZE_INVALID", fmt.Sprintf("the manifest is larger than %d bytes", maxManifest)}
	}
	if err != nil {
		return &refusal{http.StatusBadRequest, "SIZE_INVALID", "the manifest ended early"}
	}
	if r.Method == http.MethodPut {
		// The library checks only that files exist. So these two calls first remove
		// the damaged files among the manifest and its parts.
		_, manifestErr := h.files.missing(repository, digest.FromBytes(content))
		_, partsErr := h.files.missingParts(repository, content)
		if err := errors.Join(manifestErr, partsErr); err != nil {
			return err
		}
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(content))
	return h.sendExclusive(r).send(w)
}

// continueUpload receives a chunk of a blob, or the end of an upload. A failed
// upload is deleted, because it would use disk space for an hour and the disk may
// be full.
func (h *handler) continueUpload(w http.ResponseWriter, r *http.Request) error {
	a := buffer(h.library, r)
	if a.status >= http.StatusInternalServerError {
		call(context.WithoutCancel(r.Context()), h.library, http.MethodDelete, r.URL.Path)
	}
	return a.send(w)
}

// bufferedResponse is a response of the library in memory. It implements
// http.ResponseWriter.
type bufferedResponse struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// buffer sends a request to the library and returns the response. It is not for
// blobs, because they are too large for the memory.
func buffer(library http.Handler, r *http.Request) *bufferedResponse {
	a := &bufferedResponse{header: http.Header{}}
	library.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK) // if the library set no status
	return a
}

// call sends the library a request that no client has sent, without a body.
func call(ctx context.Context, library http.Handler, method, path string) {
	r, err := http.NewRequestWithContext(ctx, method, path, http.NoBody) //nolint:gosec // it goes to the library, not to a server
	if err != nil {
		slog.Error("registry failed", "method", method, "path", path, "error", err)
		return
	}
	buffer(library, r)
}

// Header implements http.ResponseWriter.
func (a *bufferedResponse) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter. The first status counts.
func (a *bufferedResponse) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *bufferedResponse) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// send sends the response to the client. A status of 500 or above is a failure of
// the disk for which the library gives no message, so send returns a *refusal with
// one.
func (a *bufferedResponse) send(w http.ResponseWriter) error {
	if a.status >= http.StatusInternalServerError {
		return &refusal{a.status, "UNKNOWN", "the registry could not store this; its log says why. Is there space left in its folder? Push again then"}
	}
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	// gosec reports this in some runs only, so nolintlint may not.
	_, _ = w.Write(a.body.Bytes()) //nolint:gosec,nolintlint // an OCI document for a registry client, not a page
	return nil
}

// writeJSON sends v as the body of a response.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the client is gone
}
