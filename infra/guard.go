package main

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/changeguard"
	"github.com/progressive-framework/platform/infra/config"
)

// The names of the guards. They have no part of the configuration: a guard of
// another name would know nothing of what is recorded.
const fixedGuard, placedGuard, appliedGuard = "fixed", "placed", "applied"

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

// previewAppliedValues judges what changes in one direction only, before AWS and
// Kubernetes are asked about it: their answers do not name the configuration. An
// update judges it later, in guardAppliedValues.
func previewAppliedValues(ctx *pulumi.Context, stack *config.Stack) error {
	if !ctx.DryRun() {
		return nil
	}
	guard, err := changeguard.NewGuard(ctx, appliedGuard, stack.AppliedFields())
	if err != nil {
		return err
	}
	_, err = guard.Recorded(ctx)
	return err
}

// guardAppliedValues records what changes in one direction only, after the
// resources that it is about: a change that failed can be taken back.
func guardAppliedValues(ctx *pulumi.Context, stack *config.Stack, eks *eksCluster, stores *stores) error {
	if ctx.DryRun() {
		return nil // previewAppliedValues has registered it
	}
	after := slices.Concat(eks.Settled, stores.resources())
	_, err := changeguard.NewGuard(ctx, appliedGuard, stack.AppliedFields(), pulumi.DependsOn(after))
	return err
}
