package livestatus

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzMessage checks that no message makes the parser panic. Each response must be short JSON,
// with the timestamp and the connectionId of an accepted message.
func FuzzMessage(f *testing.F) {
	for _, text := range []string{`{"type":"agent_status_request","timestamp":1,"connectionId":"a"}`, `{}`, `null`, "\xff", `{"type":"agent_status_request","connectionId":null}`,
		`{"type":"agent_status_request","timestamp":1e308,"connectionId":-0.0}`, `{"type":"agent_status_request","connectionId": [1]}`} {
		f.Add([]byte(text))
	}
	hub := NewHub(Config{}, allAgentsUp, slog.New(slog.DiscardHandler))
	f.Fuzz(func(t *testing.T, text []byte) {
		encoded, err := json.Marshal(hub.newResponse(t.Context(), text))
		require.NoError(t, err)
		// JSON may need six bytes for one byte of the connectionId. 512 bytes are enough for the other fields.
		require.LessOrEqual(t, len(encoded), 512+6*maxConnectionID)
		var response struct {
			Type              string
			OriginalTimestamp *float64
			ConnectionID      json.RawMessage
		}
		require.NoError(t, json.Unmarshal(encoded, &response))
		request, err := parseRequest(text)
		if err != nil {
			require.Equal(t, "error", response.Type)
			return
		}
		require.Equal(t, "agent_status", response.Type)
		require.Equal(t, request.Timestamp, response.OriginalTimestamp)
		require.LessOrEqual(t, len(request.ConnectionID), maxConnectionID)
		if len(request.ConnectionID) == 0 {
			return
		}
		var sent, received any
		require.NoError(t, json.Unmarshal(request.ConnectionID, &sent))
		require.NoError(t, json.Unmarshal(response.ConnectionID, &received))
		require.Equal(t, sent, received)
		require.NotContains(t, []byte("{["), request.ConnectionID[0], "a number or a string")
	})
}

// FuzzStatus checks that the status is one of three values for any response of the MCA. It must
// be active exactly if all agents are up.
func FuzzStatus(f *testing.F) {
	for _, text := range []string{`{"agents":{"mca":"up","npa":"up"}}`, `{"agents":{"npa":"failing"}}`, `{}`, `null`, `{"agents":null}`, `{"agents":{"a":1}}`, "\xff"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		status := overallStatus(readAgents(bytes.NewReader(text)))
		require.NotEmpty(t, status.Agents)
		allUp := true
		for _, state := range status.Agents {
			allUp = allUp && state == "up"
		}
		require.Contains(t, []string{"active", "degraded", "unavailable"}, status.Status)
		require.Equal(t, allUp, status.Status == "active")
		_, err := json.Marshal(status)
		require.NoError(t, err)
	})
}
