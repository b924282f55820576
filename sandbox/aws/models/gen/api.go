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

// api is AWS's API model of one service: the content of a file api-2.json.
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
	Member   *member // the elements of a list
	Value    *member // the values of a map
}

// member is a member of a structure, or the element of a list or map.
type member struct {
	Shape string // the name of the shape
}

// modelMember is the member of a structure in a model that describes a property.
type modelMember struct {
	structure, name string // the names of the structure and of the member
	shape           string // the name of the member's shape
	required        bool
}

// apiCache maps a service to its model. It has the models that readAPI has read.
var apiCache = map[string]*api{}

// readAPI returns the newest model of a service. apis is the folder with all models.
func readAPI(apis, service string) (*api, error) {
	if a, ok := apiCache[service]; ok {
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
	apiCache[service] = a
	return a, nil
}

// findMember returns the member that describes the property at a path of a type. ok is false if
// the model has no such member.
func (a *api) findMember(d description, path string) (found modelMember, ok bool) {
	for _, root := range d.shapes {
		if found, ok := a.resolvePath(root, path, d.names); ok {
			return found, true
		}
	}
	return modelMember{}, false
}

// resolvePath returns the member that describes the property at a path. It follows the path from
// the shape root, segment by segment. names has the members of properties with a different name
// in the model, as in the struct description. ok is false if a segment has no member.
func (a *api) resolvePath(root, path string, names map[string]string) (found modelMember, ok bool) {
	current := modelMember{shape: root}
	prefix := "" // the path up to the current segment
	for segment := range strings.SplitSeq(path, ".") {
		prefix = strings.TrimPrefix(prefix+"."+segment, ".")
		members := []string{segment}
		if name, ok := names[prefix]; ok {
			if name == "" {
				continue // only the provider has this level
			}
			memberPath, otherShape := strings.CutPrefix(name, "/")
			members = strings.Split(memberPath, ".")
			if otherShape {
				current = modelMember{shape: members[0]}
				members = members[1:]
			}
		}
		for _, member := range members {
			next, ok := a.lookupMember(current.shape, member)
			if !ok {
				next, ok = a.lookupMember(a.elementStructure(current.shape), member)
			}
			if !ok {
				return modelMember{}, false
			}
			current = next
		}
	}
	return current, current.structure != ""
}

// elementStructure returns the name of the structure of the elements of a list, a map or one of
// CloudFront's lists. For any other shape, it returns the name of the shape.
func (a *api) elementStructure(name string) string {
	s := a.Shapes[name]
	switch {
	case s.Type == "list":
		return a.elementStructure(s.Member.Shape)
	case s.Type == "map" && s.Value != nil:
		return a.elementStructure(s.Value.Shape)
	case s.isCloudFrontList():
		return a.elementStructure(s.Members["Items"].Shape)
	}
	return name
}

// isCloudFrontList reports whether a shape is one of CloudFront's lists: a structure with
// the members Quantity and Items.
func (s *shape) isCloudFrontList() bool {
	return s.Type == "structure" && s.Members["Items"] != nil && s.Members["Quantity"] != nil
}

// lookupMember returns the member of a structure for the name of a property. The names of the
// member and of the property may differ in letter case and in the plural. ok is false if the
// structure has no such member.
func (a *api) lookupMember(structure, name string) (found modelMember, ok bool) {
	s := a.Shapes[structure]
	if s.Type != "structure" {
		return modelMember{}, false
	}
	property := strings.ToLower(name)
	for memberName, m := range s.Members {
		lower := strings.ToLower(memberName)
		equal := lower == property || lower+"s" == property || lower == property+"s"
		if equal || strings.TrimSuffix(property, "ies")+"y" == lower {
			return modelMember{structure: structure, name: memberName, shape: m.Shape, required: slices.Contains(s.Required, memberName)}, true
		}
	}
	return modelMember{}, false
}

// readLimit returns the constraints of a member. ok is false if the member has no constraint.
// readLimit adds the allowed values of an enum to enums.
func (a *api) readLimit(described modelMember, enums map[string][]string) (limit models.Limit, ok bool) {
	limit.From = fmt.Sprintf("%s %s.%s", a.Service, described.structure, described.name)
	limit.Required = described.required
	s, name := a.Shapes[described.shape], described.shape
	// A list, a map or one of CloudFront's lists has the shape of its elements. The loop follows
	// these shapes to the shape of the values.
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
		case s.isCloudFrontList():
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
			limit.Min = nil // a minimum of 0 means no limit
		}
		limit.Pattern = translatePattern(s.Pattern)
		if len(s.Enum) > 0 {
			limit.Enum = a.Service + "." + name
			enums[limit.Enum] = s.Enum
			limit.Min, limit.Max, limit.Pattern = nil, nil, ""
		}
	}
	ok = limit.Required || limit.Enum != "" || limit.Min != nil || limit.Max != nil || limit.Pattern != "" || limit.MinItems > 0 || limit.MaxItems > 0
	return limit, ok
}

// surrogates matches the range of characters above U+FFFF in Java's syntax, which writes them as
// surrogate pairs. codePoint matches one character in that syntax.
var (
	surrogates = regexp.MustCompile(`\\uD800\\uDC00-\\uDBFF\\uDFFF`)
	codePoint  = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)
)

// translatePattern returns a pattern of a model in Go's syntax. It returns "" if Go cannot
// compile the pattern.
func translatePattern(p string) string {
	p = surrogates.ReplaceAllString(p, `\x{10000}-\x{10FFFF}`)
	p = codePoint.ReplaceAllString(p, `\x{$1}`)
	if _, err := regexp.Compile(`^(?:` + p + `)$`); err != nil {
		return ""
	}
	return p
}
