// Package protection owns the list of resource types whose loss can't be repaired,
// because they hold data, an address or an identity. Pulumi protects such resources,
// so that a preview refuses to delete or replace one. types.go classifies every type
// of the stack.
package protection

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Policy protects the resources of one stack.
type Policy struct {
	enabled bool

	mu           sync.Mutex
	unclassified map[string]bool
}

// New returns the policy of a stack. A disabled policy removes the protection: after
// an update with it, resources can be deleted.
func New(enabled bool) *Policy { return &Policy{enabled: enabled, unclassified: map[string]bool{}} }

// Transform is a transformation for the whole stack
// (pulumi.Context.RegisterStackTransformation). It sets the protection of every
// resource that holds something, and overrides the options of its component.
func (p *Policy) Transform(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
	kind, known := classOf(args.Type, hasComponent(args.Opts))
	switch {
	case !known: // an unknown type is protected until types.go classifies it
		p.mu.Lock()
		p.unclassified[args.Type] = true
		p.mu.Unlock()
	case !kind.holds:
		return nil
	}
	return &pulumi.ResourceTransformationResult{Props: args.Props, Opts: append(slices.Clone(args.Opts), pulumi.Protect(p.enabled))}
}

// Unclassified lists the registered types that types.go does not classify.
func (p *Policy) Unclassified() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.unclassified))
}

// Holds reports whether a resource type holds something. known is false for a type that
// is not classified. inComponent says whether the resource is the child of a component.
func Holds(kind string, inComponent bool) (holds, known bool) {
	c, known := classOf(kind, inComponent)
	return c.holds, known
}

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

// hasComponent reports whether a resource is a component's child.
func hasComponent(opts []pulumi.ResourceOption) bool {
	snapshot, err := pulumi.NewResourceOptions(opts...)
	return err == nil && snapshot.Parent != nil
}
