package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/models"
)

// api is the model of one service, a file api-2.json.
type api struct {
	Service string
	Shapes  map[string]*shape
}

// shape is a type of a model.
type shape struct {
	Type     string
	Enum     []string
	Min, Max *float64
	Pattern  string
	Required []string
	Members  map[string]*member
	Member   *member // of a list
	Value    *member // of a map
}

// member refers to the shape of a structure's member.
type member struct{ Shape string }

// place is a member that a path leads to.
type place struct {
	owner, name string // the structure and its member
	shape       string
	required    bool
}

// opened are the models that were read, by service.
var opened = map[string]*api{}

// read returns the newest model of a service.
func read(apis, service string) (*api, error) {
	if a, ok := opened[service]; ok {
		return a, nil
	}
	files, err := filepath.Glob(filepath.Join(apis, service, "*", "api-2.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("service %s: no model in %s", service, apis)
	}
	slices.Sort(files)
	raw, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", service, err)
	}
	a := &api{Service: service}
	if err := json.Unmarshal(raw, a); err != nil {
		return nil, fmt.Errorf("service %s: %w", service, err)
	}
	opened[service] = a
	return a, nil
}

// find returns the member that describes a property, in the shapes of its type.
func (a *api) find(d description, path string) (place, bool) {
	for _, root := range d.shapes {
		if at, ok := a.walk(root, path, d.names); ok {
			return at, true
		}
	}
	return place{}, false
}

// walk follows a path from a shape. names maps a property's path to its member, if the
// two names differ.
func (a *api) walk(root, path string, names map[string]string) (place, bool) {
	at := place{shape: root}
	done := ""
	for segment := range strings.SplitSeq(path, ".") {
		done = strings.TrimPrefix(done+"."+segment, ".")
		steps := []string{segment}
		if name, ok := names[done]; ok {
			if name == "" {
				continue // only the provider has this level
			}
			// A name that begins with a slash starts at another shape.
			if rest, ok := strings.CutPrefix(name, "/"); ok {
				steps = strings.Split(rest, ".")
				at = place{shape: steps[0]}
				steps = steps[1:]
			} else {
				steps = strings.Split(name, ".")
			}
		}
		for _, step := range steps {
			next, ok := a.step(at.shape, step)
			if !ok {
				next, ok = a.step(a.structure(at.shape), step)
			}
			if !ok {
				return place{}, false
			}
			at = next
		}
	}
	return at, at.owner != ""
}

// structure returns the structure in a shape. For a list, a map, and CloudFront's
// structures with Quantity and Items, it is the structure of their elements.
func (a *api) structure(name string) string {
	s := a.Shapes[name]
	switch {
	case s.Type == "list":
		return a.structure(s.Member.Shape)
	case s.Type == "map" && s.Value != nil:
		return a.structure(s.Value.Shape)
	case s.counted():
		return a.structure(s.Members["Items"].Shape)
	}
	return name
}

// counted says whether a shape is one of CloudFront's lists, a structure with Quantity and
// Items.
func (s *shape) counted() bool {
	return s.Type == "structure" && s.Members["Items"] != nil && s.Members["Quantity"] != nil
}

// step returns the member of a structure for a property's name. The two names may
// differ in letter case and in the plural.
func (a *api) step(structure, name string) (place, bool) {
	s := a.Shapes[structure]
	if s.Type != "structure" {
		return place{}, false
	}
	for member, m := range s.Members {
		x, y := strings.ToLower(member), strings.ToLower(name)
		if x == y || x+"s" == y || x == y+"s" || strings.TrimSuffix(y, "ies")+"y" == x {
			return place{owner: structure, name: member, shape: m.Shape, required: slices.Contains(s.Required, member)}, true
		}
	}
	return place{}, false
}

// limit returns the constraints of a member. ok is false if it has none.
func (a *api) limit(at place, enums map[string][]string) (limit models.Limit, ok bool) {
	limit.From = fmt.Sprintf("%s %s.%s", a.Service, at.owner, at.name)
	limit.Required = at.required
	s, name := a.Shapes[at.shape], at.shape
	for {
		var next *member
		switch {
		case s.Type == "list":
			if s.Min != nil {
				limit.MinItems = int(*s.Min)
			}
			if s.Max != nil {
				limit.MaxItems = int(*s.Max)
			}
			next = s.Member
		case s.Type == "map" && s.Value != nil:
			next = s.Value
		case s.counted():
			next = s.Members["Items"]
		}
		if next == nil {
			break
		}
		s, name = a.Shapes[next.Shape], next.Shape
	}
	if s.Type != "structure" {
		limit.Number = slices.Contains([]string{"integer", "long", "double", "float"}, s.Type)
		limit.Min, limit.Max = s.Min, s.Max
		if s.Min != nil && *s.Min == 0 && s.Type == "string" {
			limit.Min = nil // a minimum of 0 is no limit
		}
		limit.Pattern = translate(s.Pattern)
		if len(s.Enum) > 0 {
			limit.Enum = a.Service + "." + name
			enums[limit.Enum] = s.Enum
			limit.Min, limit.Max, limit.Pattern = nil, nil, ""
		}
	}
	ok = limit.Required || limit.Enum != "" || limit.Min != nil || limit.Max != nil || limit.Pattern != "" || limit.MinItems > 0 || limit.MaxItems > 0
	return limit, ok
}

var (
	surrogates = regexp.MustCompile(`\\uD800\\uDC00-\\uDBFF\\uDFFF`)
	codePoint  = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)
)

// translate returns a pattern in Go's syntax, or "" if Go has no such syntax.
func translate(p string) string {
	p = surrogates.ReplaceAllString(p, `\x{10000}-\x{10FFFF}`)
	p = codePoint.ReplaceAllString(p, `\x{$1}`)
	if _, err := regexp.Compile(`^(?:` + p + `)$`); err != nil {
		return ""
	}
	return p
}
