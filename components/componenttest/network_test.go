package componenttest

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/network/access"
	"github.com/progressive-framework/platform/components/network/subnet"
)

func networkArgs(stackAccount *account.Account) *network.Args {
	return &network.Args{
		Account: stackAccount, Block: netip.MustParsePrefix("10.10.0.0/16"), Zones: []string{"us-east-1a", "us-east-1b", "us-east-1c"},
		LogKeyARN: pulumi.String("arn:key"),
	}
}

func newNetwork(change func(*network.Args)) program {
	return func(ctx *pulumi.Context, stackAccount *account.Account) error {
		args := networkArgs(stackAccount)
		change(args)
		n, err := network.NewNetwork(ctx, "app", args)
		if err != nil {
			return err
		}
		return n.AllowEndpointAccess("nodes", pulumi.String("sg-nodes"))
	}
}

// Types of resources.
const (
	ec2Subnet = "aws:ec2/subnet:Subnet"
	ec2Route  = "aws:ec2/route:Route"
	endpoint  = "aws:ec2/vpcEndpoint:VpcEndpoint"
)

func TestSubnetsAreInThreeTiersOfEveryZone(t *testing.T) {
	d := deploy(t, newNetwork(func(*network.Args) {}))
	require.Len(t, d.ofType(ec2Subnet), 9)
	for _, s := range d.ofType(ec2Subnet) {
		s.requireInputs(t, map[string]any{"mapPublicIpOnLaunch": false, "vpcId": "app-vpc-id"})
		require.NotNil(t, s.input("ipv6CidrBlock"))
	}
	d.find(t, ec2Subnet, "app-private-app-a").requireInputs(t, map[string]any{
		"cidrBlock": "10.10.0.0/20", "availabilityZone": "us-east-1a",
		`tags["Tier"]`: "private-app", `tags["kubernetes.io/role/internal-elb"]`: "1",
	})
	d.find(t, ec2Subnet, "app-public-a").requireInputs(t, map[string]any{`tags["kubernetes.io/role/elb"]`: "1"})
}

// The data tier has no route out of the VPC. The application tier has routes only for outgoing
// connections, through the NAT gateway of its zone.
func TestDataTierHasNoRouteOutOfTheVPC(t *testing.T) {
	d := deploy(t, newNetwork(func(*network.Args) {}))
	for _, route := range d.ofType(ec2Route) {
		require.NotContains(t, route.input("routeTableId"), "private-data", route.Name)
	}
	d.find(t, ec2Route, "app-private-app-b-out").requireInputs(t, map[string]any{"natGatewayId": "app-nat-b-id", "gatewayId": nil})
	d.find(t, ec2Route, "app-private-app-b-out6").requireInputs(t, map[string]any{"egressOnlyGatewayId": "app-eigw-id", "gatewayId": nil})
	d.find(t, ec2Route, "app-public-b-out").requireInputs(t, map[string]any{"gatewayId": "app-igw-id"})
	d.find(t, "aws:ec2/networkAcl:NetworkAcl")
}

func TestLayoutDecidesTheNumberOfGatewaysAndEndpoints(t *testing.T) {
	for _, tc := range []struct {
		reason          string
		change          func(*network.Args)
		nats, endpoints int
		zones           int // the number of zones of each interface endpoint
	}{
		{"a NAT gateway and endpoints in every zone by default", func(*network.Args) {}, 3, 9, 3},
		{"one NAT gateway and endpoints in the first zone by name", func(a *network.Args) {
			a.NAT, a.Endpoints, a.Zones = subnet.NATSingle, subnet.EndpointsSingle, []string{"us-east-1c", "us-east-1b"}
		}, 1, 9, 1},
		{"no endpoint except S3's", func(a *network.Args) { a.Endpoints = subnet.EndpointsNone }, 3, 1, 0},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			d := deploy(t, newNetwork(tc.change))
			require.Len(t, d.ofType("aws:ec2/natGateway:NatGateway"), tc.nats)
			require.Len(t, d.ofType(endpoint), tc.endpoints)
			for _, e := range d.ofType(endpoint) {
				if e.input("vpcEndpointType") == "Interface" {
					require.Len(t, e.input("subnetIds"), tc.zones, e.Name)
					e.requireInputs(t, map[string]any{"privateDnsEnabled": true, "securityGroupIds": []any{"app-endpoints-id"}})
				}
			}
			admitted := d.names("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
			if tc.zones == 0 {
				require.Empty(t, admitted, "without endpoints there is no rule")
			} else {
				require.Equal(t, []string{"app-endpoints-from-nodes"}, admitted)
			}
		})
	}
}

// With private DNS the name of an AWS service resolves to the endpoint in the whole VPC. So
// operators in the VPC must be admitted before the endpoint exists.
func TestOperatorsAreAdmittedBeforeTheEndpointsExist(t *testing.T) {
	setOperators := func(a *network.Args) {
		a.Operators = access.Sources([]string{"10.10.0.0/20"}, []string{"sg-0123456789abcdef0"})
	}
	d := deploy(t, newNetwork(setOperators))
	const rule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	cidrRule := d.find(t, rule, "app-endpoints-from-10-10-0-0-20")
	cidrRule.requireInputs(t, map[string]any{"securityGroupId": "app-endpoints-id", "cidrIpv4": "10.10.0.0/20", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443})
	groupRule := d.find(t, rule, "app-endpoints-from-sg-0123456789abcdef0")
	groupRule.requireInputs(t, map[string]any{"referencedSecurityGroupId": "sg-0123456789abcdef0"})
	for _, e := range d.ofType(endpoint) {
		if e.input("vpcEndpointType") == "Interface" {
			e.requireDependsOn(t, cidrRule, groupRule)
		}
	}

	d = deploy(t, newNetwork(func(a *network.Args) { setOperators(a); a.Endpoints = subnet.EndpointsNone }))
	require.Empty(t, d.names(rule), "without endpoints there is no rule")
	_, err := run(newNetwork(func(a *network.Args) { a.Operators = []access.Source{{Name: "x"}} }))
	require.ErrorContains(t, err, "network: Operators: source x: must have a CIDR")
}

