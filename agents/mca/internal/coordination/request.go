package coordination

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/mca/internal/week"
)

// The agents that can be asked.
const (
	npa = "npa"
	wpa = "wpa"
)

var agentNames = []string{npa, wpa}

// maxBody is the largest request in bytes: wpa's largest and some.
const maxBody = 144 << 10

// CoordinateRequest is the body of POST /coordinate. The seed's load test sends
// the first three fields.
type CoordinateRequest struct {
	Task     string   `json:"task"`
	Agents   []string `json:"agents,omitempty"`   // both where absent
	Priority string   `json:"priority,omitempty"` // normal where absent
	// UserID is the token's subject, and may say nothing else.
	UserID string `json:"userId,omitempty"`
	// Nutrition and Training are the fields of the agents' own requests, which
	// know their rules.
	Nutrition part `json:"nutrition,omitempty"`
	Training  part `json:"training,omitempty"`
}

// part is what goes on to one agent, by its field names.
type part map[string]json.RawMessage

var taskName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// own are the fields of a part that are not the user's to choose.
var own = []struct{ pointer, mend string }{
	{"#/nutrition/userId", "belongs beside task"},
	{"#/nutrition/duration", "can't be chosen: a coordination is a week"},
	{"#/training/userId", "belongs beside task"},
}

// Validate returns every broken rule but those of the agents.
func (c *CoordinateRequest) Validate() []httpapi.FieldError {
	var rules httpapi.Rules
	rules.Check(taskName.MatchString(c.Task), "#/task",
		"must be 1 to 64 small letters, digits or _ and begin with a letter, such as coordinate_agents")
	rules.AllOf("#/agents", c.Agents, agentNames)
	for i, name := range c.Agents[:min(len(c.Agents), len(agentNames))] {
		rules.Check(!slices.Contains(c.Agents[:i], name), fmt.Sprintf("#/agents/%d", i), "is named twice")
	}
	rules.OneOf("#/priority", c.Priority, []string{"", "high", "normal", "low"})
	rules.Check(len(c.UserID) <= 128, "#/userId", "must have at most 128 bytes")
	parts := map[string]part{"nutrition": c.Nutrition, "training": c.Training}
	for _, rule := range own {
		words := strings.Split(rule.pointer, "/")
		_, given := parts[words[1]][words[2]]
		rules.Check(!given, rule.pointer, "%s", rule.mend)
	}
	return rules
}

// complete fills in what was left out; userID is the token's subject.
func (c *CoordinateRequest) complete(userID string) {
	c.UserID = userID
	c.Priority = cmp.Or(c.Priority, "normal")
	if len(c.Agents) == 0 {
		c.Agents = agentNames
	}
	c.Agents = slices.Sorted(slices.Values(c.Agents))
}

// question is what one agent is asked.
type question struct {
	agent, path string
	// part is the name of the request's part that the body was made of.
	part string
	body part
}

// questions of a completed request. A person of whom nothing is known trains
// as a beginner on three days: WHO's guideline on physical activity asks for
// strength on two or more, and a day of rest between them makes three.
func (c *CoordinateRequest) questions() []question {
	all := map[string]question{
		npa: {npa, "/plan", "nutrition", c.Nutrition.with(part{"userId": quote(c.UserID), "duration": number(week.Days)}, nil)},
		wpa: {wpa, "/generate", "training", c.Training.with(part{"userId": quote(c.UserID)},
			part{"fitnessLevel": quote("beginner"), "daysPerWeek": number(3)})},
	}
	asked := make([]question, len(c.Agents))
	for i, name := range c.Agents {
		asked[i] = all[name]
	}
	return asked
}

// with returns the part with these fields set, and those defaults where it has
// none of its own.
func (p part) with(set, defaults part) part {
	whole := part{}
	for _, layer := range []part{defaults, p, set} {
		for name, value := range layer {
			whole[name] = value
		}
	}
	return whole
}

func quote(text string) json.RawMessage {
	line, _ := json.Marshal(text) // a string always encodes
	return line
}

func number(n int) json.RawMessage { return json.RawMessage(fmt.Sprint(n)) }

// weightKg is the body weight that energy is counted with. One that is no weight
// is npa's to refuse where it is asked.
func (c *CoordinateRequest) weightKg() float64 {
	var kg float64
	if err := json.Unmarshal(c.Nutrition["weightKg"], &kg); err != nil || kg < week.MinKg || kg > week.MaxKg {
		return week.ReferenceKg
	}
	return kg
}

// answerKey is the same for the same wishes of one user, however urgent.
type answerKey string

func (c *CoordinateRequest) key() answerKey {
	wish := *c
	wish.Priority = ""
	line, _ := json.Marshal(wish) // raw parts were decoded, so they encode
	sum := sha256.Sum256(line)
	return answerKey(hex.EncodeToString(sum[:16]))
}
