package livestatus

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzMessage: no message breaks the parser, and every one is answered by short
// JSON that gives the fields that were taken back.
func FuzzMessage(f *testing.F) {
	for _, text := range []string{`{"type":"agent_status_request","timestamp":1,"connectionId":"a"}`, `{}`, `null`, "\xff", `{"type":"agent_status_request","connectionId":null}`,
		`{"type":"agent_status_request","timestamp":1e308,"connectionId":-0.0}`, `{"type":"agent_status_request","connectionId": [1]}`} {
		f.Add([]byte(text))
	}
	hub := NewHub(Config{}, up, slog.New(slog.DiscardHandler))
	f.Fuzz(func(t *testing.T, text []byte) {
		line, err := json.Marshal(hub.answer(t.Context(), text))
		require.NoError(t, err)
		require.LessOrEqual(t, len(line), 512+6*maxConnectionID)
		var answer struct {
			Type              string
			OriginalTimestamp *float64
			ConnectionID      json.RawMessage
		}
		require.NoError(t, json.Unmarshal(line, &answer))
		ask, err := parse(text)
		if err != nil {
			require.Equal(t, "error", answer.Type)
			return
		}
		require.Equal(t, "agent_status", answer.Type)
		require.Equal(t, ask.Timestamp, answer.OriginalTimestamp)
		require.LessOrEqual(t, len(ask.ConnectionID), maxConnectionID)
		if len(ask.ConnectionID) == 0 {
			return
		}
		var sent, got any
		require.NoError(t, json.Unmarshal(ask.ConnectionID, &sent))
		require.NoError(t, json.Unmarshal(answer.ConnectionID, &got))
		require.Equal(t, sent, got)
		require.NotContains(t, []byte("{["), ask.ConnectionID[0], "a number or a text")
	})
}

// FuzzStatus: whatever the MCA answers, the page hears one of three words, and
// never that all are up when one is not.
func FuzzStatus(f *testing.F) {
	for _, text := range []string{`{"agents":{"mca":"up","npa":"up"}}`, `{"agents":{"npa":"failing"}}`, `{}`, `null`, `{"agents":null}`, `{"agents":{"a":1}}`, "\xff"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		status := judge(readAgents(bytes.NewReader(text)))
		require.NotEmpty(t, status.Agents)
		all := true
		for _, state := range status.Agents {
			all = all && state == "up"
		}
		require.Contains(t, []string{"active", "degraded", "unavailable"}, status.Status)
		require.Equal(t, all, status.Status == "active")
		_, err := json.Marshal(status)
		require.NoError(t, err)
	})
}
