package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/cloudmocks"
	"github.com/progressive-framework/platform/infra/config"
)

// loadSmallStack returns a small stack that does not manage its nodes. network is the value of its
// configuration key "network".
func loadSmallStack(t *testing.T, network string) *config.Stack {
	t.Helper()
	stack, err := config.Load("sandbox", map[string]string{
		"aws:region":                         "us-east-1",
		"progressive-framework:environment":  "sandbox",
		"progressive-framework:network":      network,
		"progressive-framework:auth":         `{"issuer":"a","audience":"b","jwksUrl":"https://a.example/jwks"}`,
		"progressive-framework:account":      "123456789012",
		"progressive-framework:cluster":      `{"nodes":"own","admins":["arn:aws:iam::123456789012:role/operators"],"publicAccessCidrs":["198.18.0.0/24"]}`,
		"progressive-framework:postgres":     `{"kind":"inCluster","image":"ecr://debian/postgres:15","memoryMiB":4096}`,
		"progressive-framework:redis":        `{"kind":"none"}`,
		"progressive-framework:mongo":        `{"kind":"none"}`,
		"progressive-framework:storageClass": "sandbox-local",
	})
	require.NoError(t, err)
	return stack
}

const threeZones = `{"cidr":"10.20.0.0/16","zones":["us-east-1a","us-east-1b","us-east-1c"]}`

// In an account where us-east-1a is use1-az3, EKS would refuse a subnet of us-east-1a.
func TestControlPlaneAvoidsTheZoneThatEKSRefuses(t *testing.T) {
	for _, tc := range []struct {
		reason string
		ids    map[string]string
		want   []string
	}{
		{"the first two zones", nil, []string{"private-app-a", "private-app-b"}},
		{"the first zone has no control planes", map[string]string{"us-east-1a": "use1-az3"}, []string{"private-app-b", "private-app-c"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			resources, err := deployOnCloud(&cloudmocks.Cloud{ZoneIDs: tc.ids}, loadSmallStack(t, threeZones))
			require.NoError(t, err)
			for _, r := range resources {
				if r.Type != "aws:eks/cluster:Cluster" {
					continue
				}
				var subnets []string
				for _, id := range r.Inputs["vpcConfig"].ObjectValue()["subnetIds"].ArrayValue() {
					subnets = append(subnets, strings.TrimSuffix(strings.TrimPrefix(id.StringValue(), "progressive-framework-sandbox-"), "-id"))
				}
				require.Equal(t, tc.want, subnets)
			}
		})
	}
}

// The program reports a zone that can't be used before it registers any resource of AWS.
func TestRefusedZoneRegistersNothingAtAWS(t *testing.T) {
	resources, err := deployOnCloud(&cloudmocks.Cloud{ZoneIDs: map[string]string{"us-east-1b": "use1-az3"}},
		loadSmallStack(t, `{"cidr":"10.20.0.0/16","zones":["us-east-1a","us-east-1b"]}`))
	require.ErrorContains(t, err, "network.zones: EKS has control planes in 1 of the zones and needs at least 2: it has none in these zones of this account: us-east-1b is use1-az3")
	for _, r := range resources {
		require.NotRegexp(t, "^aws:", r.Type, r.Name)
	}
}

// The whole program runs in a VPC that exists, and creates nothing of the network. Nodes,
// load balancer and control plane are in its private subnets, the stores in its database
// subnets.
func TestStackInAnExistingVPCCreatesNoNetwork(t *testing.T) {
	quotedIDs := func(prefix, letters string) string {
		var quoted []string
		for _, letter := range letters {
			quoted = append(quoted, `"`+prefix+string(letter)+`"`)
		}
		return "[" + strings.Join(quoted, ",") + "]"
	}
	stack, err := config.Load("prod", map[string]string{
		"aws:region":                        "us-east-1",
		"progressive-framework:environment": "prod",
		"progressive-framework:network": `{"vpcId":"` + cloudmocks.ExistingVPCID + `","privateSubnetIds":` + quotedIDs(cloudmocks.RoutedSubnet, "cba") +
			`,"databaseSubnetIds":` + quotedIDs(cloudmocks.PlainSubnet, "abd") + `}`,
		"progressive-framework:auth":     `{"issuer":"a","audience":"b","jwksUrl":"https://a.example/jwks"}`,
		"progressive-framework:account":  "123456789012",
		"progressive-framework:cluster":  `{"admins":["arn:aws:iam::123456789012:role/operators"],"publicAccessCidrs":["198.18.0.0/24"]}`,
		"progressive-framework:edge":     `{"domain":"example.com","zone":"example.com"}`,
		"progressive-framework:postgres": `{"instanceClass":"db.r7g.xlarge"}`,
		"progressive-framework:redis":    `{"nodeType":"cache.r7g.large"}`,
		"progressive-framework:mongo":    `{"kind":"managed","instanceClass":"db.r6g.large"}`,
	})
	require.NoError(t, err)
	cloud := &cloudmocks.Cloud{Calls: cloudmocks.ExistingVPC("vgw-1"), ZoneIDs: map[string]string{"us-east-1a": "use1-az3"}}
	resources, err := deployOnCloud(cloud, stack)
	require.NoError(t, err)
	created := map[string]int{}
	for _, r := range resources {
		created[r.Type]++
		switch r.Type {
		case "aws:eks/cluster:Cluster":
			subnets := formatProperty(r.Inputs["vpcConfig"].ObjectValue()["subnetIds"])
			require.Contains(t, subnets, cloudmocks.RoutedSubnet+"b")
			require.Contains(t, subnets, cloudmocks.RoutedSubnet+"c")
			require.NotContains(t, subnets, cloudmocks.RoutedSubnet+"a", "EKS has no control planes in use1-az3")
		case "aws:rds/subnetGroup:SubnetGroup":
			require.Contains(t, formatProperty(r.Inputs["subnetIds"]), cloudmocks.PlainSubnet+"d")
		case "aws:lb/loadBalancer:LoadBalancer":
			subnets := formatProperty(r.Inputs["subnets"])
			require.Contains(t, subnets, cloudmocks.RoutedSubnet+"b")
			require.NotContains(t, subnets, cloudmocks.RoutedSubnet+"a", "CloudFront has no VPC origins in use1-az3")
		case "kubernetes:networking.k8s.io/v1:NetworkPolicy":
			if r.Name == stack.Name()+"-migrate-policy" {
				require.Contains(t, formatProperty(r.Inputs["spec"]), cloudmocks.SubnetCIDR(cloudmocks.PlainSubnet+"d"), "a store is in it")
				require.NotContains(t, formatProperty(r.Inputs["spec"]), cloudmocks.SubnetCIDR(cloudmocks.RoutedSubnet+"b"), "no store is in it")
			}
		case "aws:ec2/securityGroup:SecurityGroup":
			require.Equal(t, cloudmocks.ExistingVPCID, r.Inputs["vpcId"].StringValue())
		}
	}
	for _, kind := range []string{
		"vpc:Vpc", "subnet:Subnet", "routeTable:RouteTable", "route:Route", "natGateway:NatGateway", "eip:Eip", "internetGateway:InternetGateway",
		"egressOnlyInternetGateway:EgressOnlyInternetGateway", "vpcEndpoint:VpcEndpoint", "networkAcl:NetworkAcl", "flowLog:FlowLog",
		"defaultSecurityGroup:DefaultSecurityGroup",
	} {
		require.Zero(t, created["aws:ec2/"+kind], kind)
	}
	require.Equal(t, 1, created["aws:eks/cluster:Cluster"])
	require.Positive(t, created["aws:ec2/securityGroup:SecurityGroup"])
}
