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

// repositoryNamePattern matches a repository name of the OCI distribution specification 1.1. A
// name is checked before it becomes a path, so no request reads or writes outside the
// registry's folder.
var repositoryNamePattern = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)

// maxNameLength is the longest name in bytes that file systems allow.
const maxNameLength = 255

// resourcePathPattern matches the path of a resource. Its groups are the repository, the kind and
// the reference. A repository's name may contain the word of a kind, such as "tags". Then
// the last such word in the path is the kind.
var resourcePathPattern = regexp.MustCompile(`^/v2/(.+)/(blobs/uploads|blobs|manifests|tags|referrers)/([^/]*)$`)

// manifestTypes are all types of manifests that the library stores. If a client accepts
// only "*/*", the library responds 404, but ECR sends the stored type. So handler adds
// these types to each request.
var manifestTypes = strings.Join([]string{
	types.MediaTypeOCI1ManifestList, types.MediaTypeOCI1Manifest, types.MediaTypeDocker2ManifestList, types.MediaTypeDocker2Manifest,
}, ", ")

// handler serves the registry's API: the API of the library with the additions of ECR.
type handler struct {
	library         http.Handler
	files           *folder
	credentialsHash [sha256.Size]byte // the hash of "AWS:" and the password
	indexMutex      sync.Mutex        // held while a request uses a repository's index
}

func newHandler(library http.Handler, files *folder, password string) http.Handler {
	return &handler{library: library, files: files, credentialsHash: sha256.Sum256([]byte(User + ":" + password))}
}

// responseError is an error response that does not come from the library.
type responseError struct {
	status        int
	code, message string
}

