package auth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRequireChecksTokenAndScope(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	sendSubject := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, ok := PrincipalFromContext(r.Context())
		require.True(t, ok)
		_, _ = io.WriteString(w, principal.Subject)
	})
	valid, foreign := newToken(t, key), newToken(t, newKey(t))
	noScope := newToken(t, key, func(c *Claims) { c.Scopes = nil })
	plainHandler, socketHandler := v.Require(ScopeUsersRead, sendSubject), v.RequireSocket(ScopeUsersRead, sendSubject)
	for _, row := range []struct {
		reason    string
		handler   http.Handler
		headers   []string // the values of Authorization
		urlTokens []string // the values of the query parameter "token"
		status    int
		challenge string
	}{
		{"a valid token", plainHandler, []string{"Bearer " + valid}, nil, 200, ""},
		{"the scheme is case-insensitive", plainHandler, []string{"bearer " + valid}, nil, 200, ""},
		{"no token", plainHandler, nil, nil, 401, `Bearer realm="progressive"`},
		{"another scheme", plainHandler, []string{"Basic " + valid}, nil, 401, `Bearer realm="progressive"`},
		{"two headers", plainHandler, []string{"Bearer " + valid, "Bearer " + valid}, nil, 401, `Bearer realm="progressive"`},
		{"an unknown key", plainHandler, []string{"Bearer " + foreign}, nil, 401, `Bearer realm="progressive", error="invalid_token", error_description="invalid token: signed with an unknown key"`},
		{"no scope", plainHandler, []string{"Bearer " + noScope}, nil, 403, `Bearer realm="progressive", error="insufficient_scope", scope="users:read"`},
		{"a token in the URL is not accepted, because URLs are logged", plainHandler, nil, []string{valid}, 401, `Bearer realm="progressive"`},
		{"a WebSocket with the token in the query, as the load test sends it", socketHandler, nil, []string{valid}, 200, ""},
		{"a WebSocket with a header", socketHandler, []string{"Bearer " + valid}, nil, 200, ""},
		{"a WebSocket without a token", socketHandler, nil, nil, 401, `Bearer realm="progressive"`},
		{"the header takes precedence over the URL", socketHandler, []string{"Bearer " + foreign}, []string{valid}, 401, `Bearer realm="progressive", error="invalid_token", error_description="invalid token: signed with an unknown key"`},
		{"two tokens in the URL", socketHandler, nil, []string{valid, valid}, 401, `Bearer realm="progressive"`},
	} {
		t.Run(row.reason, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/?"+url.Values{"token": row.urlTokens}.Encode(), nil)
			request.Header["Authorization"] = row.headers
			response := httptest.NewRecorder()
			row.handler.ServeHTTP(response, request)
			require.Equal(t, row.status, response.Code)
			require.Equal(t, row.challenge, response.Header().Get("WWW-Authenticate"))
			if row.status == http.StatusOK {
				require.Equal(t, "test-user-123", response.Body.String())
			}
		})
	}
}

func TestWebSocketTokenIsReadFromASubprotocol(t *testing.T) {
	key := newKey(t)
	emptyHandler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	v := newVerifier(t, key)
	plainHandler, socketHandler := v.Require(ScopeUsersRead, emptyHandler), v.RequireSocket(ScopeUsersRead, emptyHandler)
	valid, foreign := newToken(t, key), newToken(t, newKey(t))
	for _, row := range []struct {
		reason        string
		handler       http.Handler
		authorization string
		protocols     []string
		query         string
		status        int
	}{
		{"as a browser sends the subprotocols", socketHandler, "", []string{"progressive.v1, bearer." + valid}, "", 200},
		{"in two headers", socketHandler, "", []string{"progressive.v1", "bearer." + valid}, "", 200},
		{"without a space", socketHandler, "", []string{"bearer." + valid + ",progressive.v1"}, "", 200},
		{"the protocol without a token", socketHandler, "", []string{"progressive.v1"}, "", 401},
		{"the protocol without a token, and a query", socketHandler, "", []string{"progressive.v1"}, valid, 200},
		{"an empty token", socketHandler, "", []string{"progressive.v1, bearer."}, "", 401},
		{"an unknown key", socketHandler, "", []string{"bearer." + foreign}, "", 401},
		{"two tokens", socketHandler, "", []string{"bearer." + valid + ", bearer." + valid}, "", 401},
		{"the subprotocol takes precedence over the query", socketHandler, "", []string{"bearer." + foreign}, valid, 401},
		{"the header takes precedence over the subprotocol", socketHandler, "Bearer " + foreign, []string{"bearer." + valid}, "", 401},
		{"only on the WebSocket route", plainHandler, "", []string{"bearer." + valid}, "", 401},
	} {
		t.Run(row.reason, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/?token="+row.query, nil)
			request.Header["Sec-Websocket-Protocol"] = row.protocols
			if row.authorization != "" {
				request.Header.Set("Authorization", row.authorization)
			}
			response := httptest.NewRecorder()
			row.handler.ServeHTTP(response, request)
			require.Equal(t, row.status, response.Code)
		})
	}
}

func TestRequestsGet503WhileTheKeysAreUnavailable(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	v.keys.fetch = func(context.Context) ([]byte, error) { return nil, errors.New("away") }
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("Authorization", "Bearer "+newToken(t, key))
	response := httptest.NewRecorder()
	v.Require(ScopeUsersRead, http.NotFoundHandler()).ServeHTTP(response, request)
	require.Equal(t, http.StatusServiceUnavailable, response.Code)
}
