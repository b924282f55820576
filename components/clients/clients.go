// Package clients owns the security group of a data store. Its rules name the
// security groups of the store's clients, and no addresses.
package clients

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Client is a client of a data store.
type Client struct {
	// Name is unique among a store's clients.
	Name string
	// SecurityGroupID is the security group of the client's network interfaces.
	SecurityGroupID pulumi.StringInput
}

// GroupArgs configure the security group of a store.
type GroupArgs struct {
	// VPCID is the VPC of the store.
	VPCID pulumi.StringInput
	// Description describes the store.
	Description string
	// Port is the port of the store.
	Port int
	// Clients are all clients that may connect.
	Clients []Client
}

func (a *GroupArgs) validate() error {
	if a.VPCID == nil || a.Port == 0 || a.Description == "" {
		return errors.New("VPCID, Port and Description must be set")
	}
	if len(a.Clients) == 0 {
		return errors.New("Clients is empty: nobody could reach the store")
	}
	seen := map[string]bool{}
	for _, c := range a.Clients {
		if c.Name == "" || c.SecurityGroupID == nil {
			return fmt.Errorf("client %q: Name and SecurityGroupID must be set", c.Name)
		}
		if seen[c.Name] {
			return fmt.Errorf("client %q is listed twice", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

// NewGroup creates a security group that admits the clients on one port and allows
// no outgoing connection. It returns the id of the group.
func NewGroup(ctx *pulumi.Context, name string, args *GroupArgs, opts ...pulumi.ResourceOption) (pulumi.StringOutput, error) {
	if err := args.validate(); err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("security group of %s: %w", name, err)
	}
	group, err := ec2.NewSecurityGroup(ctx, name+"-sg", &ec2.SecurityGroupArgs{
		VpcId:       args.VPCID.ToStringOutput(),
		Description: pulumi.String(args.Description),
		Tags:        pulumi.StringMap{"Name": pulumi.String(name)},
	}, opts...)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("security group of %s: %w", name, err)
	}
	for _, c := range args.Clients {
		if _, err := vpc.NewSecurityGroupIngressRule(ctx, name+"-from-"+c.Name, &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId:           group.ID(),
			ReferencedSecurityGroupId: c.SecurityGroupID.ToStringOutput(),
			IpProtocol:                pulumi.String("tcp"),
			FromPort:                  pulumi.Int(args.Port),
			ToPort:                    pulumi.Int(args.Port),
			Description:               pulumi.String("from " + c.Name),
		}, opts...); err != nil {
			return pulumi.StringOutput{}, fmt.Errorf("rule of %s for %s: %w", name, c.Name, err)
		}
	}
	return group.ID().ToStringOutput(), nil
}
