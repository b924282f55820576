// Package protection owns the list of resource types whose loss can't be repaired,
// because they hold data, an address or an identity. Pulumi protects such resources,
// so that a preview refuses to delete or replace one. Package stateful classifies every
// type of the stack.
package protection

import (
	"maps"
	"slices"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/protection/stateful"
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
	holds, known := stateful.Holds(args.Type, hasComponent(args.Opts))
	switch {
	case !known: // an unknown type is protected until stateful/types.go classifies it
		p.mu.Lock()
		p.unclassified[args.Type] = true
		p.mu.Unlock()
	case !holds:
		return nil
	}
	return &pulumi.ResourceTransformationResult{Props: args.Props, Opts: append(slices.Clone(args.Opts), pulumi.Protect(p.enabled))}
}

// Unclassified lists the registered types that stateful/types.go does not classify.
func (p *Policy) Unclassified() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.unclassified))
}

// hasComponent reports whether a resource is a component's child.
func hasComponent(opts []pulumi.ResourceOption) bool {
	snapshot, err := pulumi.NewResourceOptions(opts...)
	return err == nil && snapshot.Parent != nil
}
