package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// startWeb runs the program on its own database. It returns the process and the database's URL.
func startWeb(t *testing.T) (process *servicetest.Process, databaseURL string) {
	t.Helper()
	startCtx, cancel := context.WithTimeout(t.Context(), testservers.StartTimeout)
	defer cancel()
	server, err := testservers.StartPostgres(startCtx, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	databaseURL = servicetest.CreateDatabase(t, server)
	return servicetest.Start(t, program, "web", map[string]string{"DATABASE_URL": databaseURL, "DRAIN_DELAY": "500ms"}), databaseURL
}

// newRequest returns a request to the process with this token.
func newRequest(t *testing.T, p *servicetest.Process, token, method, path, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.Address+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// TestShutdownUnderLoadFailsNoRequest stops the process while clients read and write. No
// request may fail, and no write may be lost.
func TestShutdownUnderLoadFailsNoRequest(t *testing.T) {
	const clients = 6
	p, url := startWeb(t)
	tokens := make([]string, clients)
	for i := range tokens {
		tokens[i] = p.Env.Token(t, fmt.Sprint("user-", i))
	}
	load := p.StartLoad(t, clients, func(client, n int) *http.Request {
		if n%3 == 2 {
			return newRequest(t, p, tokens[client], http.MethodPost, "/api/v1/users/preferences", `{"theme":"dark"}`)
		}
		return newRequest(t, p, tokens[client], http.MethodGet, "/api/v1/users/profile", "")
	})
	load.WaitForResponses(t, 200)
	p.Stop()
	load.End(t, clients)
	require.Zero(t, <-p.Code)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	var saved int
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM users WHERE preferences->>'theme' = 'dark'`).Scan(&saved))
	require.Equal(t, clients, saved, "no write is lost")
}

// TestAbusiveClientsDoNotAffectOthers sends headers that never end, a header that is too large
// and a body that is too large. A normal client must be served meanwhile.
func TestAbusiveClientsDoNotAffectOthers(t *testing.T) {
	p, _ := startWeb(t)
	for range 50 { // each keeps its connection open and sends nothing more
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.Address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = io.WriteString(conn, "POST /api/v1/users/preferences HTTP/1.1\r\nHost: a\r\nX-")
		require.NoError(t, err)
	}
	token := p.Env.Token(t, servicetest.User)
	for _, row := range []struct {
		reason, method, path, body, header string
		status                             int
	}{
		{"a header above the limit", http.MethodGet, "/", "", strings.Repeat("a", 64<<10), http.StatusRequestHeaderFieldsTooLarge},
		{"a body above the limit", http.MethodPost, "/api/v1/users/preferences", strings.Repeat(" ", 2<<20), "", http.StatusRequestEntityTooLarge},
		{"a normal client", http.MethodGet, "/api/v1/users/profile", "", "", http.StatusOK},
	} {
		r := newRequest(t, p, token, row.method, row.path, row.body)
		r.Header.Set("X-A", row.header)
		// The server rejects a body by its length. A client that sends the body
		// anyway may lose the connection before the response.
		r.Header.Set("Expect", "100-continue")
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, row.status, response.StatusCode, row.reason)
	}
	p.Stop()
	require.Zero(t, <-p.Code, "connections without a request do not delay the shutdown")
}
