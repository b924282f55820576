// Package network owns the VPC: its subnets in three tiers and all zones of the stack,
// their routes, the VPC endpoints of AWS's services, and the flow logs. It can also read
// an existing VPC instead. It does not depend on what runs in the subnets. Package subnet
// computes the CIDR blocks. Package acl computes the rules of the data tier's network ACL.
// Package existingvpc checks an existing VPC.
package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/network/access"
	"github.com/progressive-framework/platform/components/network/subnet"
)

// Args configure a Network.
type Args struct {
	// Account is the account and region of the VPC. All zones are in that region.
	Account *account.Account
	// Block is the IPv4 CIDR block of the VPC, /16 to /20. AWS assigns the IPv6 block.
	Block netip.Prefix
	// Zones are two to six availability zones of the region.
	Zones []string
	// NAT is the layout of the NAT gateways. Empty means one in every zone.
	NAT subnet.NATLayout
	// Endpoints is the layout of the interface endpoints. Empty means every endpoint in
	// every zone.
	Endpoints subnet.EndpointLayout
	// NATZone is the zone of NATSingle, and EndpointZone the zone of EndpointsSingle. Empty means
	// the first of Zones by name. Package infra sets both to the zones that the stack has recorded.
	// So a change of Zones does not move a gateway or an endpoint.
	NATZone, EndpointZone string
	// Operators are the networks from which the stack is deployed and operated. They
	// may use the interface endpoints, and are admitted before the endpoints exist.
	Operators []access.Source
	// LogKeyARN is the KMS key of the flow logs. The key's policy must allow CloudWatch Logs to use
	// the key (key.Logs).
	LogKeyARN pulumi.StringInput
	// FlowLogDays is the number of days for which flow logs are kept. Zero means 30.
	FlowLogDays int
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Account == nil:
		return errors.New("network: Account must not be nil")
	case a.LogKeyARN == nil:
		return errors.New("network: LogKeyARN must not be nil, because flow logs are encrypted")
	case a.NAT != "" && !slices.Contains(a.NAT.Values(), string(a.NAT)):
		return fmt.Errorf("network: NAT layout %q: must be one of %q", a.NAT, a.NAT.Values())
	case a.Endpoints != "" && !slices.Contains(a.Endpoints.Values(), string(a.Endpoints)):
		return fmt.Errorf("network: endpoint layout %q: must be one of %q", a.Endpoints, a.Endpoints.Values())
	case a.NATZone != "" && !slices.Contains(a.Zones, a.NATZone):
		return fmt.Errorf("network: NATZone %q: must be one of %q", a.NATZone, a.Zones)
	case a.EndpointZone != "" && !slices.Contains(a.Zones, a.EndpointZone):
		return fmt.Errorf("network: EndpointZone %q: must be one of %q", a.EndpointZone, a.Zones)
	case a.FlowLogDays < 0:
		return fmt.Errorf("network: FlowLogDays is %d; must not be below 0", a.FlowLogDays)
	}
	if err := access.Check(a.Operators); err != nil {
		return fmt.Errorf("network: Operators: %w", err)
	}
	return nil
}

// componentType is the type of a Network.
const componentType = "progressive:network:Network"

// Network is the VPC with its subnets.
type Network struct {
	pulumi.ResourceState

	VPCID pulumi.IDOutput
	// Zones are the zones of the private-app subnets, in their order.
	Zones []string
	// SubnetIDs are the subnets of each tier. In a created VPC they are in the order of
	// Args.Zones. For an existing VPC the tier Public is missing, because the platform
	// uses no public subnets there.
	SubnetIDs map[subnet.Tier]pulumi.StringArray
	// Blocks are the IPv4 CIDR blocks of the subnets in SubnetIDs, in the same order.
	Blocks map[subnet.Tier][]string
	// Ready are the routes and the endpoints. A resource with instances that need the
	// network must depend on Ready, and not on the Network. The SDK adds children to a
	// component asynchronously. So a dependency on the component can miss some of them.
	Ready []pulumi.Resource

	// builder is nil for an existing VPC.
	builder *builder
}

// NewNetwork creates the VPC, an internet gateway, a subnet for each tier in each
// zone, and their route tables. Public subnets use the internet gateway. Private-app
// subnets use NAT and, for IPv6, an egress-only gateway. Private-data subnets have no
// route out of the VPC. The default security group has no rules, so that a resource
// without its own security group is not reachable.
func NewNetwork(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Network, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	subnets, err := subnet.Subnets(args.Block, args.Account.Region, args.Zones)
	if err != nil {
		return nil, fmt.Errorf("network %s: %w", name, err)
	}
	n := &Network{SubnetIDs: map[subnet.Tier]pulumi.StringArray{}, Zones: args.Zones, Blocks: map[subnet.Tier][]string{}}
	if err := ctx.RegisterComponentResource(componentType, name, n, opts...); err != nil {
		return nil, fmt.Errorf("network %s: %w", name, err)
	}
	b := &builder{ctx: ctx, name: name, parent: pulumi.Parent(n), args: args}
	n.builder = b

	if b.vpc, err = ec2.NewVpc(ctx, name+"-vpc", &ec2.VpcArgs{
		CidrBlock:                    pulumi.String(args.Block.String()),
		AssignGeneratedIpv6CidrBlock: pulumi.Bool(true),
		EnableDnsSupport:             pulumi.Bool(true),
		EnableDnsHostnames:           pulumi.Bool(true), // EKS and interface endpoints need names
		Tags:                         b.tags("vpc"),
	}, b.parent); err != nil {
		return nil, fmt.Errorf("VPC: %w", err)
	}
	if _, err := ec2.NewDefaultSecurityGroup(ctx, name+"-default-sg", &ec2.DefaultSecurityGroupArgs{
		VpcId: b.vpc.ID(), Tags: b.tags("default-emptied"),
	}, b.parent); err != nil {
		return nil, fmt.Errorf("default security group: %w", err)
	}
	if err := b.createSubnets(subnets, n.SubnetIDs); err != nil {
		return nil, err
	}
	for _, s := range subnets {
		n.Blocks[s.Tier] = append(n.Blocks[s.Tier], s.Block.String())
	}
	if err := b.createRoutes(); err != nil {
		return nil, err
	}
	if err := b.createACL(subnets, n.SubnetIDs[subnet.PrivateData]); err != nil {
		return nil, err
	}
	if err := b.createEndpoints(n.SubnetIDs[subnet.PrivateApp]); err != nil {
		return nil, err
	}
	if err := b.createFlowLogs(); err != nil {
		return nil, err
	}

	n.VPCID, n.Ready = b.vpc.ID(), b.ready
	return n, ctx.RegisterResourceOutputs(n, n.outputs())
}

// outputs returns the outputs of the component: the ids of the VPC and of the subnets.
func (n *Network) outputs() pulumi.Map {
	outputs := pulumi.Map{"vpcId": n.VPCID}
	for tier, ids := range n.SubnetIDs {
		outputs[string(tier)+"SubnetIds"] = ids
	}
	return outputs
}
