package livestatus

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/telemetry"
	"github.com/progressive-framework/platform/agents/internal/upstream"
)

// eventTimeout bounds the wait for an event. In a passing test the event comes much earlier.
const eventTimeout = 20 * time.Second

// allAgentsUp returns the status if all agents are up.
func allAgentsUp(context.Context) Status { return Status{"active", map[string]string{"mca": "up"}} }

// startHub runs a hub, and returns it and the URL of its server. The hub allows 3 connections for a
// user and 5 in total. change can set other limits. The server reads the user's id from the query
// instead of a token.
func startHub(t *testing.T, change func(*Config)) (hub *Hub, url string) {
	t.Helper()
	cfg := Config{PerUser: 3, Total: 5, PingInterval: time.Minute, IdleTimeout: time.Minute, Origins: []string{"app.example.com"}}
	if change != nil {
		change(&cfg)
	}
	hub = NewHub(cfg, allAgentsUp, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hub.ServeHTTP(w, r.WithContext(auth.WithPrincipal(r.Context(), auth.Principal{Subject: r.URL.Query().Get("user")})))
	}))
	t.Cleanup(server.Close)
	t.Cleanup(hub.Close)
	return hub, strings.Replace(server.URL, "http", "ws", 1)
}

// dial opens a WebSocket as the user, from a page of this origin.
func dial(t *testing.T, url, user, origin string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	conn, response, err := websocket.Dial(t.Context(), url+"?user="+user, &websocket.DialOptions{HTTPHeader: header})
	if err == nil {
		t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return conn, response, err
}

// connect opens a WebSocket as the user.
func connect(t *testing.T, url, user string) *websocket.Conn {
	t.Helper()
	conn, _, err := dial(t, url, user, "")
	require.NoError(t, err)
	return conn
}

// exchange sends a message and returns the response.
func exchange(t *testing.T, conn *websocket.Conn, text string) map[string]any {
	t.Helper()
	require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte(text)))
	_, message, err := conn.Read(t.Context())
	require.NoError(t, err)
	response := map[string]any{}
	require.NoError(t, json.Unmarshal(message, &response))
	return response
}

func TestLoadTestMessageGetsTheStatus(t *testing.T) {
	hub, url := startHub(t, nil)
	hub.now = func() time.Time { return time.UnixMilli(1700000000123) }
	response := exchange(t, connect(t, url, "u"), `{"type":"agent_status_request","timestamp":1700000000000,"connectionId":7}`)
	require.Equal(t, map[string]any{
		"type": "agent_status", "status": "active", "agents": map[string]any{"mca": "up"},
		"timestamp": 1700000000123.0, "originalTimestamp": 1700000000000.0, "connectionId": 7.0,
	}, response)
}

func TestInvalidMessageGetsAnError(t *testing.T) {
	_, url := startHub(t, nil)
	conn := connect(t, url, "u")
	for _, text := range []string{`{`, `[]`, `"x"`, `{"type":"shutdown"}`, `{"type":1}`, `{"type":"agent_status_request","timestamp":"now"}`,
		`{"type":"agent_status_request","connectionId":{"a":1}}`, `{"type":"agent_status_request","connectionId":"` + strings.Repeat("x", 64) + `"}`} {
		require.Equal(t, "error", exchange(t, conn, text)["type"], text)
	}
	require.Equal(t, "agent_status", exchange(t, conn, `{"type":"agent_status_request"}`)["type"], "the connection stays open")
}

func TestConnectionsAreBounded(t *testing.T) {
	hub, url := startHub(t, nil)
	first := connect(t, url, "a")
	connect(t, url, "a")
	connect(t, url, "a")
	_, response, err := dial(t, url, "a", "")
	require.Error(t, err)
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode, "a user has at most 3 connections")
	connect(t, url, "b")
	connect(t, url, "b")
	_, response, err = dial(t, url, "c", "")
	require.Error(t, err)
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode, "the process has at most 5 connections")
	require.NoError(t, first.Close(websocket.StatusNormalClosure, ""))
	require.Eventually(t, func() bool { return hub.OpenConnections() == 4 }, eventTimeout, time.Millisecond)
	connect(t, url, "a")
}

func TestOnlyAllowedOriginsConnect(t *testing.T) {
	_, url := startHub(t, nil)
	for origin, allowed := range map[string]bool{
		"https://app.example.com": true, strings.Replace(url, "ws", "http", 1): true, "": true,
		"https://evil.example.com": false, "null": false,
	} {
		_, response, err := dial(t, url, "u"+fmt.Sprint(len(origin)), origin)
		require.Equal(t, allowed, err == nil, origin)
		if !allowed {
			require.Equal(t, http.StatusForbidden, response.StatusCode)
		}
	}
}

