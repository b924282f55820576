package loadbalancer

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/loadbalancer/routing"
)

// originFacing are the addresses from which CloudFront speaks to origins, kept
// by AWS (CloudFront Developer Guide, "Locations and IP address ranges of
// CloudFront edge servers"). CloudFront reaches an origin over IPv4 unless it
// is told otherwise.
const originFacing = "com.amazonaws.global.cloudfront.origin-facing"

// doors are the load balancer's security groups. A rule with the prefix list
// counts as 55 of the 60 rules that a group may have, so that each port has a
// group of its own.
type doors struct{ https, http pulumi.StringOutput }

func (b *builder) securityGroups() (doors, error) {
	list := ec2.LookupManagedPrefixListOutput(b.ctx, ec2.LookupManagedPrefixListOutputArgs{
		Name: pulumi.String(originFacing),
	}, b.parent)
	https, err := b.door("https", 443, list.Id())
	if err != nil {
		return doors{}, err
	}
	http, err := b.door("http", 80, list.Id())
	if err != nil {
		return doors{}, err
	}
	for _, port := range routing.Ports(b.args.Targets) {
		// To the nodes, and in at the nodes: on this port, from this group.
		if _, err := vpc.NewSecurityGroupEgressRule(b.ctx, fmt.Sprintf("%s-to-%d", b.name, port), &vpc.SecurityGroupEgressRuleArgs{
			SecurityGroupId:           https,
			ReferencedSecurityGroupId: b.args.NodeSecurityGroupID.ToStringOutput(),
			IpProtocol:                pulumi.String("tcp"),
			FromPort:                  pulumi.Int(port),
			ToPort:                    pulumi.Int(port),
			Description:               pulumi.Sprintf("to node port %d", port),
		}, b.parent); err != nil {
			return doors{}, fmt.Errorf("rule to node port %d: %w", port, err)
		}
		if _, err := vpc.NewSecurityGroupIngressRule(b.ctx, fmt.Sprintf("%s-at-%d", b.name, port), &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId:           b.args.NodeSecurityGroupID,
			ReferencedSecurityGroupId: https,
			IpProtocol:                pulumi.String("tcp"),
			FromPort:                  pulumi.Int(port),
			ToPort:                    pulumi.Int(port),
			Description:               pulumi.Sprintf("load balancer to node port %d", port),
		}, b.parent); err != nil {
			return doors{}, fmt.Errorf("rule at the nodes for port %d: %w", port, err)
		}
	}
	return doors{https, http}, nil
}

// door is a security group that lets CloudFront in on one port, and nobody out.
func (b *builder) door(part string, port int, list pulumi.StringOutput) (pulumi.StringOutput, error) {
	group, err := ec2.NewSecurityGroup(b.ctx, b.name+"-alb-"+part, &ec2.SecurityGroupArgs{
		VpcId:       b.args.VPCID.ToStringOutput(),
		Description: pulumi.Sprintf("CloudFront to the load balancer, port %d", port),
		Tags:        b.tags("alb-" + part),
	}, b.parent)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("security group of port %d: %w", port, err)
	}
	if _, err := vpc.NewSecurityGroupIngressRule(b.ctx, b.name+"-from-cloudfront-"+part, &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: group.ID(),
		PrefixListId:    list,
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(port),
		ToPort:          pulumi.Int(port),
		Description:     pulumi.String("CloudFront"),
	}, b.parent); err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("rule for CloudFront, port %d: %w", port, err)
	}
	return group.ID().ToStringOutput(), nil
}
