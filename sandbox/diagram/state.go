package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// properties are the outputs of one resource of a state, with two more entries: "id", and "urnName"
// with the name in the resource's URN. Numbers are json.Number, so that they are printed
// as in the state.
type properties map[string]any

// get returns the property at a path such as "metadata.name". It returns nil if the
// property is missing.
func (p properties) get(path string) any {
	var v any = map[string]any(p)
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// state is a stack's resources by type, sorted by name.
type state struct {
	Project, Stack string
	Count          int
	byType         map[string][]properties
}

// readState reads the output of `pulumi stack export`.
func readState(in io.Reader) (*state, error) {
	var export struct {
		Deployment struct {
			Resources []struct {
				URN, Type, ID string
				Outputs       map[string]any
			}
		}
	}
	decoder := json.NewDecoder(in)
	decoder.UseNumber()
	if err := decoder.Decode(&export); err != nil {
		return nil, fmt.Errorf("the input is not the output of `pulumi stack export`: %w", err)
	}
	resources := export.Deployment.Resources
	if len(resources) == 0 {
		return nil, errors.New("the state holds no resource: bring the stack up first")
	}
	s := &state{Count: len(resources), byType: map[string][]properties{}}
	for _, r := range resources {
		parts := strings.Split(r.URN, "::") // urn:pulumi:STACK::PROJECT::TYPE::NAME
		if len(parts) < 4 {
			return nil, fmt.Errorf("%q is no URN", r.URN)
		}
		s.Stack, s.Project = strings.TrimPrefix(parts[0], "urn:pulumi:"), parts[1]
		p := maps.Clone(properties(r.Outputs))
		if p == nil {
			p = properties{}
		}
		p["id"], p["urnName"] = r.ID, parts[len(parts)-1]
		s.byType[r.Type] = append(s.byType[r.Type], p)
	}
	for _, list := range s.byType {
		slices.SortFunc(list, func(a, b properties) int { return cmp.Compare(a["urnName"].(string), b["urnName"].(string)) })
	}
	return s, nil
}

// filterByValue returns the resources of a type with the value at the path of their
// properties.
func (s *state) filterByValue(resourceType, path string, value any) []properties {
	var matches []properties
	for _, p := range s.byType[resourceType] {
		if p.get(path) == value {
			matches = append(matches, p)
		}
	}
	return matches
}
