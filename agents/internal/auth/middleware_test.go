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

func TestRequire(t *testing.T) {
	key := newKey(t)
	v := verifierOf(t, key)
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, ok := PrincipalOf(r.Context())
		require.True(t, ok)
		_, _ = io.WriteString(w, principal.Subject)
	})
	valid, foreign := token(t, key), token(t, newKey(t))
	bare := token(t, key, func(c *Claims) { c.Scopes = nil })
	plain, socket := v.Require(ScopeUsersRead, hello), v.RequireSocket(ScopeUsersRead, hello)
	for _, row := range []struct {
		reason    string
		handler   http.Handler
		header    []string
		query     []string
		status    int
		challenge string
	}{
		{"a good token", plain, []string{"Bearer " + valid}, nil, 200, ""},
		{"the scheme has no case", plain, []string{"bearer " + valid}, nil, 200, ""},
		{"no token", plain, nil, nil, 401, `Bearer realm="progressive"`},
		{"another scheme", plain, []string{"Basic " + valid}, nil, 401, `Bearer realm="progressive"`},
		{"two headers", plain, []string{"Bearer " + valid, "Bearer " + valid}, nil, 401, `Bearer realm="progressive"`},
		{"a foreign key", plain, []string{"Bearer " + foreign}, nil, 401, `Bearer realm="progressive", error="invalid_token", error_description="the token is refused: it is signed with an unknown key"`},
		{"no scope", plain, []string{"Bearer " + bare}, nil, 403, `Bearer realm="progressive", error="insufficient_scope", scope="users:read"`},
		{"a token in the URL would end in logs", plain, nil, []string{valid}, 401, `Bearer realm="progressive"`},
		{"the seed's load test knows no other way", socket, nil, []string{valid}, 200, ""},
		{"a WebSocket with a header", socket, []string{"Bearer " + valid}, nil, 200, ""},
		{"a WebSocket without", socket, nil, nil, 401, `Bearer realm="progressive"`},
		{"the header counts, not the URL", socket, []string{"Bearer " + foreign}, []string{valid}, 401, `Bearer realm="progressive", error="invalid_token", error_description="the token is refused: it is signed with an unknown key"`},
		{"two tokens in the URL", socket, nil, []string{valid, valid}, 401, `Bearer realm="progressive"`},
	} {
		t.Run(row.reason, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/?"+url.Values{"token": row.query}.Encode(), nil)
			request.Header["Authorization"] = row.header
			answer := httptest.NewRecorder()
			row.handler.ServeHTTP(answer, request)
			require.Equal(t, row.status, answer.Code)
			require.Equal(t, row.challenge, answer.Header().Get("WWW-Authenticate"))
			if row.status == http.StatusOK {
				require.Equal(t, "test-user-123", answer.Body.String())
			}
		})
	}
}

func TestASocketsTokenAsASubprotocol(t *testing.T) {
	key := newKey(t)
	hello := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	v := verifierOf(t, key)
	plain, socket := v.Require(ScopeUsersRead, hello), v.RequireSocket(ScopeUsersRead, hello)
	valid, foreign := token(t, key), token(t, newKey(t))
	for _, row := range []struct {
		reason        string
		handler       http.Handler
		authorization string
		protocols     []string
		query         string
		status        int
	}{
		{"as a browser offers them", socket, "", []string{"progressive.v1, bearer." + valid}, "", 200},
		{"in two headers", socket, "", []string{"progressive.v1", "bearer." + valid}, "", 200},
		{"without a space", socket, "", []string{"bearer." + valid + ",progressive.v1"}, "", 200},
		{"the protocol alone is no token", socket, "", []string{"progressive.v1"}, "", 401},
		{"the protocol alone, with a query", socket, "", []string{"progressive.v1"}, valid, 200},
		{"an empty token", socket, "", []string{"progressive.v1, bearer."}, "", 401},
		{"a foreign key", socket, "", []string{"bearer." + foreign}, "", 401},
		{"two tokens leave open which counts", socket, "", []string{"bearer." + valid + ", bearer." + valid}, "", 401},
		{"it counts before the query", socket, "", []string{"bearer." + foreign}, valid, 401},
		{"the header counts before it", socket, "Bearer " + foreign, []string{"bearer." + valid}, "", 401},
		{"only on the WebSocket route", plain, "", []string{"bearer." + valid}, "", 401},
	} {
		t.Run(row.reason, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/?token="+row.query, nil)
			request.Header["Sec-Websocket-Protocol"] = row.protocols
			if row.authorization != "" {
				request.Header.Set("Authorization", row.authorization)
			}
			answer := httptest.NewRecorder()
			row.handler.ServeHTTP(answer, request)
			require.Equal(t, row.status, answer.Code)
		})
	}
}

func TestNoKeysIsOurFailure(t *testing.T) {
	key := newKey(t)
	v := verifierOf(t, key)
	v.keys.fetch = func(context.Context) ([]byte, error) { return nil, errors.New("away") }
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("Authorization", "Bearer "+token(t, key))
	answer := httptest.NewRecorder()
	v.Require(ScopeUsersRead, http.NotFoundHandler()).ServeHTTP(answer, request)
	require.Equal(t, http.StatusServiceUnavailable, answer.Code)
}