func TestFlowLogsAreEncryptedAndScoped(t *testing.T) {
	d := deploy(t, newNetwork(func(*network.Args) {}))
	d.find(t, "aws:cloudwatch/logGroup:LogGroup").requireInputs(t, map[string]any{"kmsKeyId": "arn:key", "retentionInDays": 30})
	log := d.find(t, "aws:ec2/flowLog:FlowLog")
	log.requireInputs(t, map[string]any{"trafficType": "ALL"})
	log.requireDependsOn(t, d.ofType("aws:iam/rolePolicy:RolePolicy")...)
	require.NotContains(t, d.find(t, "aws:iam/rolePolicy:RolePolicy").input("policy"), `"logs:*"`)
	group := d.find(t, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
	group.requireInputs(t, map[string]any{"ingress": nil, "egress": nil})
}

// NATZone and EndpointZone keep the gateway and the endpoints in their zone when the list of
// zones changes.
func TestSingleGatewayAndEndpointsStayInTheirZone(t *testing.T) {
	d := deploy(t, newNetwork(func(a *network.Args) {
		a.NAT, a.Endpoints = subnet.NATSingle, subnet.EndpointsSingle
		a.NATZone, a.EndpointZone = "us-east-1b", "us-east-1c"
	}))
	d.find(t, "aws:ec2/natGateway:NatGateway").requireInputs(t, map[string]any{"subnetId": "app-public-b-id"})
	for _, letter := range []string{"a", "b", "c"} {
		d.find(t, ec2Route, "app-private-app-"+letter+"-out").requireInputs(t, map[string]any{"natGatewayId": "app-nat-b-id"})
	}
	d.find(t, endpoint, "app-endpoint-sts").requireInputs(t, map[string]any{"subnetIds": []any{"app-private-app-c-id"}})

	for _, change := range []func(*network.Args){
		func(a *network.Args) { a.NATZone = "us-east-1d" }, func(a *network.Args) { a.EndpointZone = "us-east-1d" },
	} {
		_, err := run(newNetwork(change))
		require.ErrorContains(t, err, `"us-east-1d": must be one of`)
	}
}

// A new zone adds resources. The existing resources keep their names and inputs.
func TestNewZoneChangesNoExistingResource(t *testing.T) {
	threeZones := deploy(t, newNetwork(func(*network.Args) {}))
	fourZones := deploy(t, newNetwork(func(a *network.Args) { a.Zones = append([]string{"us-east-1d"}, a.Zones...) }))
	for _, before := range append(threeZones.ofType(ec2Subnet), threeZones.ofType(ec2Route)...) {
		after := fourZones.find(t, before.Type, before.Name)
		require.Equal(t, before.Inputs, after.Inputs, before.Name)
	}
	require.Len(t, fourZones.ofType(ec2Subnet), 12)
}

// Image layers are in AWS's own buckets, and a condition could refuse them. So reading has no
// condition. Writing is allowed only to buckets of the account.
func TestS3EndpointReadsWithoutACondition(t *testing.T) {
	d := deploy(t, newNetwork(func(*network.Args) {}))
	var policy struct {
		Statement []struct {
			Sid       string
			Action    any
			Condition map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(d.find(t, endpoint, "app-endpoint-s3").input("policy").(string)), &policy))
	require.Len(t, policy.Statement, 2)
	require.Equal(t, "Read", policy.Statement[0].Sid)
	require.Empty(t, policy.Statement[0].Condition)
	require.Equal(t, []any{"s3:GetObject"}, policy.Statement[0].Action)
	require.Contains(t, policy.Statement[1].Condition["StringEquals"], "aws:ResourceAccount")
}

// An interface endpoint admits only principals of the account, with two exceptions. Nodes pull
// images from AWS's registries. A caller without AWS credentials may assume a role of the account
// with a web identity token.
func TestInterfaceEndpointsAdmitTheAccount(t *testing.T) {
	d := deploy(t, newNetwork(func(*network.Args) {}))
	type statement struct {
		Sid       string
		Action    []string
		Resource  []string
		Condition struct{ StringEquals map[string]any }
	}
	checked := 0
	for _, e := range d.ofType(endpoint) {
		policyText, _ := e.input("policy").(string)
		if e.input("vpcEndpointType") != "Interface" || policyText == "" {
			require.Contains(t, []string{"app-endpoint-s3", "app-endpoint-eks-auth"}, e.Name)
			continue
		}
		checked++
		var policy struct{ Statement []statement }
		require.NoError(t, json.Unmarshal([]byte(policyText), &policy))
		for _, s := range policy.Statement {
			_, hasAccountCondition := s.Condition.StringEquals["aws:PrincipalAccount"]
			_, hasResourceCondition := s.Condition.StringEquals["aws:ResourceAccount"]
			switch s.Sid {
			case "Federated":
				require.Equal(t, []string{"sts:AssumeRoleWithWebIdentity"}, s.Action)
				require.NotContains(t, s.Resource, "*")
			case "Pull":
				require.True(t, hasAccountCondition)
				require.NotContains(t, s.Action, "ecr:PutImage")
			default:
				require.True(t, hasAccountCondition, "%s %s", e.Name, s.Sid)
				require.Equal(t, strings.Contains(e.Name, "-ecr."), hasResourceCondition, "%s %s", e.Name, s.Sid)
			}
		}
	}
	require.Equal(t, 7, checked)
}
