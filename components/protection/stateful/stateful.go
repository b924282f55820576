// Package stateful classifies the resource types of the stacks. A type that holds data, an
// address or an identity is stateful: an update can't repair its loss. The package imports no SDK.
// types.go has the table.
package stateful

import "strings"

// HoldsState reports whether a resource type holds data, an address or an identity. known is false
// if the type is not classified. inComponent is true for the child of a component.
func HoldsState(kind string, inComponent bool) (holds, known bool) {
	c, known := lookupClass(kind, inComponent)
	return c.holds, known
}

// Reason returns what a type holds, or how the program creates it again. It returns "" for a
// type without a row.
func Reason(kind string) string { return classes[kind].reason }

// lookupClass returns the class of a type. It returns false if the type is not classified.
func lookupClass(kind string, inComponent bool) (class, bool) {
	for _, prefix := range pulumiOnlyPrefixes {
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
