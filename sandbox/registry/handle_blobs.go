package registry

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// getBlob answers GET and HEAD, with ranges.
func (h *handler) getBlob(c call) error {
	d, err := refDigest(c.ref)
	if err != nil {
		return err
	}
	f, err := h.store.blob(d)
	if errors.Is(err, errNotFound) {
		return &apiError{http.StatusNotFound, codeBlobUnknown, "blob " + c.ref + " is not in this registry"}
	}
	if err != nil {
		return err
	}
	defer f.Close()
	c.w.Header().Set("Content-Type", "application/octet-stream")
	c.w.Header().Set("Docker-Content-Digest", string(d))
	c.w.Header().Set("ETag", `"`+string(d)+`"`)
	http.ServeContent(c.w, c.r, "", time.Time{}, f)
	return nil
}

func (h *handler) deleteBlob(c call) error {
	d, err := refDigest(c.ref)
	if err != nil {
		return err
	}
	if err := h.store.deleteBlob(d); errors.Is(err, errNotFound) {
		return &apiError{http.StatusNotFound, codeBlobUnknown, "blob " + c.ref + " is not in this registry"}
	} else if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}

// startUpload answers POST: it begins an upload, or takes the whole blob at
// once (digest=), or notices that the blob is here already (mount=).
func (h *handler) startUpload(c call) error {
	query := c.r.URL.Query()
	if mount := query.Get("mount"); mount != "" {
		d, err := refDigest(mount)
		if err != nil {
			return err
		}
		ok, err := h.store.hasBlob(d)
		if err != nil {
			return err
		}
		if ok {
			return c.created(d)
		}
	}
	id, err := h.store.newUpload()
	if err != nil {
		return err
	}
	if announced := query.Get("digest"); announced != "" {
		return h.finish(c, id, announced)
	}
	c.accepted(id, 0)
	return nil
}

func (h *handler) uploadStatus(c call) error {
	size, err := h.store.uploadSize(c.ref)
	if err != nil {
		return err
	}
	c.progress(c.ref, size)
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *handler) appendUpload(c call) error {
	offset, err := chunkOffset(c.r)
	if err != nil {
		return err
	}
	size, err := h.store.appendUpload(c.ref, offset, http.MaxBytesReader(c.w, c.r.Body, maxBlob))
	if err != nil {
		return err
	}
	c.accepted(c.ref, size)
	return nil
}

func (h *handler) finishUpload(c call) error {
	return h.finish(c, c.ref, c.r.URL.Query().Get("digest"))
}

// finish adds the rest of the blob, which may be nothing, and stores it.
func (h *handler) finish(c call, id, announced string) error {
	d, err := refDigest(announced)
	if err != nil {
		return err
	}
	offset, err := chunkOffset(c.r)
	if err != nil {
		return err
	}
	if _, err := h.store.appendUpload(id, offset, http.MaxBytesReader(c.w, c.r.Body, maxBlob)); err != nil {
		return err
	}
	if err := h.store.finishUpload(id, d); err != nil {
		return err
	}
	return c.created(d)
}

func (h *handler) cancelUpload(c call) error {
	if err := h.store.cancelUpload(c.ref); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// chunkOffset reads where a chunk begins, from "Content-Range: FIRST-LAST".
func chunkOffset(r *http.Request) (int64, error) {
	header := r.Header.Get("Content-Range")
	if header == "" {
		return anyOffset, nil
	}
	var first, last int64
	if _, err := fmt.Sscanf(header, "%d-%d", &first, &last); err != nil || first < 0 {
		return 0, &apiError{http.StatusRequestedRangeNotSatisfiable, codeUploadInvalid, "Content-Range " + header + " is not FIRST-LAST"}
	}
	return first, nil
}

func (c call) created(d digest) error {
	c.w.Header().Set("Docker-Content-Digest", string(d))
	c.w.Header().Set("Location", "/v2/"+c.repo+"/blobs/"+string(d))
	c.w.WriteHeader(http.StatusCreated)
	return nil
}

func (c call) accepted(id string, size int64) {
	c.progress(id, size)
	c.w.WriteHeader(http.StatusAccepted)
}

// progress says where an upload goes on. Range counts to the last byte, and
// of an empty upload the specification says 0-0 as well.
func (c call) progress(id string, size int64) {
	c.w.Header().Set("Location", "/v2/"+c.repo+"/blobs/uploads/"+id)
	c.w.Header().Set("Range", fmt.Sprintf("0-%d", max(size-1, 0)))
}

func refDigest(s string) (digest, error) {
	d, err := parseDigest(s)
	if err != nil {
		return "", &apiError{http.StatusBadRequest, codeDigestInvalid, err.Error()}
	}
	return d, nil
}
