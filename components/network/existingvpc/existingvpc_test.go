package existingvpc

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// usableVPC returns a VPC with private and database subnets in two zones.
func usableVPC() VPC {
	return VPC{
		ID: "vpc-1", DNSSupport: true, DNSHostnames: true,
		Private: []Subnet{
			{ID: "subnet-a", VPCID: "vpc-1", Zone: "us-east-1a", FreeAddresses: 4000, DefaultRoute: "nat-1"},
			{ID: "subnet-b", VPCID: "vpc-1", Zone: "us-east-1b", FreeAddresses: 4000, DefaultRoute: "tgw-1"},
		},
		Database: []Subnet{
			{ID: "subnet-c", VPCID: "vpc-1", Zone: "us-east-1a", FreeAddresses: 100},
			{ID: "subnet-d", VPCID: "vpc-1", Zone: "us-east-1c", FreeAddresses: 100},
		},
	}
}

func TestCheckReturnsWhyTheVPCIsNotUsable(t *testing.T) {
	needs := Needs{Private: 1000, Database: 10}
	for _, tc := range []struct {
		reason string
		change func(*VPC)
		want   string // empty: accepted
	}{
		{"private and database subnets", func(*VPC) {}, ""},
		{"the stores are in the private subnets", func(v *VPC) { v.Database = v.Private }, ""},
		{"a VPC without DNS host names", func(v *VPC) { v.DNSHostnames = false },
			"vpc-1: EKS needs the attributes enableDnsSupport and enableDnsHostnames; set both with `aws ec2 modify-vpc-attribute`"},
		{"a subnet of another VPC", func(v *VPC) { v.Private[1].VPCID = "vpc-2" }, "private subnet subnet-b is in vpc-2, not in vpc-1; name subnets of one VPC"},
		{"two subnets in a zone", func(v *VPC) { v.Database[1].Zone = "us-east-1a" },
			"database subnets subnet-c and subnet-d are both in us-east-1a; name one of each zone\n" +
				"database subnets are in 1 zones; must be in at least 2"},
		{"a public subnet", func(v *VPC) { v.Private[0].DefaultRoute = "igw-1" },
			"private subnet subnet-a is public: its default route is the internet gateway igw-1, and nothing of the platform has a public address; name a private subnet"},
		{"a public database subnet", func(v *VPC) { v.Database[0].DefaultRoute = "igw-1" },
			"database subnet subnet-c is public: its default route is the internet gateway igw-1, and nothing of the platform has a public address; name a private subnet"},
		{"a private subnet without a default route", func(v *VPC) { v.Private[0].DefaultRoute = "" },
			"private subnet subnet-a has no route to 0.0.0.0/0, and nodes pull images from the internet; add a route to a NAT gateway or a transit gateway"},
		{"too few addresses", func(v *VPC) { v.Private[0].FreeAddresses = 999 },
			"subnet subnet-a has 999 free addresses, and the stack needs up to 1000; name a larger subnet, more zones, or lower tiers.NAME.max"},
		{"too few addresses for stores and nodes in the same subnet", func(v *VPC) { v.Database = v.Private; v.Private[1].FreeAddresses = 1005 },
			"subnet subnet-b has 1005 free addresses, and the stack needs up to 1010; name a larger subnet, more zones, or lower tiers.NAME.max"},
		{"too few addresses for stores", func(v *VPC) { v.Database[1].FreeAddresses = 9 },
			"subnet subnet-d has 9 free addresses, and the stack needs up to 10; name a larger subnet, more zones, or lower tiers.NAME.max"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			v := usableVPC()
			tc.change(&v)
			err := v.Check(needs)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tc.want)
		})
	}
}

// Needs is zero for an existing stack, because its addresses are already in use.
func TestAddressesOfAnExistingStackAreNotChecked(t *testing.T) {
	v := usableVPC()
	v.Private[0].FreeAddresses = 0
	require.NoError(t, v.Check(Needs{}))
}
