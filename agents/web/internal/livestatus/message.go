package livestatus

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// maxConnectionID is the longest connectionId, in bytes of JSON.
const maxConnectionID = 64

// request is a message of a client; the seed's load test sends all three.
type request struct {
	Type string `json:"type"`
	// Timestamp is the client's clock in milliseconds since 1970; it comes back
	// as originalTimestamp.
	Timestamp *float64 `json:"timestamp"`
	// ConnectionID is a number or a text by which the client knows the
	// connection; it comes back as it is.
	ConnectionID json.RawMessage `json:"connectionId"`
}

// agentStatus answers an agent_status_request.
type agentStatus struct {
	Type string `json:"type"` // agent_status
	Status
	Timestamp         int64           `json:"timestamp"` // ours, in milliseconds since 1970
	OriginalTimestamp *float64        `json:"originalTimestamp,omitempty"`
	ConnectionID      json.RawMessage `json:"connectionId,omitempty"`
}

// problem answers a message that is not understood.
type problem struct {
	Type   string `json:"type"` // error
	Detail string `json:"detail"`
}

func (h *Hub) answer(ctx context.Context, text []byte) any {
	ask, err := parse(text)
	if err != nil {
		return problem{"error", err.Error()}
	}
	return agentStatus{"agent_status", h.status(ctx), h.now().UnixMilli(), ask.Timestamp, ask.ConnectionID}
}

// parse reads a message. Fields that are not known are left alone, as clients
// may be newer than we are.
func parse(text []byte) (request, error) {
	var ask request
	if err := json.Unmarshal(text, &ask); err != nil || !utf8.Valid(text) {
		return request{}, fmt.Errorf("the message is no JSON object of the form {\"type\", \"timestamp\", \"connectionId\"}")
	}
	if ask.Type != "agent_status_request" {
		return request{}, fmt.Errorf("the only type of message is agent_status_request")
	}
	if id := ask.ConnectionID; len(id) > maxConnectionID || (len(id) > 0 && (id[0] == '{' || id[0] == '[')) {
		return request{}, fmt.Errorf("connectionId must be a number or a text, of at most %d bytes", maxConnectionID)
	}
	return ask, nil
}
