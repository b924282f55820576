package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/changeguard"
	"github.com/progressive-framework/platform/infra/config"
)

// The names of the guards. They have no part of the configuration: a guard of
// another name would know nothing of what is recorded.
const fixedGuard, appliedGuard = "fixed", "applied"

// recordedValues are the accepted values of the fields of
// config.Stack.FixedFields, by their ids.
type recordedValues map[string]string

// guardFixedValues records what the stack keeps for its whole life. It is the
// first resource, and it is waited for: after a refused change nothing else is
// registered, also in an update without a preview.
func guardFixedValues(ctx *pulumi.Context, stack *config.Stack) (recordedValues, error) {
	guard, err := changeguard.NewGuard(ctx, fixedGuard, stack.FixedFields())
	if err != nil {
		return nil, err
	}
	return guard.Recorded(ctx)
}

// guardAppliedValues records what changes in one direction only, after the
// resources that it is about.
func guardAppliedValues(ctx *pulumi.Context, stack *config.Stack, eks *eksCluster, stores *stores, origin *origin) error {
	after := append(stores.resources(), eks.Cluster)
	if origin != nil {
		after = append(after, origin.balancer)
	}
	_, err := changeguard.NewGuard(ctx, appliedGuard, stack.AppliedFields(), pulumi.DependsOn(after))
	return err
}
