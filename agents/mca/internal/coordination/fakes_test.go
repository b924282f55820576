package coordination

import (
	_ "embed"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
)

// fakeAgent is npa or wpa with a handler that the test sets.
type fakeAgent struct {
	*httptest.Server
	requests atomic.Int64
	handler  atomic.Pointer[http.HandlerFunc]
}

// newFakeAgent starts an agent with this handler.
func newFakeAgent(t *testing.T, handler http.HandlerFunc) *fakeAgent {
	a := &fakeAgent{}
	a.setHandler(handler)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.requests.Add(1)
		// The server notices a disconnect only after it has read the body.
		_, _ = io.Copy(io.Discard, r.Body)
		(*a.handler.Load())(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *fakeAgent) setHandler(handler http.HandlerFunc) { a.handler.Store(&handler) }

// responseHandler returns a handler that always sends this response.
func responseHandler(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hang does not respond until the client disconnects.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// npaPlan and wpaSessions are small responses of npa and wpa.
var (
	//go:embed testdata/plan.json
	npaPlan string
	//go:embed testdata/sessions.json
	wpaSessions string
)

// mca is a service with two fake agents.
type mca struct {
	*Service
	env      *servicetest.Environment
	npa, wpa *fakeAgent
	handler  http.Handler
}

// newMCA returns a service with these environment variables. Its agents respond with npaPlan
// and wpaSessions.
func newMCA(t *testing.T, variables map[string]string) *mca {
	t.Helper()
	m := &mca{env: servicetest.New(t), npa: newFakeAgent(t, responseHandler(200, npaPlan)), wpa: newFakeAgent(t, responseHandler(200, wpaSessions))}
	changes := map[string]string{"NPA_URL": m.npa.URL, "WPA_URL": m.wpa.URL}
	for name, value := range variables {
		changes[name] = value
	}
	cfg, err := ReadConfig(m.env.Lookup(changes))
	require.NoError(t, err)
	m.Service, err = New(t.Context(), cfg, "hello", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Service.Close(t.Context())) })
	m.State().Advance(httpserver.Serving)
	m.handler = m.Handler()
	return m
}

// post sends a coordination request of the user.
func (m *mca) post(t *testing.T, user, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, apiPath+"/coordinate", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+m.env.Token(t, user))
	w := httptest.NewRecorder()
	m.handler.ServeHTTP(w, r)
	return w
}

// eventTimeout bounds the wait for an event. In a passing test the event comes much earlier.
const eventTimeout = 20 * time.Second
