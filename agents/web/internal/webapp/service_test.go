package webapp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/openapitest"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/internal/testservers"
)

var (
	postgres *testservers.Postgres
	cluster  *testservers.Redis
)

func TestMain(m *testing.M) {
	os.Exit(testservers.Main(m, func(ctx context.Context) (_ testservers.Server, err error) {
		postgres, err = testservers.StartPostgres(ctx, nil)
		return postgres, err
	}, func(ctx context.Context) (_ testservers.Server, err error) {
		cluster, err = testservers.StartRedis(ctx, 0)
		return cluster, err
	}))
}

// web is a service on the real servers, on a database of its own.
type web struct {
	*Service
	world *servicetest.World
}

func newWeb(t *testing.T, changes map[string]string) *web {
	t.Helper()
	return newWebOn(t, postgres, changes)
}

// newWebOn is newWeb on a database server of the test's own.
func newWebOn(t *testing.T, server *testservers.Postgres, changes map[string]string) *web {
	t.Helper()
	env := map[string]string{
		"DATABASE_URL": servicetest.Database(t, server), "REDIS_ADDRESSES": strings.Join(cluster.Addresses(), ","),
		"MCA_URL": "http://127.0.0.1:1", "REDIS_TIMEOUT": "2s", "DATABASE_STATEMENT_TIMEOUT": "10s",
	}
	for name, value := range changes {
		env[name] = value
	}
	w := &web{world: servicetest.New(t)}
	cfg, err := ReadConfig(w.world.Lookup(env))
	require.NoError(t, err)
	w.Service, err = New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close(context.WithoutCancel(t.Context()))) })
	w.State().Advance(httpserver.Serving)
	require.Eventually(t, w.dependencies.Cache.Connected, testservers.StartTimeout, time.Millisecond)
	return w
}

func (w *web) send(t *testing.T, method, path, token, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	w.Handler().ServeHTTP(answer, r)
	return answer
}

// user is a name that no other test's cache knows.
func user(t *testing.T) string {
	return fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), time.Now().UnixNano())
}

func TestProfileAndPreferences(t *testing.T) {
	one, other := newWeb(t, nil), (*web)(nil)
	// A second process on the same database and Redis.
	env := map[string]string{"DATABASE_URL": one.cfg.Dependencies.Store.URL}
	other = newWeb(t, env)
	other.world = one.world
	id := user(t)
	token := one.world.Token(t, id)
	api := openapitest.New(t, document, one.Handler())
	api.Token = token
	var p Profile
	require.NoError(t, json.Unmarshal(api.Send(t, http.MethodGet, profilePath, "").Body.Bytes(), &p))
	require.Equal(t, id, p.ID, "who is new is made a user")
	require.JSONEq(t, `{}`, string(p.Preferences))

	w := api.Send(t, http.MethodPost, preferencesPath, `{"theme":"dark","notifications":true}`)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	after := api.Send(t, http.MethodGet, profilePath, "")
	require.NoError(t, json.Unmarshal(after.Body.Bytes(), &p))
	require.JSONEq(t, `{"theme":"dark","notifications":true}`, string(p.Preferences), "one's own write is seen at once")
	w = api.Send(t, http.MethodPost, preferencesPath, `{"theme":"light"}`)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	require.JSONEq(t, `{"theme":"light","notifications":true}`, string(p.Preferences), "what is not said stays")

	// Both processes trust one issuer only if they have its keys.
	line, err := other.profile(t.Context(), id)
	require.NoError(t, err)
	require.Contains(t, string(line), `"light"`, "another process sees it too")
}

func TestRequestsAreHeldToTheDocument(t *testing.T) {
	s := newWeb(t, nil)
	api := openapitest.New(t, document, s.Handler())
	api.Token = s.world.Token(t, user(t))
	for _, row := range []struct {
		reason, body string
		status       int
	}{
		{"the seed's", `{"theme":"dark","notifications":true}`, 200},
		{"all", `{"theme":"system","notifications":false,"units":"imperial","language":"de-AT"}`, 200},
		{"nothing is said", `{}`, 422},
		{"only null is said", `{"theme":null}`, 422},
		{"an unknown theme", `{"theme":"pink"}`, 422},
		{"unknown units", `{"units":"stone"}`, 422},
		{"a language in words", `{"language":"German"}`, 422},
		{"a wrong type", `{"notifications":"yes"}`, 422},
		{"an unknown field", `{"admin":true}`, 422},
		{"no JSON", `theme=dark`, 400},
		{"too much", `{"theme":"` + strings.Repeat("x", maxBody) + `"}`, 413},
	} {
		t.Run(row.reason, func(t *testing.T) {
			w := api.Send(t, http.MethodPost, preferencesPath, row.body)
			require.Equal(t, row.status, w.Code, w.Body)
		})
	}
	require.Equal(t, http.StatusOK, api.Send(t, http.MethodGet, "/health", "").Code)
	require.Equal(t, http.StatusOK, api.Send(t, http.MethodGet, "/health/ready", "").Code)
}

