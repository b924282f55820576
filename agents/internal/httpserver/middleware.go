package httpserver

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// maxRequestID is the maximum length in bytes of a request id that a client sends.
// It is enough for a prefix and two UUIDs.
const maxRequestID = 80

// requestIDAttr is the name of the log attribute for the request's id.
const requestIDAttr = "request_id"

// RequestID returns the id of the request that ctx belongs to, or "" outside a
// request.
func RequestID(ctx context.Context) string {
	for _, attr := range logAttrs(ctx) {
		if attr.Key == requestIDAttr {
			return attr.Value.String()
		}
	}
	return ""
}

// assignRequestIDs sets an id on every request: the id that the client has sent, if
// it is valid, else a new id. The id is in the context and in the response header.
func assignRequestIDs(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := ""
		if sent := r.Header[httpapi.RequestIDHeader]; len(sent) > 0 {
			id = sent[0]
		}
		if !isValidRequestID(id) {
			id = rand.Text()
		}
		w.Header()[httpapi.RequestIDHeader] = []string{id}
		next.ServeHTTP(w, r.WithContext(WithLogAttrs(r.Context(), slog.String(requestIDAttr, id))))
	})
}

// isValidRequestID reports whether a client's id is safe to log and to send to other
// services. It rejects long ids and all characters that could forge a log line.
func isValidRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		if !isRequestIDCharacter(id[i]) {
			return false
		}
	}
	return true
}

// isRequestIDCharacter reports whether a request id may contain the character: a letter or
// digit of ASCII, or one of - _ . :
func isRequestIDCharacter(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == ':':
		return true
	default:
		return false
	}
}

// closeWhileDraining closes connections during a drain. The client's next
// request then opens a new connection to another pod.
func closeWhileDraining(state *State, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if state.Phase() == Draining {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// limitBody makes reads beyond the limit fail with *http.MaxBytesError.
func limitBody(limit int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(w, r.Body, limit)
		}
		next.ServeHTTP(w, r)
	})
}

// rejectOversize responds 413 to a body with a declared length above the limit,
// before the body is read.
func rejectOversize(limit int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > limit {
			w.Header().Set("Connection", "close")
			httpapi.SendError(w, http.StatusRequestEntityTooLarge, httpapi.CodeTooLarge,
				fmt.Sprintf("body has %d bytes, must have at most %d", r.ContentLength, limit))
			return
		}
		next.ServeHTTP(w, r)
	})
}