func (e *responseError) Error() string { return e.message }

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := h.serve(w, r)
	if err == nil {
		return
	}
	var responseErr *responseError
	if !errors.As(err, &responseErr) {
		slog.Error("registry request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		responseErr = &responseError{http.StatusInternalServerError, "UNKNOWN", err.Error()}
	}
	if responseErr.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="progressive sandbox registry"`)
	}
	writeJSON(w, responseErr.status, map[string]any{"errors": []map[string]string{{"code": responseErr.code, "message": responseErr.message}}})
}

// serve checks the credentials and the path, and passes the request to the function for
// its kind. For an error response it returns a *responseError and writes nothing.
func (h *handler) serve(w http.ResponseWriter, r *http.Request) error {
	isRead := r.Method == http.MethodGet || r.Method == http.MethodHead
	isVersionCheck := strings.TrimSuffix(r.URL.Path, "/") == "/v2"
	switch {
	case (!isRead || isVersionCheck) && !h.isAuthenticated(r):
		return &responseError{http.StatusUnauthorized, "UNAUTHORIZED", "pushes need the user " + User + " and the sandbox's registry password"}
	case isVersionCheck:
		h.library.ServeHTTP(w, r)
		return nil
	case r.URL.Path == "/v2/_catalog" && isRead:
		writeJSON(w, http.StatusOK, map[string]any{"repositories": h.files.listRepositoriesWithImages()})
		return nil
	}
	groups := resourcePathPattern.FindStringSubmatch(r.URL.Path)
	if groups == nil {
		return &responseError{http.StatusNotFound, "UNSUPPORTED", r.URL.Path + " is not part of the registry API"}
	}
	repository, kind, reference := groups[1], groups[2], groups[3]
	if len(repository) > maxNameLength || !repositoryNamePattern.MatchString(repository) {
		return &responseError{http.StatusBadRequest, "NAME_INVALID", "repository name " + repository + " is not well-formed"}
	}
	mayCreate := r.Method == http.MethodPost || r.Method == http.MethodPut
	switch {
	case !mayCreate && !h.files.hasRepository(repository):
		return &responseError{http.StatusNotFound, "NAME_UNKNOWN", "repository " + repository + " is not in this registry"}
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

// sendExclusive sends one request at a time to the library. It is for requests that use a
// repository's index. There the library has data races, and it can lose one of two
// referrers that are added at the same time. Such a request takes less than a millisecond.
func (h *handler) sendExclusive(r *http.Request) *bufferedResponse {
	h.indexMutex.Lock()
	defer h.indexMutex.Unlock()
	return sendToLibrary(h.library, r)
}

// isAuthenticated reports whether the request has the credentials for pushes.
func (h *handler) isAuthenticated(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	hash := sha256.Sum256([]byte(user + ":" + password))
	return ok && subtle.ConstantTimeCompare(hash[:], h.credentialsHash[:]) == 1
}

// readBlob serves a blob after a check of its digest. It does not use the library, because
// the library does not check the content.
func (h *handler) readBlob(w http.ResponseWriter, r *http.Request, repository, reference string) error {
	d, err := digest.Parse(reference)
	if err != nil {
		return &responseError{http.StatusBadRequest, "DIGEST_INVALID", fmt.Sprintf("digest %s: %v", reference, err)}
	}
	file, err := h.files.open(repository, d)
	if errors.Is(err, fs.ErrNotExist) {
		return &responseError{http.StatusNotFound, "BLOB_UNKNOWN", fmt.Sprintf("blob %s is not in %s", d, repository)}
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

// readManifest serves a manifest if all its blobs exist, and otherwise responds 404. A
// client does not push an image if its manifest exists. So without the 404 no client would
// restore the missing blob.
func (h *handler) readManifest(w http.ResponseWriter, r *http.Request, repository string) error {
	r = r.Clone(r.Context())
	r.Header.Set("Accept", manifestTypes)
	response := h.sendExclusive(r)
	if d := digest.Digest(response.header.Get("Docker-Content-Digest")); d != "" {
		missing, err := h.files.findMissing(repository, d)
		if err != nil {
			return err
		}
		if missing != "" {
			slog.Warn("registry: incomplete image is not served", "repository", repository, "digest", d, "missing", missing)
			return &responseError{http.StatusNotFound, "MANIFEST_UNKNOWN", fmt.Sprintf("the image %s@%s lacks %s; push it again", repository, d, missing)}
		}
	}
	return response.send(w)
}

// changeManifest stores or deletes a manifest or a tag. If a manifest is deleted by its
// digest, the tags that point to it are deleted too, as in ECR.
func (h *handler) changeManifest(w http.ResponseWriter, r *http.Request, repository string) error {
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxManifestSize))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return &responseError{http.StatusRequestEntityTooLarge, "SIZE_INVALID", fmt.Sprintf("the manifest is larger than %d bytes", maxManifestSize)}
	}
	if err != nil {
		return &responseError{http.StatusBadRequest, "SIZE_INVALID", "the manifest ended early"}
	}
	if r.Method == http.MethodPut {
		// The library refuses a manifest if one of its blobs does not exist, but it does not
		// check the content of the files. These two calls remove damaged files, so that
		// they do not exist for the library.
		_, manifestErr := h.files.findMissing(repository, digest.FromBytes(content))
		_, referencesErr := h.files.findMissingReference(repository, content)
		if err := errors.Join(manifestErr, referencesErr); err != nil {
			return err
		}
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(content))
	return h.sendExclusive(r).send(w)
}

// continueUpload receives a chunk of a blob, or the end of an upload. A failed upload is
// deleted, because the disk may be full, and the library would keep the upload's file for
// an hour.
func (h *handler) continueUpload(w http.ResponseWriter, r *http.Request) error {
	response := sendToLibrary(h.library, r)
	if response.status >= http.StatusInternalServerError {
		callLibrary(context.WithoutCancel(r.Context()), h.library, http.MethodDelete, r.URL.Path)
	}
	return response.send(w)
}

// bufferedResponse is a response of the library in memory. It implements
// http.ResponseWriter.
type bufferedResponse struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// sendToLibrary sends a request to the library and returns the response in memory. It must not be
// used to read blobs, because they can be larger than the memory.
func sendToLibrary(library http.Handler, r *http.Request) *bufferedResponse {
	response := &bufferedResponse{header: http.Header{}}
	library.ServeHTTP(response, r)
	response.WriteHeader(http.StatusOK) // has no effect if the library has set a status
	return response
}

// callLibrary sends a request of the registry itself to the library, without a body.
func callLibrary(ctx context.Context, library http.Handler, method, path string) {
	r, err := http.NewRequestWithContext(ctx, method, path, http.NoBody) //nolint:gosec // it goes to the library, not to a server
	if err != nil {
		slog.Error("registry request failed", "method", method, "path", path, "error", err)
		return
	}
	sendToLibrary(library, r)
}

// Header implements http.ResponseWriter.
func (b *bufferedResponse) Header() http.Header { return b.header }

// WriteHeader implements http.ResponseWriter. Only the first call has an effect.
func (b *bufferedResponse) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

// Write implements http.ResponseWriter.
func (b *bufferedResponse) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

// send sends the response to the client. A status of 500 or above means a failure of the
// disk. The library gives no message for it, so send returns a *responseError with one.
func (b *bufferedResponse) send(w http.ResponseWriter) error {
	if b.status >= http.StatusInternalServerError {
		return &responseError{b.status, "UNKNOWN", "the registry could not store this; its log has the reason. Make sure that the disk of its folder has space, and push again"}
	}
	maps.Copy(w.Header(), b.header)
	w.WriteHeader(b.status)
	// gosec reports this line in some runs only. In other runs nolintlint would report the
	// comment as unused, so it is disabled too.
	_, _ = w.Write(b.body.Bytes()) //nolint:gosec,nolintlint // an OCI document for a registry client, not a page
	return nil
}

// writeJSON sends a response with the status and the body.
func writeJSON(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(encoded)))
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // an error means that the client is gone
}
