package value

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// state is whether a value is absent, unknown or known.
type state int8

const (
	absent state = iota
	unknown
	known
)

// Node is a value of any type: absent, unknown or known. Its zero value is
// absent. A property of an absent value is absent, and a property of an unknown value
// is unknown. So At can follow a path without a check of each property. A property of an unknown
// value may also be absent, so it does not count as set.
type Node struct {
	state  state
	raw    any
	secret bool
	// fromResource is true for the output of another resource. Such a value counts as
	// set, even while it is unknown.
	fromResource bool
	// references has, by the name of a property, the URNs of the resources that the
	// property comes from.
	references map[string][]string
}

// View is the constraint of the types that add typed properties to a Node, such as those of
// policy/awsview.
type View interface{ ~struct{ Node } }

// As returns a node as a view.
func As[T View](n Node) T { return T(struct{ Node }{n}) }

// Secret is a value that Pulumi encrypts in its state.
type Secret struct{ Value any }

// Undetermined is a value that is not known in a preview.
type Undetermined struct{}

// New returns a node for a decoded JSON value, such as a string or a map[string]any. The
// value may have a Secret or an Undetermined at any depth. For nil it returns an absent node.
func New(raw any) Node {
	switch v := raw.(type) {
	case nil:
		return Node{}
	case Undetermined:
		return Node{state: unknown}
	case Secret:
		n := New(v.Value)
		n.secret = true
		return n
	}
	return Node{state: known, raw: raw}
}

// WithReferences returns a copy of the node. references has, by the name of a property, the URNs of
// the resources that the property comes from. Such a property counts as set, even while it is unknown.
func (n Node) WithReferences(references map[string][]string) Node {
	n.references = references
	return n
}

// Raw returns the value in the form that New takes. It is for reports and tests; a rule
// uses a view.
func (n Node) Raw() any {
	switch n.state {
	case absent:
		return nil
	case unknown:
		return Undetermined{}
	}
	return n.raw
}

// Get returns the property called name.
func (n Node) Get(name string) Node {
	if n.state != known {
		return Node{state: n.state, secret: n.secret}
	}
	object, ok := n.raw.(map[string]any)
	if !ok {
		return Node{}
	}
	property := n.child(object[name])
	property.fromResource = property.fromResource || len(n.references[name]) > 0
	return property
}

// At follows a dotted path of properties.
func (n Node) At(path string) Node {
	for name := range strings.SplitSeq(path, ".") {
		n = n.Get(name)
	}
	return n
}

// child returns a node for raw, which is a part of n. Each part of a secret is secret, and each
// part of a resource's output counts as such an output.
func (n Node) child(raw any) Node {
	c := New(raw)
	c.secret = c.secret || n.secret
	c.fromResource = c.fromResource || n.fromResource
	return c
}

// Keys returns the names of the properties that are known to exist, sorted, and whether these
// are all.
func (n Node) Keys() (names []string, complete bool) {
	object, _ := n.raw.(map[string]any)
	return slices.Sorted(maps.Keys(object)), n.state != unknown
}

// IsSet reports whether the value is present and not empty. The output of a resource
// counts as set, even while it is unknown.
func (n Node) IsSet() Truth {
	switch {
	case n.state == absent:
		return False
	case n.state == unknown && !n.fromResource:
		return Unknown
	case n.state == unknown:
		return True
	}
	switch v := n.raw.(type) {
	case string:
		return FromBool(v != "")
	case []any:
		return FromBool(len(v) > 0)
	case map[string]any:
		return FromBool(len(v) > 0)
	}
	return True
}

// Known reports whether no part of the value is unknown. An absent value counts as known.
func (n Node) Known() bool { return n.state != unknown && isDetermined(n.raw) }

// isDetermined reports whether no part of a value is unknown.
func isDetermined(raw any) bool {
	switch v := raw.(type) {
	case Undetermined:
		return false
	case Secret:
		return isDetermined(v.Value)
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !isDetermined(item) })
	case map[string]any:
		for _, item := range v {
			if !isDetermined(item) {
				return false
			}
		}
	}
	return true
}

// Walk visits every known string at any depth, with its path and whether
// Pulumi encrypts it.
func (n Node) Walk(visit func(path, text string, secret bool)) { n.walk("", visit) }

// walk calls visit for each text in the node. path is the node's own path.
func (n Node) walk(path string, visit func(path, text string, secret bool)) {
	switch v := n.raw.(type) {
	case string:
		visit(path, v, n.secret)
	case []any:
		for _, item := range v {
			n.child(item).walk(path+"[]", visit)
		}
	case map[string]any:
		names, _ := n.Keys()
		for _, name := range names {
			propertyPath := name
			if path != "" {
				propertyPath = path + "." + name
			}
			n.child(v[name]).walk(propertyPath, visit)
		}
	}
}

// IsSecret reports whether Pulumi encrypts the value.
func (n Node) IsSecret() bool { return n.secret }

// JSON decodes a string that contains a JSON document. For a string that is not JSON it returns
// an absent node.
func (n Node) JSON() Node {
	if n.state != known {
		return n
	}
	text, ok := n.raw.(string)
	if !ok {
		return n // for some inputs Pulumi also accepts the document as an object
	}
	var document any
	if json.Unmarshal([]byte(text), &document) != nil {
		return Node{}
	}
	return n.child(document)
}