func TestSubprotocolIsReturnedWithoutTheToken(t *testing.T) {
	_, url := startHub(t, nil)
	for reason, row := range map[string]struct {
		sent     []string
		returned string
	}{
		"the page":        {[]string{"progressive.v1", "bearer.aaa.bbb.ccc"}, "progressive.v1"},
		"the token first": {[]string{"bearer.aaa.bbb.ccc", "progressive.v1"}, "progressive.v1"},
		"only a token":    {[]string{"bearer.aaa.bbb.ccc"}, ""},
		"the load test":   {nil, ""},
	} {
		conn, response, err := websocket.Dial(t.Context(), url+"?user="+strings.ReplaceAll(reason, " ", ""), &websocket.DialOptions{Subprotocols: row.sent})
		require.NoError(t, err, reason)
		require.Equal(t, row.returned, response.Header.Get("Sec-WebSocket-Protocol"), reason)
		require.Equal(t, "agent_status", exchange(t, conn, `{"type":"agent_status_request"}`)["type"], reason)
		require.NoError(t, conn.CloseNow())
	}
}

// TestMisbehavingClientsAreDisconnected checks that the server closes the connection of such a client
// with the code of the row.
func TestMisbehavingClientsAreDisconnected(t *testing.T) {
	const short = 50 * time.Millisecond
	for _, row := range []struct {
		reason string
		change func(*Config)
		act    func(context.Context, *websocket.Conn) error
		code   websocket.StatusCode
	}{
		{"a message that is too large", nil, func(ctx context.Context, c *websocket.Conn) error {
			return c.Write(ctx, websocket.MessageText, make([]byte, maxMessage+1))
		}, websocket.StatusMessageTooBig},
		{"a binary message", nil, func(ctx context.Context, c *websocket.Conn) error {
			return c.Write(ctx, websocket.MessageBinary, []byte("{}"))
		}, websocket.StatusUnsupportedData},
		{"too many messages", nil, func(ctx context.Context, c *websocket.Conn) error {
			for range 2 * messageBurst {
				// The server may close before everything is sent.
				_ = c.Write(ctx, websocket.MessageText, []byte("{}"))
			}
			return nil
		}, websocket.StatusPolicyViolation},
		{"an idle client", func(c *Config) { c.IdleTimeout = short }, func(context.Context, *websocket.Conn) error { return nil }, websocket.StatusPolicyViolation},
	} {
		t.Run(row.reason, func(t *testing.T) {
			hub, url := startHub(t, row.change)
			conn := connect(t, url, "u")
			require.NoError(t, row.act(t.Context(), conn))
			for {
				_, _, err := conn.Read(t.Context())
				if err == nil {
					continue // a response to a message before the bad one
				}
				// CloseStatus returns -1 if the connection ended before the client read the code.
				require.Contains(t, []websocket.StatusCode{row.code, -1}, websocket.CloseStatus(err), "%v", err)
				break
			}
			require.Eventually(t, func() bool { return hub.OpenConnections() == 0 }, eventTimeout, time.Millisecond)
		})
	}
}

// TestUnresponsiveClientIsDisconnected connects a client that does not read, and so does not
// respond to pings.
func TestUnresponsiveClientIsDisconnected(t *testing.T) {
	hub, url := startHub(t, func(c *Config) { c.PingInterval = 10 * time.Millisecond })
	connect(t, url, "u")
	require.Eventually(t, func() bool { return hub.OpenConnections() == 1 }, eventTimeout, time.Millisecond)
	require.Eventually(t, func() bool { return hub.OpenConnections() == 0 }, eventTimeout, time.Millisecond)
}

func TestCloseSendsGoingAway(t *testing.T) {
	hub, url := startHub(t, nil)
	conn := connect(t, url, "u")
	readErr := make(chan error, 1)
	go func() {
		_, _, err := conn.Read(context.WithoutCancel(t.Context()))
		readErr <- err
	}()
	require.Eventually(t, func() bool { return hub.OpenConnections() == 1 }, eventTimeout, time.Millisecond)
	hub.Close()
	require.Equal(t, websocket.StatusGoingAway, websocket.CloseStatus(<-readErr))
	require.Zero(t, hub.OpenConnections())
	_, response, err := dial(t, url, "u", "")
	require.Error(t, err)
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode)
}

func TestWatcherRequestsTheStatusOnceASecond(t *testing.T) {
	agents, requests, status := `{"mca":"up","npa":"up"}`, 0, http.StatusOK
	mca := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"status":"ok","agents":%s}`, agents)
	}))
	t.Cleanup(mca.Close)
	u, err := upstream.New("mca", mca.URL, &telemetry.Tracing{})
	require.NoError(t, err)
	w := NewWatcher(u)
	now := time.Now()
	w.now = func() time.Time { return now }
	for range 100 {
		require.Equal(t, "active", w.Status(t.Context()).Status)
	}
	require.Equal(t, 1, requests)
	agents = `{"mca":"up","npa":"failing"}`
	now = now.Add(maxAge)
	require.Equal(t, Status{"degraded", map[string]string{"mca": "up", "npa": "failing"}}, w.Status(t.Context()))
	status = http.StatusInternalServerError
	now = now.Add(maxAge)
	require.Equal(t, Status{"unavailable", map[string]string{"mca": "unreachable"}}, w.Status(t.Context()))
	require.Equal(t, 3, requests)
}
