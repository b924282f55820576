package main

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier"
	"github.com/progressive-framework/platform/infra/config"
)

// nodeImages are the images of the tiers' nodes, by the tiers' names.
type nodeImages map[scaling.TierName]config.NodeImage

// checkNodeImages returns the recorded images of the tiers' nodes. Its error names every AMI that
// can't start the instances of its tier. It runs before any resource of AWS is registered. The
// recorded AMI is checked, because a tier keeps its AMI when imageId is removed, and its
// instanceTypes can change. A release needs no check: its image is chosen by the architecture.
func checkNodeImages(ctx *pulumi.Context, stack *config.Stack, recorded recordedValues, inRegion pulumi.InvokeOption) (nodeImages, error) {
	if stack.Cluster.Nodes == config.NodesOwn {
		return nil, nil
	}
	images, err := stack.NodeImages(recorded)
	if err != nil {
		return nil, err
	}
	tiers, err := stack.NodeTiers(stack.Name())
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, t := range tiers {
		id := images[t.Profile.Name].ID
		if id == "" {
			continue
		}
		key := "tiers." + string(t.Profile.Name)
		ami, err := tier.LookupAMI(ctx, id, inRegion)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s.imageId: %q: must be an image in %s that account %s may use: copy or share it, choose another one, or set %s.release instead: %w",
				key, id, stack.Region, stack.Account, key, err))
			continue
		}
		for _, reason := range t.Fleet.CheckAMI(ami) {
			errs = append(errs, fmt.Errorf("%s.imageId: %q: %s", key, id, reason))
		}
	}
	return images, errors.Join(errs...)
}
