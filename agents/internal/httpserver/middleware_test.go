package httpserver

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

func TestValidRequestIDsAreKept(t *testing.T) {
	server := launch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, RequestID(r.Context()))
	}))
	for _, row := range []struct {
		reason, sent string
		kept         bool
	}{
		{"none sent", "", false},
		{"a UUID", "0b7cbbd2-7b0f-4d3e-9c2e-1d0c5b6a7f80", true},
		{"AWS's trace id without its = sign", "1-67891233-abcdef012345678912345678", true},
		{"the longest", strings.Repeat("a", maxRequestID), true},
		{"too long", strings.Repeat("a", maxRequestID+1), false},
		{"a space could forge a field of a log line", "a b", false},
		{"quotes", `a"b`, false},
		{"not ASCII", "é", false},
	} {
		t.Run(row.reason, func(t *testing.T) {
			response, id := sendRequest(t, http.MethodGet, server.url("/"), nil, http.Header{httpapi.RequestIDHeader: {row.sent}})
			require.NotEmpty(t, id)
			require.Equal(t, id, response.Header.Get(httpapi.RequestIDHeader), "handler and client see the same id")
			require.Equal(t, row.kept, id == row.sent)
		})
	}
}

func TestNewRequestIDsDiffer(t *testing.T) {
	server := launch(t, http.NotFoundHandler())
	a, _ := sendRequest(t, http.MethodGet, server.url("/"), nil, nil)
	b, _ := sendRequest(t, http.MethodGet, server.url("/"), nil, nil)
	require.NotEqual(t, a.Header.Get(httpapi.RequestIDHeader), b.Header.Get(httpapi.RequestIDHeader))
}

func TestAccessLogHasRouteStatusAndSize(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /item/{id}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "four") })
	mux.HandleFunc("GET /silent", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	mux.HandleFunc("GET /hints", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusAccepted)
	})
	server := launch(t, mux)
	for _, row := range []struct {
		reason, path, level, route string
		status, bytes              float64
	}{
		{"a path with its route", "/item/7", "INFO", "GET /item/{id}", 200, 4},
		{"a handler that writes nothing: 200", "/silent", "INFO", "GET /silent", 200, 0},
		{"probes have level debug, even if they fail", "/health", "DEBUG", "GET /health", 503, 0},
		{"a server error has level error", "/broken", "ERROR", "GET /broken", 502, 0},
		{"early hints are not the final status", "/hints", "INFO", "GET /hints", 202, 0},
	} {
		t.Run(row.reason, func(t *testing.T) {
			_, _ = sendRequest(t, http.MethodGet, server.url(row.path), nil, http.Header{httpapi.RequestIDHeader: {"id-1"}})
			record := server.logs.wait(t, "request", row.path)
			require.Equal(t, row.level, record["level"])
			require.Equal(t, row.route, record["route"])
			require.EqualValues(t, row.status, record["status"])
			require.EqualValues(t, row.bytes, record["bytes"])
			require.Equal(t, "id-1", record["request_id"])
			require.Equal(t, http.MethodGet, record["method"])
			require.Equal(t, false, record["aborted"])
			require.GreaterOrEqual(t, record["duration_us"], 0.0)
		})
	}
}

// Logs leave the node (components/containerlogs), so they have no credential and no body.
func TestLogHasNoCredential(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusBadGateway)
	})
	mux.HandleFunc("POST /panic", func(http.ResponseWriter, *http.Request) { panic("the cause") })
	server := launch(t, mux)
	for _, path := range []string{"/", "/panic"} {
		_, _ = sendRequest(t, http.MethodPost, server.url(path)+"?token=hidden1", strings.NewReader(`{"password":"hidden2"}`), http.Header{
			"Authorization": {"Bearer hidden3"}, "Cookie": {"session=hidden4"},
		})
		server.logs.wait(t, "request", path)
	}
	server.logs.mu.Lock()
	defer server.logs.mu.Unlock()
	require.NotContains(t, server.logs.buf.String(), "hidden")
}