func TestWhoMayDoWhat(t *testing.T) {
	s := newWeb(t, nil)
	for _, row := range []struct {
		reason, method, path, token string
		status                      int
	}{
		{"no token", http.MethodGet, profilePath, "", 401},
		{"no token to write", http.MethodPost, preferencesPath, "", 401},
		{"no token to watch", http.MethodGet, socketPath, "", 401},
		{"to read is not to write", http.MethodPost, preferencesPath, s.world.Token(t, user(t), auth.ScopeUsersRead), 403},
		{"to write is not to read", http.MethodGet, profilePath, s.world.Token(t, user(t), auth.ScopeUsersWrite), 403},
		{"no WebSocket", http.MethodGet, socketPath, s.world.Token(t, user(t)), 426},
		{"the page is for all", http.MethodGet, "/", "", 200},
		{"the agents are away", http.MethodGet, agentsPath + "mca/health", "", 502},
		{"nothing", http.MethodGet, "/admin", "", 404},
		{"a wrong method", http.MethodDelete, profilePath, "", 405},
	} {
		t.Run(row.reason, func(t *testing.T) {
			require.Equal(t, row.status, s.send(t, row.method, row.path, row.token, "{}").Code)
		})
	}
}

func TestWhoIsShutOutStaysOut(t *testing.T) {
	s := newWeb(t, nil)
	id := user(t)
	token := s.world.Token(t, id)
	require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, profilePath, token, "").Code)
	execute(t, s, "UPDATE users SET active = false WHERE id = '"+id+"'")
	require.NoError(t, s.dependencies.Cache.Publish(t.Context(), "profile_update", id))
	require.Equal(t, http.StatusForbidden, s.send(t, http.MethodGet, profilePath, token, "").Code)
	require.Equal(t, http.StatusForbidden, s.send(t, http.MethodPost, preferencesPath, token, `{"theme":"dark"}`).Code)
}

func TestOneUserCannotTakeItAll(t *testing.T) {
	s := newWeb(t, map[string]string{"USER_RATE": "1", "USER_BURST": "3"})
	greedy, modest := s.world.Token(t, user(t)), s.world.Token(t, user(t)+"-b")
	var codes []int
	for range 4 {
		codes = append(codes, s.send(t, http.MethodGet, profilePath, greedy, "").Code)
	}
	require.Equal(t, []int{200, 200, 200, 429}, codes)
	require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, profilePath, modest, "").Code)
}

func TestThePageIsSafeToServe(t *testing.T) {
	s := newWeb(t, nil)
	for path, kind := range map[string]string{"/": "text/html", "/app.js": "text/javascript", "/style.css": "text/css"} {
		w := s.send(t, http.MethodGet, path, "", "")
		require.Equal(t, http.StatusOK, w.Code)
		require.Contains(t, w.Header().Get("Content-Type"), kind)
		require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
		require.NotContains(t, w.Body.String(), " style=")
		require.NotContains(t, w.Body.String(), " onclick=")
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("If-None-Match", w.Header().Get("ETag"))
		again := httptest.NewRecorder()
		s.Handler().ServeHTTP(again, r)
		require.Equal(t, http.StatusNotModified, again.Code)
		require.Zero(t, again.Body.Len())
	}
}

func TestTheWayToTheAgents(t *testing.T) {
	mca := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL, r.Header.Get("Authorization"), bytes.TrimSpace(body))
	}))
	t.Cleanup(mca.Close)
	s := newWeb(t, map[string]string{"MCA_URL": mca.URL})
	w := s.send(t, http.MethodPost, agentsPath+"mca/coordinate?x=1", "abc", `{"task":"t"}`)
	require.Equal(t, `POST /api/v1/agents/mca/coordinate?x=1 Bearer abc {"task":"t"}`, w.Body.String())
}
