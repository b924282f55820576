package main

import (
	"encoding/json"
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

	"github.com/progressive-framework/platform/agents/internal/load/traffic"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
)

// fake answers as the platform does, until a test spoils it.
type fake struct {
	url, token string

	mu          sync.Mutex
	preferences json.RawMessage
	answers     map[string]string // by path
	// before may answer in the platform's stead, and then returns true.
	before func(w http.ResponseWriter, r *http.Request) bool
	// status spoils what a WebSocket answers.
	status func(map[string]any)
}

const (
	coordinationAnswer = `{"id":"1","userId":"test-user-123","status":"complete",
		"agents":[{"agent":"npa","status":"ok","durationMs":12},{"agent":"wpa","status":"ok","durationMs":3}],
		"week":{"days":[DAY,DAY,DAY,DAY,DAY,DAY,{"meals":[1],"sessions":[1]}]}}`
	workoutAnswer = `{"userId":"test-user-123","fitnessLevel":"intermediate","duration":45,
		"sessions":[{"totalSeconds":2700,"exercises":[{"name":"Squat","sets":3}]}]}`
)

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{token: servicetest.New(t).Token(t, servicetest.User), preferences: json.RawMessage(`{}`), answers: map[string]string{
		traffic.Health.Path:     `{"status":"ok"}`,
		traffic.Coordinate.Path: strings.ReplaceAll(coordinationAnswer, "DAY", `{"meals":[1],"sessions":[]}`),
		traffic.Plan.Path:       plan(7),
		traffic.Generate.Path:   workoutAnswer,
	}}
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// plan is an answer of npa with so many days.
func plan(days int) string {
	answer := map[string]any{"userId": servicetest.User, "duration": 7}
	var list []any
	for day := range days {
		list = append(list, map[string]any{"day": day + 1, "totals": map[string]any{"energyKcal": 2000},
			"meals": []any{map[string]any{"items": []any{map[string]any{"food": "Oats"}}}}})
	}
	answer["days"] = list
	text, _ := json.Marshal(answer) // maps of numbers and texts
	return string(text)
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	if f.before != nil && f.before(w, r) {
		return
	}
	given := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if r.URL.Path == traffic.Socket.Path {
		given = r.URL.Query().Get("token")
	}
	if given != f.token && r.URL.Path != traffic.Health.Path {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.URL.Path {
	case traffic.Socket.Path:
		f.socket(w, r)
	case traffic.Preferences.Path, traffic.Profile.Path:
		f.mu.Lock()
		defer f.mu.Unlock()
		if r.Method == http.MethodPost {
			_ = json.NewDecoder(r.Body).Decode(&f.preferences) // the client's own
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"id": servicetest.User, "preferences": f.preferences})
	default:
		_, _ = w.Write([]byte(f.answers[r.URL.Path]))
	}
}

func (f *fake) socket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	for {
		var ask map[string]any
		if wsjson.Read(r.Context(), conn, &ask) != nil {
			return
		}
		answer := map[string]any{"type": "agent_status", "status": "active", "timestamp": time.Now().UnixMilli(),
			"originalTimestamp": ask["timestamp"], "connectionId": ask["connectionId"]}
		if f.status != nil {
			f.status(answer)
		}
		if wsjson.Write(r.Context(), conn, answer) != nil {
			return
		}
	}
}

// tokenFile is the fake's token in a file.
func (f *fake) tokenFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(f.token+"\n"), 0o600))
	return file
}
