package source

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/value"
)

// modulePrefix is the path of the project's Go module, with a slash. The path of each file of the
// module begins with modulePrefix.
const modulePrefix = "github.com/progressive-framework/platform/"

// state is one resource in the JSON form that Pulumi's exports and previews have.
type state struct {
	URN                  string              `json:"urn"`
	Type                 string              `json:"type,omitempty"`
	ID                   string              `json:"id,omitempty"`
	Delete               bool                `json:"delete,omitempty"`
	Inputs               map[string]any      `json:"inputs,omitempty"`
	Outputs              map[string]any      `json:"outputs,omitempty"`
	Parent               string              `json:"parent,omitempty"`
	Provider             string              `json:"provider,omitempty"`
	Protect              bool                `json:"protect,omitempty"`
	IgnoreChanges        []string            `json:"ignoreChanges,omitempty"`
	PropertyDependencies map[string][]string `json:"propertyDependencies,omitempty"`
	SourcePosition       string              `json:"sourcePosition,omitempty"`
}

// document is a state export, or a preview's JSON.
type document struct {
	Deployment *struct {
		Resources []state `json:"resources"`
	} `json:"deployment"`
	Steps []struct {
		Op       string `json:"op"`
		NewState *state `json:"newState"`
	} `json:"steps"`
	Config map[string]string `json:"config"`
}

// Stack has the resources and the configuration that Read finds in a file.
type Stack struct {
	Graph *graph.Graph
	// Config is the stack's configuration; empty in a state export.
	Config map[string]string
}

// Name returns the stack's name.
func (s *Stack) Name() string {
	if resources := s.Graph.All(); len(resources) > 0 {
		return graph.StackName(resources[0].URN)
	}
	return ""
}

// Read reads a file: the output of pulumi stack export or of
// pulumi preview --json, or a recording.
func Read(file string) (*Stack, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s, err := Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// Parse reads the content of a file. The file has one of the three forms that Read accepts.
func Parse(raw []byte) (*Stack, error) {
	if bytes.HasPrefix(raw, []byte(`{"urn":`)) {
		return parseRecording(raw)
	}
	states, config, err := parseStates(raw)
	if err != nil {
		return nil, err
	}
	return buildStack(states, config), nil
}

// parseStates reads the resources of a state export or of a preview's JSON.
func parseStates(raw []byte) ([]state, map[string]string, error) {
	var doc document
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, nil, fmt.Errorf("neither a state export nor a preview's JSON: %w", err)
	}
	var states []state
	switch {
	case doc.Deployment != nil:
		for _, s := range doc.Deployment.Resources {
			if !s.Delete {
				states = append(states, s)
			}
		}
	case doc.Steps != nil:
		seen := map[string]bool{} // a resource that is replaced has several steps with one URN
		for _, step := range doc.Steps {
			if step.NewState != nil && step.Op != "delete" && !seen[step.NewState.URN] {
				seen[step.NewState.URN] = true
				states = append(states, *step.NewState)
			}
		}
	}
	if len(states) == 0 {
		return nil, nil, fmt.Errorf("no resources: must be the output of `pulumi stack export` or of `pulumi preview --json`")
	}
	return states, doc.Config, nil
}

// parseRecording reads a recording: a resource in each line.
func parseRecording(raw []byte) (*Stack, error) {
	var states []state
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, len(raw)+1)
	for n := 1; lines.Scan(); n++ {
		var s state
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		states = append(states, s)
	}
	return buildStack(states, nil), nil
}

// buildStack returns a stack with the graph of these resources.
func buildStack(states []state, config map[string]string) *Stack {
	var resources []*graph.Resource
	for _, s := range states {
		r := graph.New(s.URN)
		r.ID, r.Parent, r.Provider = s.ID, s.Parent, providerURN(s.Provider)
		r.Protect, r.IgnoreChanges = s.Protect, s.IgnoreChanges
		r.Inputs, r.Outputs = decodeProperties(s.Inputs), decodeProperties(s.Outputs)
		r.References = map[string][]string{}
		for name, urns := range s.PropertyDependencies {
			if len(urns) > 0 {
				r.References[name] = urns
			}
		}
		r.Source = parsePosition(s.SourcePosition)
		resources = append(resources, r)
	}
	return &Stack{Graph: graph.Build(resources), Config: config}
}

// decodeProperties decodes the properties of a resource.
func decodeProperties(o map[string]any) value.Node {
	decoded := make(map[string]any, len(o))
	for name, v := range o {
		if !strings.HasPrefix(name, "__") { // the engine adds properties with this prefix
			decoded[name] = Decode(v)
		}
	}
	return value.New(decoded)
}

// providerURN removes the identifier from a reference to a provider, URN::ID.
func providerURN(ref string) string {
	if parts := strings.Split(ref, "::"); len(parts) > 4 {
		return strings.Join(parts[:4], "::")
	}
	return ref
}

// parsePosition parses a source position, project:///PATH#LINE,COLUMN. For a file of another
// module, or for a text in another form, it returns an empty Source.
func parsePosition(text string) graph.Source {
	text, ok := strings.CutPrefix(text, "project:///")
	if !ok {
		return graph.Source{}
	}
	file, lineAndColumn, _ := strings.Cut(text, "#")
	if i := strings.Index(file, modulePrefix); i >= 0 {
		file = file[i+len(modulePrefix):]
	} else if strings.Contains(file, "@") { // a file of another module: MODULE@VERSION/PATH
		return graph.Source{}
	}
	number, _, _ := strings.Cut(lineAndColumn, ",")
	line, err := strconv.Atoi(number)
	if err != nil {
		return graph.Source{}
	}
	return graph.Source{File: file, Line: line}
}
