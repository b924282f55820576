package tier

import (
	"encoding/base64"
	"fmt"
	"maps"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/tier/instancespec"
	"github.com/progressive-framework/platform/components/tier/userdata"
)

// newLaunchTemplate creates the launch template of the instances. A change creates a new version of
// the template. The previous versions stay, so that the group can go back to one of these versions.
func (b *builder) newLaunchTemplate() (*ec2.LaunchTemplate, error) {
	args := b.args
	template, err := ec2.NewLaunchTemplate(b.ctx, b.name+"-template", &ec2.LaunchTemplateArgs{
		Description:          pulumi.Sprintf("%s nodes of %s", string(args.Profile.Name), args.Cluster.Name),
		UpdateDefaultVersion: pulumi.Bool(true),
		ImageId:              b.imageID(),
		UserData:             b.userData(),
		IamInstanceProfile:   &ec2.LaunchTemplateIamInstanceProfileArgs{Arn: args.Cluster.InstanceProfileARN},
		EbsOptimized:         pulumi.String("true"),
		Monitoring:           &ec2.LaunchTemplateMonitoringArgs{Enabled: pulumi.Bool(true)}, // the alarms use periods of one minute
		MetadataOptions: &ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint: pulumi.String("enabled"),
			HttpTokens:   pulumi.String("required"),
			// With one hop, pods can't reach the metadata service, so they can't use the
			// node's role. Pod Identity does not need the metadata service, because its
			// agent has its own address.
			HttpPutResponseHopLimit: pulumi.Int(1),
		},
		NetworkInterfaces: ec2.LaunchTemplateNetworkInterfaceArray{&ec2.LaunchTemplateNetworkInterfaceArgs{
			AssociatePublicIpAddress: pulumi.String("false"),
			DeleteOnTermination:      pulumi.String("true"),
			SecurityGroups:           pulumi.StringArray{args.Cluster.NodeSecurityGroupID},
		}},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{&ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String(instancespec.RootDevice),
			Ebs: &ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeType:          pulumi.String("gp3"),
				VolumeSize:          pulumi.Int(args.Fleet.VolumeGiB),
				Encrypted:           pulumi.String("true"),
				KmsKeyId:            args.KeyARN,
				DeleteOnTermination: pulumi.String("true"),
			},
		}},
		TagSpecifications: ec2.LaunchTemplateTagSpecificationArray{&ec2.LaunchTemplateTagSpecificationArgs{
			// The tags of the stack are left out, because they can change. Each new version
			// of the template replaces every node.
			ResourceType: pulumi.String("volume"), Tags: pulumi.ToStringMap(b.fixedTags()),
		}},
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("launch template of tier %s: %w", args.Profile.Name, err)
	}
	return template, nil
}

// imageID returns the id of the configured AMI. Without a configured AMI, imageID looks up the id
// of the release's AMI.
func (b *builder) imageID() pulumi.StringInput {
	if b.args.Image.ID != "" {
		return pulumi.String(b.args.Image.ID)
	}
	parameter := ssm.LookupParameterOutput(b.ctx, ssm.LookupParameterOutputArgs{
		Name: pulumi.String(b.args.Fleet.ImageParameter(b.args.Image.Release)),
	}, b.parent)
	// The lookup marks every value as secret, because some parameters are secret. The id
	// of an AMI is public, and a preview should show it.
	return pulumi.Unsecret(parameter.InsecureValue()).(pulumi.StringOutput)
}

// userData returns the user data of the instances in base64.
func (b *builder) userData() pulumi.StringOutput {
	c := b.args.Cluster
	return pulumi.All(c.Name, c.Endpoint, c.CertificateAuthority, c.ServiceCIDR).ApplyT(func(cluster []any) (string, error) {
		text, err := userdata.Render(userdata.Node{
			ClusterName: cluster[0].(string), Endpoint: cluster[1].(string), CertificateAuthority: cluster[2].(string), ServiceCIDR: cluster[3].(string),
			Labels: b.args.Profile.Labels, Taints: b.args.Profile.Taints,
		})
		return base64.StdEncoding.EncodeToString([]byte(text)), err
	}).(pulumi.StringOutput)
}

// instanceTags returns the tags of the instances.
func (b *builder) instanceTags() map[string]string {
	tags := b.fixedTags()
	maps.Copy(tags, b.args.Tags)
	return tags
}

// fixedTags returns the tags that never change during the life of a stack. One of them is
// the cluster's tag, by which Kubernetes' cloud controller finds its nodes.
func (b *builder) fixedTags() map[string]string {
	tags := b.args.Profile.InstanceTags(b.args.Environment)
	tags[b.args.Cluster.OwnedTag()] = "owned"
	return tags
}
