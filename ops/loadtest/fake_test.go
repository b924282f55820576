package loadtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/load"
)

// user is the subject of the fake's token.
const user = "test-user-123"

// newToken returns a token with claims but without a valid signature. The fake accepts only exactly
// this token.
func newToken() string {
	claims := fmt.Sprintf(`{"iss":"fake","aud":"progressive-framework","sub":%q,"scope":"agents:run users:read"}`, user)
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".signature"
}

// fakePlatform responds as the platform does, unless a test changes that.
type fakePlatform struct {
	url, token string

	mu          sync.Mutex
	preferences json.RawMessage
	responses   map[string]string // by path
	// intercept is called with every request. It returns true if it has sent the
	// response.
	intercept func(w http.ResponseWriter, r *http.Request) bool
	// changeSocketResponse, if set, may change the response to a message of a WebSocket.
	changeSocketResponse func(map[string]any)
}

const (
	coordinationBody = `{"id":"1","userId":"test-user-123","status":"complete",
		"agents":[{"agent":"npa","status":"ok","durationMs":12},{"agent":"wpa","status":"ok","durationMs":3}],
		"week":{"days":[DAY,DAY,DAY,DAY,DAY,DAY,{"meals":[1],"sessions":[1]}]}}`
	workoutBody = `{"fitnessLevel":"intermediate","duration":45,
		"sessions":[{"totalSeconds":2700,"exercises":[{"name":"Squat","sets":3}]}]}`
)

// newFakePlatform starts a fakePlatform with correct responses.
func newFakePlatform(t *testing.T) *fakePlatform {
	t.Helper()
	f := &fakePlatform{token: newToken(), preferences: json.RawMessage(`{}`), responses: map[string]string{
		load.Health.Path:     `{"status":"ok"}`,
		load.Coordinate.Path: strings.ReplaceAll(coordinationBody, "DAY", `{"meals":[1],"sessions":[]}`),
		load.Plan.Path:       planBody(7),
		load.Generate.Path:   workoutBody,
	}}
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// planBody returns npa's response with this many days.
func planBody(days int) string {
	response := map[string]any{"duration": 7}
	var list []any
	for day := range days {
		list = append(list, map[string]any{"day": day + 1, "totals": map[string]any{"energyKcal": 2000},
			"meals": []any{map[string]any{"items": []any{map[string]any{"food": "Oats"}}}}})
	}
	response["days"] = list
	text, _ := json.Marshal(response) // a map of numbers and strings always encodes
	return string(text)
}

// serve responds with a correct response, unless intercept responds itself.
func (f *fakePlatform) serve(w http.ResponseWriter, r *http.Request) {
	if f.intercept != nil && f.intercept(w, r) {
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if r.URL.Path == load.Socket.Path {
		token = r.URL.Query().Get("token")
	}
	if token != f.token && r.URL.Path != load.Health.Path {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.URL.Path {
	case load.Socket.Path:
		f.serveSocket(w, r)
	case load.Preferences.Path, load.GetProfile.Path:
		f.mu.Lock()
		defer f.mu.Unlock()
		if r.Method == http.MethodPost {
			_ = json.NewDecoder(r.Body).Decode(&f.preferences) // the client's JSON is valid
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"id": user, "preferences": f.preferences})
	default:
		_, _ = w.Write([]byte(f.responses[r.URL.Path]))
	}
}

// serveSocket responds to each message of a WebSocket.
func (f *fakePlatform) serveSocket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	for {
		var request map[string]any
		if wsjson.Read(r.Context(), conn, &request) != nil {
			return
		}
		response := map[string]any{"type": "agent_status", "status": "active", "timestamp": time.Now().UnixMilli(),
			"originalTimestamp": request["timestamp"], "connectionId": request["connectionId"]}
		if f.changeSocketResponse != nil {
			f.changeSocketResponse(response)
		}
		if wsjson.Write(r.Context(), conn, response) != nil {
			return
		}
	}
}

// writeToken writes the fake's token to a file, and returns the path.
func (f *fakePlatform) writeToken(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(f.token+"\n"), 0o600))
	return file
}
