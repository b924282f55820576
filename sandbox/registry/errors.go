package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"syscall"
)

// The error codes of the OCI distribution specification that are in use.
const (
	codeBlobUnknown         = "BLOB_UNKNOWN"
	codeUploadInvalid       = "BLOB_UPLOAD_INVALID"
	codeUploadUnknown       = "BLOB_UPLOAD_UNKNOWN"
	codeDigestInvalid       = "DIGEST_INVALID"
	codeManifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN"
	codeManifestInvalid     = "MANIFEST_INVALID"
	codeManifestUnknown     = "MANIFEST_UNKNOWN"
	codeNameInvalid         = "NAME_INVALID"
	codeNameUnknown         = "NAME_UNKNOWN"
	codeSizeInvalid         = "SIZE_INVALID"
	codeUnauthorized        = "UNAUTHORIZED"
	codeUnsupported         = "UNSUPPORTED"
	codeUnknown             = "UNKNOWN" // not in the specification; what registries answer to their own failures
)

// apiError is an answer other than success.
type apiError struct {
	status        int
	code, message string
}

func (e *apiError) Error() string { return e.message }

// answer turns any error into what the client is told.
func answer(err error) *apiError {
	var (
		known      *apiError
		mismatch   *mismatchError
		incomplete *incompleteError
		tooLarge   *http.MaxBytesError
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &mismatch):
		return &apiError{http.StatusBadRequest, codeDigestInvalid, err.Error()}
	case errors.As(err, &incomplete):
		return &apiError{http.StatusBadRequest, codeManifestBlobUnknown, err.Error()}
	case errors.As(err, &tooLarge):
		return &apiError{http.StatusRequestEntityTooLarge, codeSizeInvalid, fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit)}
	case errors.Is(err, errUploadUnknown):
		return &apiError{http.StatusNotFound, codeUploadUnknown, "this upload is not known; begin a new one"}
	case errors.Is(err, errUploadBusy):
		return &apiError{http.StatusConflict, codeUploadInvalid, err.Error()}
	case errors.Is(err, errUploadOffset):
		return &apiError{http.StatusRequestedRangeNotSatisfiable, codeUploadInvalid, err.Error()}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &apiError{http.StatusBadRequest, codeSizeInvalid, "the body ended early"}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &apiError{http.StatusInsufficientStorage, codeUnknown, "no space left in the registry's folder; free some and push again"}
	case errors.Is(err, os.ErrPermission):
		return &apiError{http.StatusInternalServerError, codeUnknown, "the registry may not write its folder: " + err.Error()}
	default:
		return &apiError{http.StatusInternalServerError, codeUnknown, err.Error()}
	}
}

func writeError(w http.ResponseWriter, r *http.Request, err error) {
	e := answer(err)
	level := slog.LevelDebug // a missing blob is how every push begins
	if e.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	slog.Log(r.Context(), level, "registry refused a request",
		"method", r.Method, "path", r.URL.Path, "status", e.status, "code", e.code, "error", err)
	body, err := json.Marshal(map[string]any{"errors": []map[string]string{{"code": e.code, "message": e.message}}})
	if err != nil {
		http.Error(w, e.message, e.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client has gone; there is nobody to tell
	}
}
