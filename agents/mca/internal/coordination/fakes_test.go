package coordination

import (
	_ "embed"
	"encoding/json"
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

// agent stands for npa or wpa, and does as it is told.
type agent struct {
	*httptest.Server
	asked  atomic.Int64
	answer atomic.Pointer[http.HandlerFunc]
}

func newAgent(t *testing.T, answer http.HandlerFunc) *agent {
	a := &agent{}
	a.do(answer)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked.Add(1)
		// Read to the end, or the server would not see that the client leaves.
		_, _ = io.Copy(io.Discard, r.Body)
		(*a.answer.Load())(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *agent) do(answer http.HandlerFunc) { a.answer.Store(&answer) }

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hangs answers nobody until they leave.
func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// plan and sessions are small answers of the agents' own form.
var (
	//go:embed testdata/plan.json
	plan string
	//go:embed testdata/sessions.json
	sessions string
)

// mca is a service with two fakes behind it.
type mca struct {
	*Service
	world    *servicetest.World
	npa, wpa *agent
	handler  http.Handler
}

func newMCA(t *testing.T, env map[string]string) *mca {
	t.Helper()
	m := &mca{world: servicetest.New(t), npa: newAgent(t, says(200, plan)), wpa: newAgent(t, says(200, sessions))}
	changes := map[string]string{"NPA_URL": m.npa.URL, "WPA_URL": m.wpa.URL}
	for name, value := range env {
		changes[name] = value
	}
	cfg, err := ReadConfig(m.world.Lookup(changes))
	require.NoError(t, err)
	m.Service, err = New(t.Context(), cfg, "hello", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Service.Close(t.Context())) })
	m.State().Advance(httpserver.Serving)
	m.handler = m.Handler()
	return m
}

// post sends a coordination of a user of its own, so that no cache answers.
func (m *mca) post(t *testing.T, user, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, apiPath+"/coordinate", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+m.world.Token(t, user))
	w := httptest.NewRecorder()
	m.handler.ServeHTTP(w, r)
	return w
}

func decoded[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var answer T
	decoder := json.NewDecoder(w.Body)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&answer))
	return answer
}

// soon bounds what must happen at some time; no test waits for it.
const soon = 20 * time.Second
