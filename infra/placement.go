package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account/regions"
	"github.com/progressive-framework/platform/components/changeguard"
	"github.com/progressive-framework/platform/components/changeguard/changerule"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/network/existingvpc"
	"github.com/progressive-framework/platform/infra/config"
)

// placement is the VPC and the zones of the stack. They depend on AWS's responses and can't change
// after the stack was created.
type placement struct {
	// vpc is the existing VPC. It is nil if the stack creates a VPC.
	vpc *existingvpc.VPC
	// controlPlane are the zones of the control plane.
	controlPlane []string
	// origin are the zones of the load balancer. It is empty if the stack has no domain.
	origin []string
}

// placeStack reads the zones of the account and the existing VPC. It chooses the zones of the
// control plane by their ids, and records the choice. It runs before any resource of AWS is
// registered. The letter of a zone differs by account, so the configuration alone does not show
// which zone EKS refuses.
func placeStack(ctx *pulumi.Context, stack *config.Stack, inRegion pulumi.InvokeOption) (*placement, error) {
	zoneIDs, err := lookupZoneIDs(ctx, inRegion)
	if err != nil {
		return nil, err
	}
	placed, zones := &placement{}, stack.Network.Zones
	if stack.Network.VPCID != "" {
		if placed.vpc, err = lookupVPC(ctx, stack, inRegion); err != nil {
			return nil, fmt.Errorf("network.vpcId: %w", err)
		}
		zones = placed.vpc.Zones()
	}
	if stack.Edge.Domain != "" {
		if placed.origin, err = regions.VPCOriginZones(zones, zoneIDs); err != nil {
			return nil, fmt.Errorf("network.zones: %w", err)
		}
	}
	fields, err := stack.PlacementFields(zones, zoneIDs)
	if err != nil {
		return nil, err
	}
	guard, err := changeguard.NewGuard(ctx, placedGuard, fields)
	if err != nil {
		return nil, err
	}
	recorded, err := guard.AwaitRecorded(ctx)
	if err != nil {
		return nil, err
	}
	placed.controlPlane = changerule.Items(recorded[config.ControlPlaneZones])
	return placed, nil
}

// lookupVPC reads and checks the existing VPC. As soon as the stack's cluster exists, its nodes use
// addresses of the subnets. So the check for free addresses is for a new stack only.
func lookupVPC(ctx *pulumi.Context, stack *config.Stack, inRegion pulumi.InvokeOption) (*existingvpc.VPC, error) {
	args := &network.ExistingArgs{
		VPCID:             stack.Network.VPCID,
		PrivateSubnetIDs:  stack.Network.PrivateSubnetIDs,
		DatabaseSubnetIDs: stack.Network.DatabaseSubnetIDs,
		Needs:             stack.AddressNeeds(),
		InternetGateway:   stack.Edge.Domain != "",
	}
	clusters, err := eks.GetClusters(ctx, inRegion)
	if err != nil {
		return nil, fmt.Errorf("clusters of the account: %w", err)
	}
	if slices.Contains(clusters.Names, stack.Name()) {
		args.Needs = existingvpc.Needs{}
	}
	return network.LookupExisting(ctx, args, inRegion)
}

// lookupZoneIDs reads the ids of the account's availability zones, by their names.
func lookupZoneIDs(ctx *pulumi.Context, inRegion pulumi.InvokeOption) (map[string]string, error) {
	available := "available"
	zones, err := aws.GetAvailabilityZones(ctx, &aws.GetAvailabilityZonesArgs{State: &available}, inRegion)
	if err != nil {
		return nil, fmt.Errorf("availability zones of the account: %w", err)
	}
	if len(zones.Names) != len(zones.ZoneIds) {
		return nil, errors.New("availability zones of the account: AWS's response has names without ids")
	}
	ids := map[string]string{}
	for i, name := range zones.Names {
		ids[name] = zones.ZoneIds[i]
	}
	return ids, nil
}
