package network

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/network/acl"
	"github.com/progressive-framework/platform/components/network/subnet"
)

// tcp is the protocol number of TCP. AWS returns only numbers, so the name "tcp" would
// show as drift.
const tcp = "6"

// createACL creates the network ACL of the private-data subnets. dataSubnetIDs are the ids of
// these subnets. The rules are inline and not separate resources. So the next `pulumi up` removes a
// rule that somebody added by hand.
func (b *builder) createACL(planned []subnet.Subnet, dataSubnetIDs pulumi.StringArray) error {
	rules := b.vpc.Ipv6CidrBlock.ApplyT(func(assignedBlock string) (acl.Rules, error) {
		ipv6, err := parseIPv6(assignedBlock)
		if err != nil {
			return acl.Rules{}, err
		}
		return acl.DataRules(planned, ipv6)
	})
	ingress := rules.ApplyT(func(r any) (entries []ec2.NetworkAclIngress) {
		for _, rule := range r.(acl.Rules).Ingress {
			v4, v6 := blockProperties(rule.Block)
			entries = append(entries, ec2.NetworkAclIngress{
				RuleNo: rule.Number, Action: "allow", Protocol: tcp,
				CidrBlock: v4, Ipv6CidrBlock: v6, FromPort: rule.From, ToPort: rule.To,
			})
		}
		return entries
	}).(ec2.NetworkAclIngressArrayOutput)
	egress := rules.ApplyT(func(r any) (entries []ec2.NetworkAclEgress) {
		for _, rule := range r.(acl.Rules).Egress {
			v4, v6 := blockProperties(rule.Block)
			entries = append(entries, ec2.NetworkAclEgress{
				RuleNo: rule.Number, Action: "allow", Protocol: tcp,
				CidrBlock: v4, Ipv6CidrBlock: v6, FromPort: rule.From, ToPort: rule.To,
			})
		}
		return entries
	}).(ec2.NetworkAclEgressArrayOutput)
	if _, err := ec2.NewNetworkAcl(b.ctx, b.name+"-private-data-acl", &ec2.NetworkAclArgs{
		VpcId:     b.vpc.ID(),
		SubnetIds: dataSubnetIDs,
		Ingress:   ingress,
		Egress:    egress,
		Tags:      b.tags("private-data"),
	}, b.parent); err != nil {
		return fmt.Errorf("network ACL of the data tier: %w", err)
	}
	return nil
}

// blockProperties returns the values of a rule's properties for an IPv4 block and for an IPv6
// block. One of them is the block, and the other is nil.
func blockProperties(block netip.Prefix) (v4, v6 *string) {
	s := block.String()
	if block.Addr().Is4() {
		return &s, nil
	}
	return nil, &s
}
