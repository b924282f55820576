package httpserver

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// maxRequestID is the longest id, in bytes, that is taken over from a client;
// twice a UUID with room for a prefix.
const maxRequestID = 80

// requestID is the attribute by which every record of a request is found.
const requestID = "request_id"

// RequestID returns the id of the request that ctx belongs to, empty outside
// a request.
func RequestID(ctx context.Context) string {
	for _, attr := range logAttrs(ctx) {
		if attr.Key == requestID {
			return attr.Value.String()
		}
	}
	return ""
}

// requestIDs gives every request an id: the client's where it is sane, else a
// new one. The id is in the context and in the answer's header.
func requestIDs(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := ""
		if sent := r.Header[httpapi.RequestID]; len(sent) > 0 {
			id = sent[0]
		}
		if !saneRequestID(id) {
			id = rand.Text()
		}
		w.Header()[httpapi.RequestID] = []string{id}
		next.ServeHTTP(w, r.WithContext(WithLogAttrs(r.Context(), slog.String(requestID, id))))
	})
}

// saneRequestID keeps what would forge log lines or cost memory out of the
// logs of this service and of those that it calls.
func saneRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == ':':
		default:
			return false
		}
	}
	return true
}

// closeWhileDraining asks clients to leave the connection once a drain has
// begun. Their next request then makes a new one, which goes elsewhere.
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

// refuseOversize answers 413 to a body whose declared length is above the
// limit, before any of it is read.
func refuseOversize(limit int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > limit {
			w.Header().Set("Connection", "close")
			httpapi.Error(w, http.StatusRequestEntityTooLarge, httpapi.CodeTooLarge,
				fmt.Sprintf("the body has %d bytes; at most %d are taken", r.ContentLength, limit))
			return
		}
		next.ServeHTTP(w, r)
	})
}
