package tier

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/tier/instancespec"
)

// LookupAMI reads an AMI that the account may use: its own, a shared one, or a public one. It
// registers nothing. The lookup names no owners, because the id alone decides which image a launch
// template uses. Deprecated images are included, because instances can still start with them (EC2
// User Guide, "Deprecate an Amazon EC2 AMI").
func LookupAMI(ctx *pulumi.Context, id string, opts ...pulumi.InvokeOption) (instancespec.AMI, error) {
	includeDeprecated := true
	image, err := ec2.LookupAmi(ctx, &ec2.LookupAmiArgs{
		Filters:           []ec2.GetAmiFilter{{Name: "image-id", Values: []string{id}}},
		IncludeDeprecated: &includeDeprecated,
	}, opts...)
	if err != nil {
		return instancespec.AMI{}, fmt.Errorf("look up AMI %s: %w", id, err)
	}
	ami := instancespec.AMI{
		Architecture: image.Architecture, State: image.State, VirtualizationType: image.VirtualizationType, ENA: image.EnaSupport,
		RootDeviceType: image.RootDeviceType, RootDeviceName: image.RootDeviceName,
	}
	for _, mapping := range image.BlockDeviceMappings {
		size := mapping.Ebs["volume_size"] // the map keeps the names of terraform-provider-aws
		if mapping.DeviceName != image.RootDeviceName || size == "" {
			continue
		}
		if ami.RootGiB, err = strconv.Atoi(size); err != nil {
			return instancespec.AMI{}, fmt.Errorf("AMI %s: size of device %s: %w", id, mapping.DeviceName, err)
		}
	}
	return ami, nil
}
