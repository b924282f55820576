package livestatus

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// maxConnectionID is the longest connectionId, in bytes of JSON.
const maxConnectionID = 64

// request is a client message. The design document's load test sends all three
// fields.
type request struct {
	Type string `json:"type"`
	// Timestamp is the client's clock in milliseconds since 1970. The response
	// returns it as originalTimestamp.
	Timestamp *float64 `json:"timestamp"`
	// ConnectionID is the client's own number or string for the connection. The
	// response returns it unchanged.
	ConnectionID json.RawMessage `json:"connectionId"`
}

// agentStatus is the response to an agent_status_request.
type agentStatus struct {
	Type string `json:"type"` // agent_status
	Status
	Timestamp         int64           `json:"timestamp"` // the server's clock, in milliseconds since 1970
	OriginalTimestamp *float64        `json:"originalTimestamp,omitempty"`
	ConnectionID      json.RawMessage `json:"connectionId,omitempty"`
}

// problem is the response to an invalid message.
type problem struct {
	Type   string `json:"type"` // error
	Detail string `json:"detail"`
}

// newResponse returns the response to a message: an agentStatus or a problem.
func (h *Hub) newResponse(ctx context.Context, text []byte) any {
	message, err := parseRequest(text)
	if err != nil {
		return problem{"error", err.Error()}
	}
	return agentStatus{"agent_status", h.readStatus(ctx), h.now().UnixMilli(), message.Timestamp, message.ConnectionID}
}

// parseRequest decodes a message. It ignores unknown fields, because clients may be
// newer than this server.
func parseRequest(text []byte) (request, error) {
	var message request
	if err := json.Unmarshal(text, &message); err != nil || !utf8.Valid(text) {
		return request{}, fmt.Errorf("the message is not a JSON object of the form {\"type\", \"timestamp\", \"connectionId\"}")
	}
	if message.Type != "agent_status_request" {
		return request{}, fmt.Errorf("the only message type is agent_status_request")
	}
	id := message.ConnectionID
	isObjectOrArray := len(id) > 0 && (id[0] == '{' || id[0] == '[')
	if isObjectOrArray || len(id) > maxConnectionID {
		return request{}, fmt.Errorf("connectionId must be a number or a string of at most %d bytes", maxConnectionID)
	}
	return message, nil
}
