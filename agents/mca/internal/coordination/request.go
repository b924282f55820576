package coordination

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/mca/internal/week"
)

// The agents that can be called.
const (
	npa = "npa"
	wpa = "wpa"
)

var agentNames = []string{npa, wpa}

// maxBody is the largest request in bytes: 128 KiB for the largest request to wpa, and 16 KiB
// for the MCA's own fields.
const maxBody = 144 << 10

// CoordinateRequest is the body of POST /coordinate. The design document's load
// test sends the first three fields.
type CoordinateRequest struct {
	Task     string   `json:"task"`
	Agents   []string `json:"agents,omitempty"`   // default: both
	Priority string   `json:"priority,omitempty"` // default: normal
	// UserID must be the token's subject, if set.
	UserID string `json:"userId,omitempty"`
	// Nutrition and Training are fields of the agents' own requests. The agents
	// validate them.
	Nutrition agentBody `json:"nutrition,omitempty"`
	Training  agentBody `json:"training,omitempty"`
}

// agentBody is the request body of one agent, by field name.
type agentBody map[string]json.RawMessage

// taskPattern matches a valid CoordinateRequest.Task.
var taskPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// reservedFields are the fields of an agentBody that only the MCA sets, not the client.
// parent is the field of CoordinateRequest that contains the agentBody.
var reservedFields = []struct{ parent, name, fix string }{
	{"nutrition", "userId", "must not be set here; set #/userId instead"},
	{"nutrition", "duration", "must not be set: a coordination is always a week"},
	{"training", "userId", "must not be set here; set #/userId instead"},
}

// Validate returns every violated rule of the MCA. The agents check their own rules.
func (c *CoordinateRequest) Validate() []httpapi.FieldError {
	var rules httpapi.Rules
	rules.Check(taskPattern.MatchString(c.Task), "#/task",
		"must be 1 to 64 lower-case letters, digits or _ and begin with a letter, such as coordinate_agents")
	rules.CheckAllOf("#/agents", c.Agents, agentNames)
	// CheckAllOf reports a list that is too long, so only its first items are checked here.
	for i, name := range c.Agents[:min(len(c.Agents), len(agentNames))] {
		rules.Check(!slices.Contains(c.Agents[:i], name), fmt.Sprintf("#/agents/%d", i), "is a duplicate")
	}
	rules.CheckOneOf("#/priority", c.Priority, []string{"", "high", "normal", "low"})
	rules.Check(len(c.UserID) <= 128, "#/userId", "must have at most 128 bytes")
	bodies := map[string]agentBody{"nutrition": c.Nutrition, "training": c.Training}
	for _, field := range reservedFields {
		_, isSet := bodies[field.parent][field.name]
		rules.Check(!isSet, "#/"+field.parent+"/"+field.name, "%s", field.fix)
	}
	return rules
}

// normalize sets the user's id and the defaults, and sorts the agents. So requests with
// the same meaning become equal.
func (c *CoordinateRequest) normalize(userID string) {
	c.UserID = userID
	c.Priority = cmp.Or(c.Priority, "normal")
	if len(c.Agents) == 0 {
		c.Agents = agentNames
	}
	c.Agents = slices.Sorted(slices.Values(c.Agents))
}

// agentRequest is the request to one agent.
type agentRequest struct {
	agent, path string
	// field is the field of CoordinateRequest that body comes from.
	field string
	body  agentBody
}

// agentRequests returns one request for each agent of a normalized request. If the client
// did not set the fields, wpa plans for a beginner who trains on three days a week. WHO's
// guideline on physical activity recommends strength training on two or more days.
func (c *CoordinateRequest) agentRequests() []agentRequest {
	byName := map[string]agentRequest{
		npa: {npa, "/plan", "nutrition", c.Nutrition.withFields(agentBody{"userId": jsonString(c.UserID), "duration": jsonNumber(week.Days)}, nil)},
		wpa: {wpa, "/generate", "training", c.Training.withFields(agentBody{"userId": jsonString(c.UserID)},
			agentBody{"fitnessLevel": jsonString("beginner"), "daysPerWeek": jsonNumber(3)})},
	}
	requests := make([]agentRequest, len(c.Agents))
	for i, name := range c.Agents {
		requests[i] = byName[name]
	}
	return requests
}

// withFields returns a copy with these fields set, and with these defaults for absent
// fields.
func (b agentBody) withFields(set, defaults agentBody) agentBody {
	merged := agentBody{}
	for _, layer := range []agentBody{defaults, b, set} {
		for name, value := range layer {
			merged[name] = value
		}
	}
	return merged
}

// jsonString encodes a text as JSON.
func jsonString(text string) json.RawMessage {
	encoded, _ := json.Marshal(text) // a string always encodes
	return encoded
}

// jsonNumber encodes a number as JSON.
func jsonNumber(n int) json.RawMessage { return json.RawMessage(fmt.Sprint(n)) }

// weightKg returns the body weight from which the energy of training is computed. For
// an absent or invalid weight it returns ReferenceKg. npa rejects an invalid weight,
// but not every request calls npa.
func (c *CoordinateRequest) weightKg() float64 {
	var kg float64
	if err := json.Unmarshal(c.Nutrition["weightKg"], &kg); err != nil || kg < week.MinKg || kg > week.MaxKg {
		return week.ReferenceKg
	}
	return kg
}

// requestKey is a hash of a request with its user, but without its priority.
type requestKey string

// cacheKey returns the request's key in the cache.
func (c *CoordinateRequest) cacheKey() requestKey {
	withoutPriority := *c
	withoutPriority.Priority = ""
	encoded, _ := json.Marshal(withoutPriority) // the request was decoded from JSON, so its encoding cannot fail
	sum := sha256.Sum256(encoded)
	return requestKey(hex.EncodeToString(sum[:16])) // 128 bits: two requests never have the same key
}
