package registry

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func checkReference(ref string) error {
	if tagName.MatchString(ref) || digestName.MatchString(ref) {
		return nil
	}
	return &apiError{http.StatusBadRequest, codeManifestInvalid, "reference " + ref + " is neither a tag nor a sha256 digest"}
}

func unknownManifest(c call) error {
	return &apiError{http.StatusNotFound, codeManifestUnknown, "manifest " + c.ref + " is not in " + c.repo}
}

// getManifest answers GET and HEAD.
func (h *handler) getManifest(c call) error {
	if err := checkReference(c.ref); err != nil {
		return err
	}
	d, err := h.store.resolve(c.repo, c.ref)
	if errors.Is(err, errNotFound) {
		return unknownManifest(c)
	}
	if err != nil {
		return err
	}
	m, err := h.store.servable(c.repo, d)
	if errors.Is(err, errNotFound) {
		return unknownManifest(c)
	}
	if err != nil {
		return err
	}
	header := c.w.Header()
	header.Set("Content-Type", m.mediaType)
	header.Set("Content-Length", strconv.Itoa(len(m.content)))
	header.Set("Docker-Content-Digest", string(d))
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodGet {
		_, _ = c.w.Write(m.content) // the client has gone; there is nobody to tell
	}
	return nil
}

func (h *handler) putManifest(c call) error {
	if err := checkReference(c.ref); err != nil {
		return err
	}
	content, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxManifest))
	if err != nil {
		return err
	}
	m := manifest{content: content}
	a, err := m.anatomy()
	if err != nil {
		return &apiError{http.StatusBadRequest, codeManifestInvalid, err.Error()}
	}
	m.mediaType = cmp.Or(c.r.Header.Get("Content-Type"), a.MediaType)
	if kind := types.MediaType(m.mediaType); !kind.IsImage() && !kind.IsIndex() {
		return &apiError{http.StatusBadRequest, codeManifestInvalid, "media type " + strconv.Quote(m.mediaType) + " is neither an image's nor an index's"}
	}
	tag := c.ref
	if want, err := parseDigest(c.ref); err == nil {
		if got := digestOf(content); got != want {
			return &mismatchError{want: want, got: got}
		}
		tag = ""
	}
	d, err := h.store.putManifest(c.repo, tag, m)
	if err != nil {
		return err
	}
	header := c.w.Header()
	header.Set("Docker-Content-Digest", string(d))
	header.Set("Location", "/v2/"+c.repo+"/manifests/"+string(d))
	if a.Subject != nil {
		header.Set("OCI-Subject", a.Subject.Digest.String())
	}
	c.w.WriteHeader(http.StatusCreated)
	return nil
}

func (h *handler) deleteManifest(c call) error {
	if err := checkReference(c.ref); err != nil {
		return err
	}
	if err := h.store.deleteManifest(c.repo, c.ref); errors.Is(err, errNotFound) {
		return unknownManifest(c)
	} else if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}

func (h *handler) listReferrers(c call) error {
	d, err := refDigest(c.ref)
	if err != nil {
		return err
	}
	found, err := h.store.referrers(c.repo, d)
	if err != nil {
		return err
	}
	if kind := c.r.URL.Query().Get("artifactType"); kind != "" {
		found = slices.DeleteFunc(found, func(r v1.Descriptor) bool { return r.ArtifactType != kind })
		c.w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	return writeJSON(c.w, string(types.OCIImageIndex), v1.IndexManifest{
		SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: found,
	})
}

func (h *handler) listTags(c call) error {
	tags, err := h.store.tags(c.repo)
	if errors.Is(err, errNotFound) {
		return &apiError{http.StatusNotFound, codeNameUnknown, "repository " + c.repo + " is not in this registry"}
	}
	if err != nil {
		return err
	}
	tags, err = page(c.w, c.r.URL, tags)
	if err != nil {
		return err
	}
	return writeJSON(c.w, "application/json", map[string]any{"name": c.repo, "tags": tags})
}

func (h *handler) listRepositories(w http.ResponseWriter, r *http.Request) error {
	repos, err := h.store.repositories()
	if err != nil {
		return err
	}
	repos, err = page(w, r.URL, repos)
	if err != nil {
		return err
	}
	return writeJSON(w, "application/json", map[string]any{"repositories": repos})
}

// page cuts the part of a sorted list that the query's n and last ask for, and
// links to the next one.
func page(w http.ResponseWriter, at *url.URL, all []string) ([]string, error) {
	query := at.Query()
	if last := query.Get("last"); last != "" {
		i, found := slices.BinarySearch(all, last)
		if found {
			i++
		}
		all = all[i:]
	}
	if query.Get("n") == "" {
		return all, nil
	}
	n, err := strconv.Atoi(query.Get("n"))
	if err != nil || n < 0 {
		return nil, &apiError{http.StatusBadRequest, codeUnsupported, "n=" + query.Get("n") + " is not a count"}
	}
	if n == 0 || n >= len(all) {
		return all[:min(n, len(all))], nil
	}
	next := url.URL{Path: at.Path, RawQuery: url.Values{"n": {strconv.Itoa(n)}, "last": {all[n-1]}}.Encode()}
	w.Header().Set("Link", "<"+next.String()+`>; rel="next"`)
	return all[:n], nil
}

func writeJSON(w http.ResponseWriter, mediaType string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // the client has gone; there is nobody to tell
	return nil
}
