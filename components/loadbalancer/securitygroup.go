package loadbalancer

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/loadbalancer/routing"
)

// httpsPort is the load balancer's only port.
const httpsPort = 443

// newSecurityGroup creates the load balancer's security group, with the rules to the node
// ports. admitCloudFront adds the ingress rule later, when CloudFront's group exists.
func (b *builder) newSecurityGroup() (pulumi.StringOutput, error) {
	group, err := ec2.NewSecurityGroup(b.ctx, b.name+"-alb", &ec2.SecurityGroupArgs{
		VpcId:       b.args.VPCID.ToStringOutput(),
		Description: pulumi.String("Load balancer behind CloudFront"),
		Tags:        b.tags("alb"),
	}, b.parent)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("security group of the load balancer: %w", err)
	}
	balancerGroupID := group.ID().ToStringOutput()
	for _, port := range routing.Ports(b.args.Targets) {
		// The egress rule of the load balancer, and the ingress rule of the nodes.
		if _, err := vpc.NewSecurityGroupEgressRule(b.ctx, fmt.Sprintf("%s-to-%d", b.name, port), &vpc.SecurityGroupEgressRuleArgs{
			SecurityGroupId:           balancerGroupID,
			ReferencedSecurityGroupId: b.args.NodeSecurityGroupID.ToStringOutput(),
			IpProtocol:                pulumi.String("tcp"),
			FromPort:                  pulumi.Int(port),
			ToPort:                    pulumi.Int(port),
			Description:               pulumi.Sprintf("to node port %d", port),
		}, b.parent); err != nil {
			return pulumi.StringOutput{}, fmt.Errorf("rule to node port %d: %w", port, err)
		}
		if _, err := vpc.NewSecurityGroupIngressRule(b.ctx, fmt.Sprintf("%s-at-%d", b.name, port), &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId:           b.args.NodeSecurityGroupID,
			ReferencedSecurityGroupId: balancerGroupID,
			IpProtocol:                pulumi.String("tcp"),
			FromPort:                  pulumi.Int(port),
			ToPort:                    pulumi.Int(port),
			Description:               pulumi.Sprintf("load balancer to node port %d", port),
		}, b.parent); err != nil {
			return pulumi.StringOutput{}, fmt.Errorf("rule at the nodes for port %d: %w", port, err)
		}
	}
	return balancerGroupID, nil
}
