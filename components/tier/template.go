package tier

import (
	"encoding/base64"
	"fmt"
	"maps"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/tier/userdata"
)

// rootDevice is that of Amazon Linux 2023.
const rootDevice = "/dev/xvda"

// launchTemplate makes the template of the tier's instances. Its logical name
// holds the cluster's version: an upgrade makes a new one, with the image of
// that version, and the group rolls over to it.
func (b *builder) launchTemplate() (*ec2.LaunchTemplate, error) {
	args := b.args
	image, opts := b.image()
	template, err := ec2.NewLaunchTemplate(b.ctx, b.name+"-"+args.Cluster.Version, &ec2.LaunchTemplateArgs{
		Description:          pulumi.Sprintf("%s nodes of %s", string(args.Profile.Name), args.Cluster.Name),
		UpdateDefaultVersion: pulumi.Bool(true),
		ImageId:              image,
		UserData:             b.userData(),
		IamInstanceProfile:   &ec2.LaunchTemplateIamInstanceProfileArgs{Arn: args.Cluster.InstanceProfileARN},
		EbsOptimized:         pulumi.String("true"),
		Monitoring:           &ec2.LaunchTemplateMonitoringArgs{Enabled: pulumi.Bool(true)}, // the alarms count in minutes
		MetadataOptions: &ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint: pulumi.String("enabled"),
			HttpTokens:   pulumi.String("required"),
			// One hop ends at the node: pods can't take its role. Pod Identity
			// does not ask here, its agent answers at an address of its own.
			HttpPutResponseHopLimit: pulumi.Int(1),
		},
		NetworkInterfaces: ec2.LaunchTemplateNetworkInterfaceArray{&ec2.LaunchTemplateNetworkInterfaceArgs{
			AssociatePublicIpAddress: pulumi.String("false"),
			DeleteOnTermination:      pulumi.String("true"),
			SecurityGroups:           pulumi.StringArray{args.Cluster.NodeSecurityGroupID},
		}},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{&ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String(rootDevice),
			Ebs: &ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeType:          pulumi.String("gp3"),
				VolumeSize:          pulumi.Int(args.Fleet.VolumeGiB),
				Encrypted:           pulumi.String("true"),
				KmsKeyId:            args.KeyARN,
				DeleteOnTermination: pulumi.String("true"),
			},
		}},
		TagSpecifications: ec2.LaunchTemplateTagSpecificationArray{&ec2.LaunchTemplateTagSpecificationArgs{
			ResourceType: pulumi.String("volume"), Tags: pulumi.ToStringMap(b.instanceTags()),
		}},
	}, append(opts, b.parent)...)
	if err != nil {
		return nil, fmt.Errorf("launch template of tier %s: %w", args.Profile.Name, err)
	}
	return template, nil
}

// image is the one that is named, or the one that AWS recommends now and that
// the template then keeps.
func (b *builder) image() (pulumi.StringInput, []pulumi.ResourceOption) {
	if b.args.ImageID != "" {
		return pulumi.String(b.args.ImageID), nil
	}
	recommended := ssm.LookupParameterOutput(b.ctx, ssm.LookupParameterOutputArgs{
		Name: pulumi.String(b.args.Fleet.ImageParameter(b.args.Cluster.Version)),
	}, b.parent)
	// The function marks all that it returns as secret, because of parameters that
	// are. An AMI's id is public, and a person wants to read it in a preview.
	return pulumi.Unsecret(recommended.InsecureValue()).(pulumi.StringOutput), []pulumi.ResourceOption{pulumi.IgnoreChanges([]string{"imageId"})}
}

func (b *builder) userData() pulumi.StringOutput {
	c := b.args.Cluster
	return pulumi.All(c.Name, c.Endpoint, c.CertificateAuthority, c.ServiceCIDR).ApplyT(func(v []any) (string, error) {
		text, err := userdata.Render(userdata.Node{
			ClusterName: v[0].(string), Endpoint: v[1].(string), CertificateAuthority: v[2].(string), ServiceCIDR: v[3].(string),
			Labels: b.args.Profile.Labels, Taints: b.args.Profile.Taints,
		})
		return base64.StdEncoding.EncodeToString([]byte(text)), err
	}).(pulumi.StringOutput)
}

// instanceTags are those of the instances and their volumes. By the cluster's
// tag, Kubernetes' cloud controller knows the instances as its nodes.
func (b *builder) instanceTags() map[string]string {
	tags := b.args.Profile.InstanceTags(b.args.Environment)
	maps.Copy(tags, b.args.Tags)
	tags["kubernetes.io/cluster/"+b.args.Cluster.ClusterName] = "owned"
	return tags
}
