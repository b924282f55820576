package cloudmocks

import (
	"fmt"
	"strings"
)

// ExistingVPCID is the ID of a VPC that no program creates.
const ExistingVPCID = "vpc-0123456789abcdef0"

// existingCIDR is the IPv4 CIDR block of the VPC ExistingVPCID.
const existingCIDR = "10.20.0.0/16"

// RoutedSubnet and PlainSubnet are prefixes of the ids of subnets of ExistingVPCID. The
// last letter of an id is the letter of the subnet's zone. A routed subnet has its own
// route table with a NAT gateway. A plain subnet uses the main route table.
const (
	RoutedSubnet = "subnet-1000000000000000"
	PlainSubnet  = "subnet-0000000000000000"
)

// SubnetCIDR returns the IPv4 CIDR block of a RoutedSubnet or a PlainSubnet.
func SubnetCIDR(id string) string {
	thirdOctet := id[len(id)-1] - 'a'
	if strings.HasPrefix(id, RoutedSubnet) {
		thirdOctet += 100
	}
	return fmt.Sprintf("10.20.%d.0/24", thirdOctet)
}

// ExistingVPC returns functions for Cloud.Calls. They return the results of lookups of
// the VPC ExistingVPCID, its subnets and its route tables. mainGatewayID is the gateway of the
// default route in the main route table.
func ExistingVPC(mainGatewayID string) map[string]func(args map[string]any) map[string]any {
	return map[string]func(map[string]any) map[string]any{
		"aws:ec2/getVpc:getVpc": func(args map[string]any) map[string]any {
			return object{"id": args["id"], "enableDnsSupport": true, "enableDnsHostnames": true, "cidrBlock": existingCIDR, "mainRouteTableId": "rtb-main"}
		},
		"aws:ec2/getSubnet:getSubnet": func(args map[string]any) map[string]any {
			id, _ := args["id"].(string)
			return object{"id": id, "vpcId": ExistingVPCID, "availabilityZone": Region + id[len(id)-1:], "cidrBlock": SubnetCIDR(id), "availableIpAddressCount": 4000}
		},
		"aws:ec2/getRouteTables:getRouteTables": func(args map[string]any) map[string]any {
			filters, _ := args["filters"].([]any)
			filter, _ := filters[0].(map[string]any)
			values, _ := filter["values"].([]any)
			if id, _ := values[0].(string); strings.HasPrefix(id, RoutedSubnet) {
				return object{"ids": []any{"rtb-routed"}}
			}
			return object{"ids": []any{}}
		},
		"aws:ec2/getRouteTable:getRouteTable": func(args map[string]any) map[string]any {
			if args["routeTableId"] == "rtb-routed" {
				return object{"routes": []any{
					object{"cidrBlock": "10.9.0.0/16", "gatewayId": "vgw-1"}, object{"cidrBlock": "0.0.0.0/0", "natGatewayId": "nat-1"},
				}}
			}
			return object{"routes": []any{object{"cidrBlock": "0.0.0.0/0", "gatewayId": mainGatewayID}}}
		},
		"aws:ec2/getInternetGateway:getInternetGateway": func(map[string]any) map[string]any { return object{"id": "igw-1"} },
	}
}
