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
	postgres     *testservers.Postgres
	redisCluster *testservers.Redis
)

func TestMain(m *testing.M) {
	os.Exit(testservers.Main(m, func(ctx context.Context) (_ testservers.Server, err error) {
		postgres, err = testservers.StartPostgres(ctx, nil)
		return postgres, err
	}, func(ctx context.Context) (_ testservers.Server, err error) {
		redisCluster, err = testservers.StartRedis(ctx, 0)
		return redisCluster, err
	}))
}

// web is a service on the real servers with its own database.
type web struct {
	*Service
	env *servicetest.Environment
}

// newWeb creates a service with these environment variables. It uses a new database if they do not
// contain DATABASE_URL.
func newWeb(t *testing.T, changes map[string]string) *web {
	t.Helper()
	return newWebOn(t, postgres, changes)
}

// newWebOn creates a service with these environment variables. It uses a new database on this server
// if they do not contain DATABASE_URL.
func newWebOn(t *testing.T, server *testservers.Postgres, changes map[string]string) *web {
	t.Helper()
	variables := map[string]string{
		"DATABASE_URL": servicetest.CreateDatabase(t, server), "REDIS_ADDRESSES": strings.Join(redisCluster.Addresses(), ","),
		"MCA_URL": "http://127.0.0.1:1", "REDIS_TIMEOUT": "2s", "DATABASE_STATEMENT_TIMEOUT": "10s",
	}
	for name, value := range changes {
		variables[name] = value
	}
	w := &web{env: servicetest.New(t)}
	cfg, err := ReadConfig(w.env.Lookup(variables))
	require.NoError(t, err)
	w.Service, err = New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close(context.WithoutCancel(t.Context()))) })
	w.State().Advance(httpserver.Serving)
	require.Eventually(t, w.dependencies.Cache.IsConnected, testservers.StartTimeout, time.Millisecond)
	return w
}

// send sends a request with this token, or without a token if it is empty.
func (w *web) send(t *testing.T, method, path, token, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("Content-Type", "application/json")
	response := httptest.NewRecorder()
	w.Handler().ServeHTTP(response, r)
	return response
}

// newUserID returns a user id that is unique to the test's run.
func newUserID(t *testing.T) string {
	return fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), time.Now().UnixNano())
}

func TestWrittenPreferencesAreReadByEveryProcess(t *testing.T) {
	first := newWeb(t, nil)
	// The second process has the same database and Redis.
	second := newWeb(t, map[string]string{"DATABASE_URL": first.cfg.Dependencies.Store.URL})
	id := newUserID(t)
	token := first.env.Token(t, id)
	api := openapitest.New(t, document, first.Handler())
	api.Token = token
	var profile Profile
	require.NoError(t, json.Unmarshal(api.Send(t, http.MethodGet, profilePath, "").Body.Bytes(), &profile))
	require.Equal(t, id, profile.ID, "a new user is created")
	require.JSONEq(t, `{}`, string(profile.Preferences))

	w := api.Send(t, http.MethodPost, preferencesPath, `{"theme":"dark","notifications":true}`)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	w = api.Send(t, http.MethodGet, profilePath, "")
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &profile))
	require.JSONEq(t, `{"theme":"dark","notifications":true}`, string(profile.Preferences), "the user's own write is visible immediately")
	w = api.Send(t, http.MethodPost, preferencesPath, `{"theme":"light"}`)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &profile))
	require.JSONEq(t, `{"theme":"light","notifications":true}`, string(profile.Preferences), "absent fields keep their values")

	// The second process has another issuer, so call it without a token.
	encoded, err := second.loadProfile(t.Context(), id)
	require.NoError(t, err)
	require.Contains(t, string(encoded), `"light"`, "the second process has the new value")
}

func TestRequestsMatchOpenAPIDocument(t *testing.T) {
	s := newWeb(t, nil)
	api := openapitest.New(t, document, s.Handler())
	api.Token = s.env.Token(t, newUserID(t))
	for _, row := range []struct {
		reason, body string
		status       int
	}{
		{"the body of the design document's load test", `{"theme":"dark","notifications":true}`, 200},
		{"every field", `{"theme":"system","notifications":false,"units":"imperial","language":"de-AT"}`, 200},
		{"no field", `{}`, 422},
		{"only null", `{"theme":null}`, 422},
		{"an unknown theme", `{"theme":"pink"}`, 422},
		{"unknown units", `{"units":"stone"}`, 422},
		{"a language name", `{"language":"German"}`, 422},
		{"a wrong type", `{"notifications":"yes"}`, 422},
		{"an unknown field", `{"admin":true}`, 422},
		{"not JSON", `theme=dark`, 400},
		{"too large", `{"theme":"` + strings.Repeat("x", maxBody) + `"}`, 413},
	} {
		t.Run(row.reason, func(t *testing.T) {
			w := api.Send(t, http.MethodPost, preferencesPath, row.body)
			require.Equal(t, row.status, w.Code, w.Body)
		})
	}
	require.Equal(t, http.StatusOK, api.Send(t, http.MethodGet, "/health", "").Code)
	require.Equal(t, http.StatusOK, api.Send(t, http.MethodGet, "/health/ready", "").Code)
}