func TestPanicEndsOnlyItsRequest(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /early", func(http.ResponseWriter, *http.Request) { panic("the cause") })
	mux.HandleFunc("GET /late", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		panic("the cause")
	})
	mux.HandleFunc("GET /abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("GET /fine", func(http.ResponseWriter, *http.Request) {})
	server := launch(t, mux)

	t.Run("before the response: a 500 without the cause", func(t *testing.T) {
		response, body := sendRequest(t, http.MethodGet, server.url("/early"), nil, nil)
		require.Equal(t, http.StatusInternalServerError, response.StatusCode)
		problem := decodeProblem(t, body)
		require.Equal(t, httpapi.CodeInternal, problem.Code)
		require.Equal(t, response.Header.Get(httpapi.RequestIDHeader), problem.RequestID)
		require.NotContains(t, body, "the cause")
		record := server.logs.wait(t, "panic", "/early")
		require.Equal(t, "the cause", record["cause"])
		require.Contains(t, record["stack"], "middleware_test.go", "the log has the line of the panic")
		require.EqualValues(t, 500, server.logs.wait(t, "request", "/early")["status"])
	})
	for _, row := range []struct{ reason, path string }{
		{"during the response: the connection breaks", "/late"},
		{"http.ErrAbortHandler is passed on", "/abort"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.url(row.path), nil)
			require.NoError(t, err)
			response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
			if err == nil {
				_, err = io.ReadAll(response.Body)
				require.NoError(t, response.Body.Close())
			}
			require.Error(t, err)
			record := server.logs.wait(t, "request", row.path)
			require.Equal(t, true, record["aborted"])
			require.Equal(t, "ERROR", record["level"])
		})
	}
	t.Run("the next request is served", func(t *testing.T) {
		response, _ := sendRequest(t, http.MethodGet, server.url("/fine"), nil, nil)
		require.Equal(t, http.StatusOK, response.StatusCode)
	})
}

func TestUnknownRoutesGetProblemDetails(t *testing.T) {
	mux := http.NewServeMux()
	handler404 := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "handler", http.StatusNotFound) }
	mux.HandleFunc("GET /thing", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("PUT /thing", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /own/{name}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Name", r.PathValue("name"))
		handler404(w, r)
	})
	server := launch(t, HandleUnknownRoutes(mux))
	for _, row := range []struct {
		reason, method, path string
		status               int
		header, value, code  string
	}{
		{"a route", http.MethodGet, "/thing", 200, "", "", ""},
		{"a GET route also serves HEAD", http.MethodHead, "/thing", 200, "", "", ""},
		{"another method", http.MethodDelete, "/thing", 405, "Allow", "GET, HEAD, PUT", httpapi.CodeMethodNotAllowed},
		{"an unknown path", http.MethodGet, "/nothing", 404, "Content-Type", "application/problem+json", httpapi.CodeNotFound},
		{"an unknown path with any method", http.MethodPost, "/nothing", 404, "", "", httpapi.CodeNotFound},
		{"a handler's own 404 and path value are kept", http.MethodGet, "/own/a", 404, "X-Name", "a", ""},
		{"an unclean path is redirected to the clean one", http.MethodGet, "//thing", 307, "Location", "/thing", ""},
		{"an unclean unknown path is redirected", http.MethodGet, "//nothing", 307, "Location", "/nothing", ""},
	} {
		t.Run(row.reason, func(t *testing.T) {
			response, body := sendRequest(t, row.method, server.url(row.path), nil, nil)
			require.Equal(t, row.status, response.StatusCode)
			if row.header != "" {
				require.Equal(t, row.value, response.Header.Get(row.header))
			}
			if row.code != "" {
				problem := decodeProblem(t, body)
				require.Equal(t, row.code, problem.Code)
				require.Contains(t, problem.Detail, row.path)
			}
		})
	}
}
