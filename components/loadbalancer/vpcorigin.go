package loadbalancer

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/loadbalancer/routing"
)

// originGroupName is the name of the security group of CloudFront's network interfaces.
// CloudFront creates the group in each VPC, with the first VPC origin (CloudFront
// Developer Guide, "Restrict access with VPC origins").
const originGroupName = "CloudFront-VPCOrigins-Service-SG"

// newVPCOrigin creates the VPC origin, through which CloudFront reaches the internal load
// balancer. CloudFront creates network interfaces in the load balancer's subnets. The
// creation ends when the interfaces exist.
//
// CloudFront refuses to change a VPC origin that a distribution uses. So a change creates
// a second VPC origin, moves the distribution to it, and then deletes the first. The name
// includes the load balancer's id, so that the two names differ.
func (b *builder) newVPCOrigin(balancer *lb.LoadBalancer) (*cloudfront.VpcOrigin, error) {
	origin, err := cloudfront.NewVpcOrigin(b.ctx, b.name+"-vpc-origin", &cloudfront.VpcOriginArgs{
		VpcOriginEndpointConfig: &cloudfront.VpcOriginVpcOriginEndpointConfigArgs{
			Name: pulumi.Sprintf("%s-%s", routing.BalancerName(b.args.Environment), balancer.ArnSuffix.ApplyT(balancerID).(pulumi.StringOutput)),
			Arn:  balancer.Arn,
			// The API also requires a port for HTTP. With https-only, CloudFront never
			// uses this port.
			HttpPort:             pulumi.Int(80),
			HttpsPort:            pulumi.Int(httpsPort),
			OriginProtocolPolicy: pulumi.String("https-only"),
			OriginSslProtocols: &cloudfront.VpcOriginVpcOriginEndpointConfigOriginSslProtocolsArgs{
				Items: pulumi.ToStringArray([]string{"TLSv1.2"}), Quantity: pulumi.Int(1),
			},
		},
		Tags: b.tags("vpc-origin"),
	}, b.parent, pulumi.ReplaceOnChanges([]string{"vpcOriginEndpointConfig"}))
	if err != nil {
		return nil, fmt.Errorf("VPC origin: %w", err)
	}
	return origin, nil
}

// balancerID returns the id of a load balancer: the last part of an ARN suffix such as
// app/pf-prod/50dc6c495c0c9188.
func balancerID(suffix string) string { return suffix[strings.LastIndex(suffix, "/")+1:] }

// admitCloudFront admits only the network interfaces of CloudFront's VPC origins to the
// load balancer.
//
// The alternative is CloudFront's prefix list. It would admit the distributions of every
// customer, and counts as 55 of the 60 rules of a security group. AWS describes this
// list for the time before the VPC origin exists. Here Pulumi creates the rule after the VPC
// origin, so the group already exists.
//
// The VPC id of the lookup is known only when the VPC origin exists. So the preview of
// the first `up` does not look for a group that does not exist yet.
func (b *builder) admitCloudFront(balancerGroupID pulumi.StringOutput, origin *cloudfront.VpcOrigin) (pulumi.IDOutput, error) {
	group := ec2.LookupSecurityGroupOutput(b.ctx, ec2.LookupSecurityGroupOutputArgs{
		Name:  pulumi.String(originGroupName),
		VpcId: knownAfter(b.args.VPCID, []pulumi.IDOutput{origin.ID()}),
	}, b.parent)
	rule, err := vpc.NewSecurityGroupIngressRule(b.ctx, b.name+"-from-cloudfront", &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId:           balancerGroupID,
		ReferencedSecurityGroupId: group.Id(),
		IpProtocol:                pulumi.String("tcp"),
		FromPort:                  pulumi.Int(httpsPort),
		ToPort:                    pulumi.Int(httpsPort),
		Description:               pulumi.String("CloudFront VPC origins"),
	}, b.parent)
	if err != nil {
		return pulumi.IDOutput{}, fmt.Errorf("rule for CloudFront: %w", err)
	}
	return rule.ID(), nil
}