func TestRoutesCheckTokenAndScope(t *testing.T) {
	s := newWeb(t, nil)
	for _, row := range []struct {
		reason, method, path, token string
		status                      int
	}{
		{"no token", http.MethodGet, profilePath, "", 401},
		{"no token to write", http.MethodPost, preferencesPath, "", 401},
		{"no token for the WebSocket", http.MethodGet, socketPath, "", 401},
		{"the read scope does not allow writing", http.MethodPost, preferencesPath, s.env.Token(t, newUserID(t), auth.ScopeUsersRead), 403},
		{"the write scope does not allow reading", http.MethodGet, profilePath, s.env.Token(t, newUserID(t), auth.ScopeUsersWrite), 403},
		{"not a WebSocket request", http.MethodGet, socketPath, s.env.Token(t, newUserID(t)), 426},
		{"the page is public", http.MethodGet, "/", "", 200},
		{"the agents are unreachable", http.MethodGet, agentsPath + "mca/health", "", 502},
		{"unknown path", http.MethodGet, "/admin", "", 404},
		{"a wrong method", http.MethodDelete, profilePath, "", 405},
	} {
		t.Run(row.reason, func(t *testing.T) {
			require.Equal(t, row.status, s.send(t, row.method, row.path, row.token, "{}").Code)
		})
	}
}

func TestDeactivatedUserIsForbidden(t *testing.T) {
	s := newWeb(t, nil)
	id := newUserID(t)
	token := s.env.Token(t, id)
	require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, profilePath, token, "").Code)
	execute(t, s, "UPDATE users SET active = false WHERE id = '"+id+"'")
	require.NoError(t, s.dependencies.Cache.Publish(t.Context(), "profile_update", id))
	require.Equal(t, http.StatusForbidden, s.send(t, http.MethodGet, profilePath, token, "").Code)
	require.Equal(t, http.StatusForbidden, s.send(t, http.MethodPost, preferencesPath, token, `{"theme":"dark"}`).Code)
}

func TestUserAboveTheRateGets429(t *testing.T) {
	s := newWeb(t, map[string]string{"USER_RATE": "1", "USER_BURST": "3"})
	token, otherToken := s.env.Token(t, newUserID(t)), s.env.Token(t, newUserID(t)+"-b")
	var codes []int
	for range 4 {
		codes = append(codes, s.send(t, http.MethodGet, profilePath, token, "").Code)
	}
	require.Equal(t, []int{200, 200, 200, 429}, codes)
	require.Equal(t, http.StatusOK, s.send(t, http.MethodGet, profilePath, otherToken, "").Code)
}

func TestPageHasSecurityHeadersAndETag(t *testing.T) {
	s := newWeb(t, nil)
	for path, contentType := range map[string]string{"/": "text/html", "/app.js": "text/javascript", "/style.css": "text/css"} {
		w := s.send(t, http.MethodGet, path, "", "")
		require.Equal(t, http.StatusOK, w.Code)
		require.Contains(t, w.Header().Get("Content-Type"), contentType)
		require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
		require.NotContains(t, w.Body.String(), " style=")
		require.NotContains(t, w.Body.String(), " onclick=")
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("If-None-Match", w.Header().Get("ETag"))
		notModified := httptest.NewRecorder()
		s.Handler().ServeHTTP(notModified, r)
		require.Equal(t, http.StatusNotModified, notModified.Code)
		require.Zero(t, notModified.Body.Len())
	}
}

func TestAgentsPathsAreProxied(t *testing.T) {
	mca := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL, r.Header.Get("Authorization"), bytes.TrimSpace(body))
	}))
	t.Cleanup(mca.Close)
	s := newWeb(t, map[string]string{"MCA_URL": mca.URL})
	w := s.send(t, http.MethodPost, agentsPath+"mca/coordinate?x=1", "abc", `{"task":"t"}`)
	require.Equal(t, `POST /api/v1/agents/mca/coordinate?x=1 Bearer abc {"task":"t"}`, w.Body.String())
}
