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

// facts are the outputs of one resource of a state, and two more properties: "id", and
// "urnName" with the name in its URN. Numbers are json.Number, so that they are printed
// as in the state.
type facts map[string]any

// get returns the property at a path such as "metadata.name". It returns nil if the
// property is missing.
func (f facts) get(path string) any {
	var v any = map[string]any(f)
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
	byType         map[string][]facts
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
	all := export.Deployment.Resources
	if len(all) == 0 {
		return nil, errors.New("the state holds no resource: bring the stack up first")
	}
	s := &state{Count: len(all), byType: map[string][]facts{}}
	for _, r := range all {
		parts := strings.Split(r.URN, "::") // urn:pulumi:STACK::PROJECT::TYPE::NAME
		if len(parts) < 4 {
			return nil, fmt.Errorf("%q is no URN", r.URN)
		}
		s.Stack, s.Project = strings.TrimPrefix(parts[0], "urn:pulumi:"), parts[1]
		f := maps.Clone(facts(r.Outputs))
		if f == nil {
			f = facts{}
		}
		f["id"], f["urnName"] = r.ID, parts[len(parts)-1]
		s.byType[r.Type] = append(s.byType[r.Type], f)
	}
	for _, list := range s.byType {
		slices.SortFunc(list, func(a, b facts) int { return cmp.Compare(a["urnName"].(string), b["urnName"].(string)) })
	}
	return s, nil
}

// withValue returns the resources of a type whose property at the path has the value.
func (s *state) withValue(kind, path string, value any) []facts {
	var found []facts
	for _, f := range s.byType[kind] {
		if f.get(path) == value {
			found = append(found, f)
		}
	}
	return found
}
