package main

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/changeguard"
	"github.com/progressive-framework/platform/components/changeguard/changerule"
	"github.com/progressive-framework/platform/infra/config"
)

// placement is where in the account the stack is: what depends on AWS's answers and
// can't change afterwards.
type placement struct {
	// controlPlane are the zones of the control plane.
	controlPlane []string
}

// placeStack reads the zones of the account, chooses those of the control plane by
// their ids, and records the choice. It runs before any resource of AWS is registered.
// The letter of a zone differs by account, so the configuration alone does not show
// which zone EKS refuses.
func placeStack(ctx *pulumi.Context, stack *config.Stack, inRegion pulumi.InvokeOption) (*placement, error) {
	ids, err := zoneIDs(ctx, inRegion)
	if err != nil {
		return nil, err
	}
	fields, err := stack.PlacedFields(stack.Network.Zones, ids)
	if err != nil {
		return nil, err
	}
	guard, err := changeguard.NewGuard(ctx, placedGuard, fields)
	if err != nil {
		return nil, err
	}
	recorded, err := guard.Recorded(ctx)
	if err != nil {
		return nil, err
	}
	return &placement{controlPlane: changerule.Items(recorded[config.ControlPlaneZones])}, nil
}

// zoneIDs reads the ids of the account's zones, by their names.
func zoneIDs(ctx *pulumi.Context, inRegion pulumi.InvokeOption) (map[string]string, error) {
	available := "available"
	zones, err := aws.GetAvailabilityZones(ctx, &aws.GetAvailabilityZonesArgs{State: &available}, inRegion)
	if err != nil {
		return nil, fmt.Errorf("availability zones of the account: %w", err)
	}
	if len(zones.Names) != len(zones.ZoneIds) {
		return nil, errors.New("availability zones of the account: AWS's answer has names without ids")
	}
	ids := map[string]string{}
	for i, name := range zones.Names {
		ids[name] = zones.ZoneIds[i]
	}
	return ids, nil
}
