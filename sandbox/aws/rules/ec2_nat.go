package rules

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

var toElasticIP = &Ref{
	To: []string{"aws:ec2/eip:Eip"}, By: []string{"id"}, Noun: "allocation ID",
	Missing: "InvalidAllocationID.NotFound", InUseCode: "InvalidIPAddress.InUse",
}

var _ = registerRows(
	&Row{
		Token:  "aws:ec2/eip:Eip",
		Source: "ec2/ec2_eip.go", Page: "AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html",
		Label: "EC2 EIP", ID: "eipalloc-{hex17}", NotFound: "InvalidAllocationID.NotFound",
		Props: Props{
			"domain":                {Replace: true, Computed: true, Enum: []string{"vpc"}},
			"vpc":                   {Replace: true, Computed: true, Refuse: `deprecated; use domain: "vpc"`},
			"networkBorderGroup":    {Replace: true, Computed: true, Refuse: "Local Zones are not supported"},
			"address":               {Replace: true, Refuse: noIPAM},
			"publicIpv4Pool":        {Replace: true, Computed: true, Refuse: noIPAM},
			"ipamPoolId":            {Replace: true, Computed: true, Refuse: noIPAM},
			"customerOwnedIpv4Pool": {Refuse: "Outposts are not supported"},
			"instance":              {Computed: true, Refuse: "EC2 instances are not supported"},
			"networkInterface":      {Computed: true, Refuse: "network interfaces are not supported"},
			"associateWithPrivateIp": {
				Refuse: "network interfaces are not supported",
			},
		},
		Outputs: map[string]string{
			"arn":                "arn:{partition}:ec2:{region}:{account}:elastic-ip/{id}",
			"allocationId":       "{id}",
			"networkBorderGroup": "{region}",
			"publicIpv4Pool":     "amazon",
			"domain":             "vpc",
		},
		Fill:    fillElasticIP,
		Refresh: refreshElasticIP,
	},
	&Row{
		Token:  natType,
		Source: "ec2/vpc_nat_gateway.go", Page: "vpc/latest/userguide/nat-gateway-basics.html",
		Label: "EC2 NAT Gateway", ID: "nat-{hex17}", NotFound: "NatGatewayNotFound",
		Props: Props{
			"allocationId":                   {Replace: true, Ref: toElasticIP},
			"connectivityType":               {Replace: true, Default: "public"},
			"subnetId":                       {Replace: true, Ref: toSubnet},
			"privateIp":                      {Replace: true, Computed: true},
			"secondaryAllocationIds":         {Set: true, Refuse: "secondary addresses are not supported yet"},
			"secondaryPrivateIpAddresses":    {Set: true, Computed: true, Refuse: "secondary addresses are not supported yet"},
			"secondaryPrivateIpAddressCount": {Computed: true, Refuse: "secondary addresses are not supported yet"},
		},
		Check: func(in Object, fail Fail) {
			private := in.String("connectivityType") == "private"
			public := !private && (in.Known("connectivityType") || !in.Has("connectivityType"))
			if private && in.Has("allocationId") {
				fail("allocationId", `is not supported with connectivityType "private"`)
			}
			if public && !in.Has("allocationId") {
				fail("allocationId", "a public NAT gateway needs the allocation of an Elastic IP")
			}
		},
		Unique: []Unique{{
			Props: []string{"allocationId"}, Code: "Resource.AlreadyAssociated",
			Message: "Elastic IP address [{allocationId}] is already associated",
		}},
		Verify: verifyNAT,
		Fill:   fillNAT,
	},
)

// fillElasticIP chooses the public address and DNS name of a new Elastic IP.
func fillElasticIP(c *Call) error {
	if c.Old != nil {
		return nil
	}
	// RFC 5737 reserves these networks for documentation. Each has 254 addresses for hosts, from
	// .1 to .254.
	networks := []string{"198.51.100", "203.0.113"}
	n, err := randomBelow(int64(len(networks) * 254))
	if err != nil {
		return err
	}
	address := fmt.Sprintf("%s.%d", networks[n/254], 1+n%254)
	c.Out["publicIp"] = address
	host := "ec2-" + strings.ReplaceAll(address, ".", "-")
	if c.Region == "us-east-1" {
		c.Out["publicDns"] = host + ".compute-1.amazonaws.com"
	} else {
		c.Out["publicDns"] = host + "." + c.Region + ".compute.amazonaws.com"
	}
	return nil
}

// refreshElasticIP sets the association of an Elastic IP with the NAT gateway that uses it.
func refreshElasticIP(c *Call) error {
	for _, name := range []string{"associationId", "privateIp", "networkInterface"} {
		delete(c.Out, name)
	}
	c.Tx.Each(c.scope(c.Row), natType, func(o store.Object) bool {
		nat := Object(o.State)
		if nat.String("allocationId") != c.ID {
			return true
		}
		c.Out["associationId"] = nat["associationId"]
		c.Out["privateIp"] = nat["privateIp"]
		c.Out["networkInterface"] = nat["networkInterfaceId"]
		return false
	})
	return nil
}

// verifyNAT returns an error for a private address outside of the subnet. It also returns an
// error for a public NAT gateway in a VPC without an internet gateway.
func verifyNAT(c *Call) error {
	subnet, _ := c.referencedObject("subnetId")
	vpcID := Object(subnet.State).String("vpcId")
	if ip := c.In.String("privateIp"); ip != "" {
		block := Object(subnet.State).String("cidrBlock")
		if _, err := netip.ParseAddr(ip); err != nil || !inside(ip+"/32", block) {
			return refuse("InvalidParameterValue", "Address %s does not fall within the subnet's address range %s", ip, block)
		}
	}
	if c.In.String("connectivityType") != "public" || c.Old != nil {
		return nil
	}
	if !c.hasInternetGateway(vpcID) {
		return refuse("Gateway.NotAttached", "Network %s has no Internet gateway attached; let the NAT gateway depend on it", vpcID)
	}
	return nil
}

// fillNAT computes the ids and the addresses of a new NAT gateway.
func fillNAT(c *Call) error {
	if c.Old != nil {
		return nil
	}
	for name, template := range map[string]string{"networkInterfaceId": "eni-{hex17}", "associationId": "eipassoc-{hex17}"} {
		value, err := c.expand(template)
		if err != nil {
			return err
		}
		c.Out[name] = value
	}
	if !c.Out.Has("privateIp") {
		subnet, _ := c.referencedObject("subnetId")
		block, err := netip.ParsePrefix(Object(subnet.State).String("cidrBlock"))
		if err != nil {
			return err
		}
		// AWS reserves the first four addresses and the last address of a subnet. The
		// smallest subnet, /28, has 11 other addresses. The code chooses one of the first 10, so
		// the address exists in every subnet.
		address := block.Addr().Next().Next().Next()
		offset, err := randomBelow(10)
		if err != nil {
			return err
		}
		for range 1 + offset {
			address = address.Next()
		}
		c.Out["privateIp"] = address.String()
	}
	if address, ok := c.referencedObject("allocationId"); ok {
		c.Out["publicIp"] = address.State["publicIp"]
	} else {
		delete(c.Out, "associationId") // a private NAT gateway has no Elastic IP
	}
	return nil
}
