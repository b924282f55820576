package main

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/changeguard"
	"github.com/progressive-framework/platform/infra/config"
)

// The names of the guards. They must not depend on the configuration: a guard of
// another name has no recorded values.
const fixedGuard, placedGuard, appliedGuard = "fixed", "placed", "applied"

// recordedValues are the accepted values of the fields of
// config.Stack.FixedFields, by their ids.
type recordedValues map[string]string

// guardFixedValues registers the guard of the values that can't change after the
// stack was created. The guard is the first resource, and the program waits for
// its result. So a refused change stops an update before another resource is
// registered, even without a preview.
func guardFixedValues(ctx *pulumi.Context, stack *config.Stack) (recordedValues, error) {
	guard, err := changeguard.NewGuard(ctx, fixedGuard, stack.FixedFields())
	if err != nil {
		return nil, err
	}
	return guard.AwaitRecorded(ctx)
}

// previewAppliedValues checks the values that can change in one direction only, before AWS and
// Kubernetes get them. The errors of AWS and Kubernetes do not name the configuration key. An
// update checks these values later, in guardAppliedValues.
func previewAppliedValues(ctx *pulumi.Context, stack *config.Stack) error {
	if !ctx.DryRun() {
		return nil
	}
	guard, err := changeguard.NewGuard(ctx, appliedGuard, stack.AppliedFields())
	if err != nil {
		return err
	}
	_, err = guard.AwaitRecorded(ctx)
	return err
}

// guardAppliedValues records the values that can change in one direction only,
// such as the version of EKS. It records them after the resources that have
// these values. So if an update of a resource fails, the earlier value is still
// recorded, and the change can be reverted.
func guardAppliedValues(ctx *pulumi.Context, stack *config.Stack, eks *eksCluster, stores *stores, monitoring *observability) error {
	if ctx.DryRun() {
		return nil // previewAppliedValues has registered the guard
	}
	applied := slices.Concat(eks.Settled, stores.settled())
	if monitoring != nil { // the volumes of Prometheus can only grow
		applied = append(applied, monitoring.settled...)
	}
	if err := changeguard.AwaitApplied(ctx, applied); err != nil {
		return err
	}
	_, err := changeguard.NewGuard(ctx, appliedGuard, stack.AppliedFields())
	return err
}
