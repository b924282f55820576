// Package stateful classifies the resource types of the stacks: which of them hold
// data, an address or an identity, so that no update repairs their loss. It is pure.
// types.go has the table.
package stateful

import "strings"

// Holds reports whether a resource type holds something. known is false for a type that
// is not classified. inComponent says whether the resource is the child of a component.
func Holds(kind string, inComponent bool) (holds, known bool) {
	c, known := classOf(kind, inComponent)
	return c.holds, known
}

// Reason says what a type holds, or how the program creates it again. It is empty for a
// type without a row.
func Reason(kind string) string { return classes[kind].reason }

func classOf(kind string, inComponent bool) (class, bool) {
	for _, prefix := range groupings {
		if strings.HasPrefix(kind, prefix) {
			return class{}, true
		}
	}
	c, known := classes[kind]
	if c.inComponentOnly && !inComponent {
		c.holds = false
	}
	return c, known
}
