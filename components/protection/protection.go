// Package protection protects the resources that can't be created again after a loss. They
// hold data, an address or an identity. A preview refuses to delete or replace a protected
// resource. Package stateful classifies every type of the stack.
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

// New returns the policy of a stack. A disabled policy removes the protection: after the
// next update, resources can be deleted.
func New(enabled bool) *Policy { return &Policy{enabled: enabled, unclassified: map[string]bool{}} }

// Transform is a transformation for the whole stack
// (pulumi.Context.RegisterStackTransformation). It protects every resource that holds data,
// an address or an identity. It overrides the option protect of the resource itself. It
// also protects a resource of an unclassified type.
func (p *Policy) Transform(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
	isStateful, known := stateful.HoldsState(args.Type, isInComponent(args.Opts))
	switch {
	case !known: // continue: the type is protected until stateful/types.go classifies it
		p.mu.Lock()
		p.unclassified[args.Type] = true
		p.mu.Unlock()
	case !isStateful:
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

// isInComponent reports whether a resource with these options is a component's child.
func isInComponent(opts []pulumi.ResourceOption) bool {
	options, err := pulumi.NewResourceOptions(opts...)
	return err == nil && options.Parent != nil
}
