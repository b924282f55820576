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

// Module is the path of the project's Go module, with a slash. The paths of its files begin with
// it.
const Module = "github.com/progressive-framework/platform/"

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
	if all := s.Graph.All(); len(all) > 0 {
		return graph.Stack(all[0].URN)
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

// Parse reads the content of a file of one of the three forms that Read accepts.
func Parse(raw []byte) (*Stack, error) {
	if bytes.HasPrefix(raw, []byte(`{"urn":`)) {
		return parseRecording(raw)
	}
	states, config, err := parse(raw)
	if err != nil {
		return nil, err
	}
	return build(states, config), nil
}

// parse reads the resources of a state export or of a preview's JSON.
func parse(raw []byte) ([]state, map[string]string, error) {
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, nil, fmt.Errorf("neither a state export nor a preview's JSON: %w", err)
	}
	var states []state
	switch {
	case d.Deployment != nil:
		for _, s := range d.Deployment.Resources {
			if !s.Delete {
				states = append(states, s)
			}
		}
	case d.Steps != nil:
		seen := map[string]bool{} // a resource that is replaced has several steps with one URN
		for _, step := range d.Steps {
			if step.NewState != nil && step.Op != "delete" && !seen[step.NewState.URN] {
				seen[step.NewState.URN] = true
				states = append(states, *step.NewState)
			}
		}
	}
	if len(states) == 0 {
		return nil, nil, fmt.Errorf("no resources: must be the output of `pulumi stack export` or of `pulumi preview --json`")
	}
	return states, d.Config, nil
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
	return build(states, nil), nil
}

// build returns a stack with the graph of these resources.
func build(states []state, config map[string]string) *Stack {
	var resources []*graph.Resource
	for _, s := range states {
		r := graph.New(s.URN)
		r.ID, r.Parent, r.Provider = s.ID, s.Parent, providerURN(s.Provider)
		r.Protect, r.IgnoreChanges = s.Protect, s.IgnoreChanges
		r.Inputs, r.Outputs = object(s.Inputs), object(s.Outputs)
		r.References = map[string][]string{}
		for name, urns := range s.PropertyDependencies {
			if len(urns) > 0 {
				r.References[name] = urns
			}
		}
		r.Source = position(s.SourcePosition)
		resources = append(resources, r)
	}
	return &Stack{Graph: graph.Build(resources), Config: config}
}

// object decodes the properties of a resource.
func object(o map[string]any) value.Node {
	out := make(map[string]any, len(o))
	for name, v := range o {
		if !strings.HasPrefix(name, "__") { // the engine adds properties with this prefix
			out[name] = Decode(v)
		}
	}
	return value.New(out)
}

// providerURN removes the identifier from a reference to a provider, URN::ID.
func providerURN(ref string) string {
	if parts := strings.Split(ref, "::"); len(parts) > 4 {
		return strings.Join(parts[:4], "::")
	}
	return ref
}

// position parses a source position, project:///PATH#LINE,COLUMN. For a file of another
// module it returns an empty Source.
func position(text string) graph.Source {
	text, ok := strings.CutPrefix(text, "project:///")
	if !ok {
		return graph.Source{}
	}
	file, lineAndColumn, _ := strings.Cut(text, "#")
	if i := strings.Index(file, Module); i >= 0 {
		file = file[i+len(Module):]
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
