// Package changeguard registers a resource that records values which can't change
// freely after the stack was created. A preview fails if such a value changes against
// its rule. The rules are in package changerule. The provider "ko" applies them when it
// checks the resource's inputs.
package changeguard

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"

	"github.com/progressive-framework/platform/components/changeguard/changerule"
)

// Token is the type of the resource.
const Token = "ko:index:ChangeGuard"

// Guard is the recorded values of a stack.
type Guard struct {
	pulumi.CustomResourceState

	// Values are the accepted values, by the ids of the fields. They are also known
	// in a preview.
	Values pulumi.StringMapOutput `pulumi:"values"`
}

// NewGuard registers fields by their ids. The preview fails if the rule of a field
// refuses the change from the recorded value. The recorded value of a field that is no
// longer in fields is deleted.
func NewGuard(ctx *pulumi.Context, name string, fields map[string]changerule.Field, opts ...pulumi.ResourceOption) (*Guard, error) {
	inputs := pulumi.Map{}
	for id, f := range fields {
		if id == "" || f.Path == "" || f.Reason == "" || f.Fix == "" {
			return nil, fmt.Errorf("change guard %s: field %q must have an id, a Path, a Reason and a Fix", name, id)
		}
		inputs[id] = pulumi.Map{
			"path": pulumi.String(f.Path), "value": pulumi.String(f.Value), "from": pulumi.ToStringArray(f.From),
			"rule": pulumi.String(f.Rule), "group": pulumi.String(f.Group), "reason": pulumi.String(f.Reason), "fix": pulumi.String(f.Fix),
		}
	}
	g := &Guard{}
	if err := ctx.RegisterResource(Token, name, pulumi.Map{"fields": inputs}, g, opts...); err != nil {
		return nil, fmt.Errorf("change guard %s: %w", name, err)
	}
	return g, nil
}

// AwaitRecorded waits until the provider has checked the fields, and returns the accepted
// values by the ids of the fields. It returns an error if the provider refused a change. So
// the Pulumi program can stop before it registers further resources.
func (g *Guard) AwaitRecorded(ctx *pulumi.Context) (map[string]string, error) {
	result, err := internals.UnsafeAwaitOutput(ctx.Context(), g.Values)
	if err != nil {
		return nil, fmt.Errorf("changes of recorded values: %w", err)
	}
	values, ok := result.Value.(map[string]string)
	if !ok || !result.Known {
		return nil, fmt.Errorf("changes of recorded values: the provider returned %v, must be known text by id", result.Value)
	}
	return values, nil
}

// AwaitApplied waits until the engine has created or updated the resources. So in an update, a guard
// that is created afterwards records only values that AWS and Kubernetes already have.
//
// The guard must not depend on the resources instead. The state would contain the dependencies, and a
// preview registers the guard before the resources. With --target, the engine itself registers the
// dependencies of a resource that is not a target. Later the program registers them too, and the
// engine refuses two resources with the same name. So every preview with --target would fail.
func AwaitApplied(ctx *pulumi.Context, resources []pulumi.Resource) error {
	ids := make([]any, len(resources))
	for i, r := range resources {
		custom, ok := r.(pulumi.CustomResource)
		if !ok {
			return fmt.Errorf("wait for a resource of type %T: must be a resource of a provider, because a component has no end", r)
		}
		ids[i] = custom.ID()
	}
	if _, err := internals.UnsafeAwaitOutput(ctx.Context(), pulumi.All(ids...)); err != nil {
		return fmt.Errorf("resources of recorded values: %w", err)
	}
	return nil
}
