package load

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// startClosingServer starts a server and returns the URL. The server closes each WebSocket with a
// status, after three responses, so the fourth message gets no response. The server counts the
// WebSockets in opened.
func startClosingServer(t *testing.T, status websocket.StatusCode, opened *atomic.Int64) *url.URL {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		opened.Add(1)
		for range 3 {
			_, text, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			var request map[string]any
			if json.Unmarshal(text, &request) != nil {
				return
			}
			response, _ := json.Marshal(map[string]any{ // maps of plain values always encode
				"type": "agent_status", "status": "active", "timestamp": time.Now().UnixMilli(),
				"originalTimestamp": request["timestamp"], "connectionId": request["connectionId"],
			})
			if conn.Write(r.Context(), websocket.MessageText, response) != nil {
				return
			}
		}
		_ = conn.Close(status, "") // fails if the client has closed it
	}))
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	require.NoError(t, err)
	return base
}

func TestServersThatGoAwayCauseNoFailure(t *testing.T) {
	const messages = 30
	for _, row := range []struct {
		reason string
		status websocket.StatusCode
		fails  bool
	}{
		{"a pod that is removed", websocket.StatusGoingAway, false},
		{"a broken server", websocket.StatusInternalError, true},
		{"a server that ends the connection without a reason", websocket.StatusNormalClosure, true},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var opened atomic.Int64
			s := newSockets(NewClient(startClosingServer(t, row.status, &opened), "test-user", "", 2, false), 1)
			defer s.close()
			failed := 0
			for n := range messages {
				if s.send(t.Context(), n) != nil {
					failed++
				}
			}
			require.Equal(t, row.fails, failed > 0, "%d of %d messages failed", failed, messages)
			require.Greater(t, opened.Load(), int64(1), "the WebSocket was opened again")
		})
	}
}
