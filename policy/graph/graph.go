// Package graph holds the resources of one stack and the references between
// them. It owns the model that every rule reads, and the search for related
// resources. It reads no files and uses no protocol.
package graph

import (
	"slices"
	"strings"
	"sync"

	"github.com/progressive-framework/platform/policy/value"
)

// Resource is one resource of a stack.
type Resource struct {
	URN, Type, Name string
	// ID is empty until the resource exists.
	ID string
	// Parent and Provider are URNs.
	Parent, Provider string
	// Protect is Pulumi's own protection from deletion.
	Protect bool
	// IgnoreChanges are the properties of Pulumi's option ignoreChanges.
	IgnoreChanges []string
	// Inputs are the properties that the program sets.
	Inputs value.Node
	// Outputs are the properties that the provider returned; absent in a preview
	// of a new resource.
	Outputs value.Node
	// References has, by the name of an input, the URNs of the resources that the
	// input comes from. The engine records them.
	References map[string][]string
	// Source is the file and line that registered the resource.
	Source Source
}

// Source is a place in the project's Go code.
type Source struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// New returns a resource with the type and the name that its URN contains.
func New(urn string) *Resource {
	r := &Resource{URN: urn}
	// urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME
	if parts := strings.SplitN(urn, "::", 4); len(parts) == 4 {
		types := strings.Split(parts[2], "$")
		r.Type, r.Name = types[len(types)-1], parts[3]
	}
	return r
}

// StackName returns the name of the stack in a URN.
func StackName(urn string) string {
	stack, _, _ := strings.Cut(strings.TrimPrefix(urn, "urn:pulumi:"), "::")
	return stack
}

// View returns the resource's inputs for a typed view. An input that comes from
// another resource counts as set, even while it is unknown.
func (r *Resource) View() value.Node { return r.Inputs.WithReferences(r.References) }

// Graph is a stack's resources.
type Graph struct {
	all    []*Resource
	byURN  map[string]*Resource
	byType map[string][]*Resource
	// referrers has, by URN, the resources that refer to it.
	referrers map[string][]*Resource
	// possibleReferrers returns the resources that may refer to any resource: they have an unknown
	// input without a recorded reference.
	possibleReferrers func() []*Resource
}

// Build returns the graph of resources.
func Build(resources []*Resource) *Graph {
	g := &Graph{
		all: resources, byURN: make(map[string]*Resource, len(resources)),
		byType: map[string][]*Resource{}, referrers: map[string][]*Resource{},
	}
	g.possibleReferrers = sync.OnceValue(func() []*Resource {
		return slices.DeleteFunc(slices.Clone(resources), func(r *Resource) bool { return !r.mayReferToAny() })
	})
	for _, r := range resources {
		g.byURN[r.URN] = r
		g.byType[r.Type] = append(g.byType[r.Type], r)
		for _, urns := range r.References {
			for _, urn := range urns {
				if list := g.referrers[urn]; len(list) == 0 || list[len(list)-1] != r {
					g.referrers[urn] = append(list, r)
				}
			}
		}
	}
	return g
}

// All returns the resources in the order of their registration.
func (g *Graph) All() []*Resource { return g.all }

// OfType returns the resources of a type.
func (g *Graph) OfType(typ string) []*Resource { return g.byType[typ] }

// Find returns the resource with a URN, or nil.
func (g *Graph) Find(urn string) *Resource { return g.byURN[urn] }

// Related has the resources that a resource refers to, or the resources that refer to it.
type Related struct {
	Resources []*Resource
	// Complete is false if an unknown value may refer to a further resource.
	Complete bool
}

// Refs returns the resources of type typ that the input prop of r refers to.
func (g *Graph) Refs(r *Resource, prop, typ string) Related {
	related := Related{Complete: r.Inputs.Get(prop).Known()}
	for _, urn := range r.References[prop] {
		if target := g.byURN[urn]; target != nil && target.Type == typ {
			related.Resources = append(related.Resources, target)
		}
	}
	if len(r.References[prop]) > 0 {
		related.Complete = true
		return related
	}
	// The engine records no reference if the program has a literal ID or ARN as the input.
	r.Inputs.Get(prop).Walk(func(_, text string, _ bool) {
		for _, target := range g.byType[typ] {
			if target.hasIDOrARN(text) && !slices.Contains(related.Resources, target) {
				related.Resources = append(related.Resources, target)
			}
		}
	})
	return related
}

// hasIDOrARN reports whether text is the ID or the ARN of r.
func (r *Resource) hasIDOrARN(text string) bool {
	if text == "" {
		return false
	}
	isARN, _ := value.As[value.String](r.Outputs.Get("arn")).Is(text).Known() // false for an ARN that is not known yet
	return text == r.ID || isARN
}

// Referrers returns the resources of type typ that refer to r with their input prop.
func (g *Graph) Referrers(r *Resource, typ, prop string) Related {
	related := Related{Complete: true}
	for _, other := range g.byType[typ] {
		refs := g.Refs(other, prop, r.Type)
		if slices.Contains(refs.Resources, r) {
			related.Resources = append(related.Resources, other)
		} else if !refs.Complete {
			related.Complete = false
		}
	}
	return related
}

// Any returns True if test returns True for one of the resources. It returns False if test returns
// False for all of them and r is complete, and otherwise Unknown.
func (r Related) Any(test func(*Resource) value.Truth) value.Truth {
	result := value.False
	for _, resource := range r.Resources {
		result = value.Any(result, test(resource))
	}
	if !r.Complete {
		result = value.Any(result, value.Unknown)
	}
	return result
}

// All returns False if test returns False for one of the resources. It returns True if test returns
// True for all of them and r is complete, and otherwise Unknown.
func (r Related) All(test func(*Resource) value.Truth) value.Truth {
	return value.Not(r.Any(func(resource *Resource) value.Truth { return value.Not(test(resource)) }))
}

// Exists returns True if there is a related resource. It returns False if there is none and r is
// complete, and otherwise Unknown.
func (r Related) Exists() value.Truth {
	return r.Any(func(*Resource) value.Truth { return value.True })
}

// AllReferrers returns the resources with any input that refers to r, except the resources of
// excludedTypes.
func (g *Graph) AllReferrers(r *Resource, excludedTypes ...string) Related {
	var related Related
	for _, other := range g.referrers[r.URN] {
		if !slices.Contains(excludedTypes, other.Type) {
			related.Resources = append(related.Resources, other)
		}
	}
	related.Complete = !slices.ContainsFunc(g.possibleReferrers(), func(other *Resource) bool {
		return other != r && !slices.Contains(excludedTypes, other.Type)
	})
	return related
}

// mayReferToAny reports whether r may refer to any resource, because it has an unknown input
// without a recorded reference.
func (r *Resource) mayReferToAny() bool {
	if r.Inputs.Known() {
		return false
	}
	names, complete := r.Inputs.Keys()
	return !complete || slices.ContainsFunc(names, func(name string) bool {
		return len(r.References[name]) == 0 && !r.Inputs.Get(name).Known()
	})
}
