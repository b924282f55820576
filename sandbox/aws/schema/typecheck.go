package schema

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// Problem is one value that does not fit its type.
type Problem struct {
	// Path is the path of the value, as in vpcConfig.subnetIds[0].
	Path string
	// Reason is a text with the problem and what a correct value is.
	Reason string
}

// CheckInputs checks the names and the types of input values. It returns all problems: unknown
// names, wrong types, and missing required properties. An unknown value in a preview has no
// problem. object returns the fields of a nested type.
func CheckInputs(fields Fields, object func(typ string) Fields, values map[string]any) []Problem {
	c := checker{object: object}
	c.checkFields(fields, values, "")
	slices.SortFunc(c.problems, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) })
	return c.problems
}

// checker collects the problems of one input.
type checker struct {
	object   func(string) Fields
	problems []Problem
}

// fail adds a problem.
func (c *checker) fail(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{path, fmt.Sprintf(format, args...)})
}

// checkFields checks the values of the object at a path.
func (c *checker) checkFields(fields Fields, values map[string]any, path string) {
	for name, v := range values {
		typ, ok := fields[name]
		if !ok {
			c.fail(joinPath(path, name), "no such property: must be one of %s", strings.Join(fields.Names(), ", "))
			continue
		}
		c.checkValue(strings.TrimSuffix(typ, "?"), v, joinPath(path, name))
	}
	for name, typ := range fields {
		if _, ok := values[name]; !ok && !strings.HasSuffix(typ, "?") {
			c.fail(joinPath(path, name), "a required property is missing")
		}
	}
}

// checkValue adds a problem for each part of a value that does not have the type typ. The
// package comment defines the notation of types.
func (c *checker) checkValue(typ string, v any, path string) {
	if wire.IsUnknown(v) {
		return
	}
	switch {
	case typ == "other":
		c.fail(path, "the stand-in does not support archives and resources of other packages")
	case typ == "asset":
		if !wire.IsAsset(v) {
			c.fail(path, "must be an asset, is %s", describeKind(v))
		}
	case typ == "any":
		switch v.(type) {
		case string, map[string]any: // both are allowed
		default:
			c.fail(path, "must be a string or an object, is %s", describeKind(v))
		}
	case typ == "string":
		if _, ok := v.(string); !ok {
			c.fail(path, "must be a string, is %s", describeKind(v))
		}
	case typ == "bool":
		if _, ok := v.(bool); !ok {
			c.fail(path, "must be true or false, is %s", describeKind(v))
		}
	case typ == "int", typ == "number":
		n, ok := v.(float64)
		if !ok {
			c.fail(path, "must be a number, is %s", describeKind(v))
		} else if typ == "int" && n != math.Trunc(n) {
			c.fail(path, "must be a whole number, is %v", n)
		}
	case strings.HasPrefix(typ, "["):
		list, ok := v.([]any)
		if !ok {
			c.fail(path, "must be a list, is %s", describeKind(v))
			return
		}
		for i, item := range list {
			c.checkValue(typ[1:len(typ)-1], item, fmt.Sprintf("%s[%d]", path, i))
		}
	case strings.HasPrefix(typ, "{"):
		m, ok := v.(map[string]any)
		if !ok {
			c.fail(path, "must be a map, is %s", describeKind(v))
			return
		}
		for name, item := range m {
			c.checkValue(typ[1:len(typ)-1], item, joinPath(path, name))
		}
	case strings.HasPrefix(typ, "@"):
		m, ok := v.(map[string]any)
		if !ok {
			c.fail(path, "must be an object, is %s", describeKind(v))
			return
		}
		c.checkFields(c.object(typ), m, path)
	}
}

// joinPath appends a property's name to a path.
func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// describeKind returns a text for messages with the kind of a value, such as "a list".
func describeKind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	case wire.Archive:
		return "an archive"
	}
	return fmt.Sprintf("a %T", v)
}
