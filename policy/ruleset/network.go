package ruleset

import (
	"net/netip"

	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

const (
	anyIPv4 = "0.0.0.0/0"
	anyIPv6 = "::/0"
)

var network = []*rule.Rule{
	{
		ID: "network-flow-logs", Title: "Each VPC has flow logs of all traffic",
		Why: "Without them nobody can say later who reached what.",
		Fix: "components/network creates them; keep flowLogs", Standards: []string{"FSBP EC2.6", "CIS AWS 3.7"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.Ec2Vpc) {
			logs := rule.Referrers[awsview.Ec2FlowLog](s.Graph, s.Resource, "vpcId")
			s.Must(logs.Any(func(_ *graph.Resource, l awsview.Ec2FlowLog) value.Truth {
				return l.TrafficType().Or("ALL").Is("ALL")
			}), "no flow log records all traffic of the VPC")
		}),
	},
	{
		ID: "network-default-group-closed", Title: "The default security group of each VPC admits nothing",
		Why: "A resource that names no group gets this one.",
		Fix: "components/network manages it without rules", Standards: []string{"FSBP EC2.2", "CIS AWS 5.4"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.Ec2Vpc) {
			groups := rule.Referrers[awsview.Ec2DefaultSecurityGroup](s.Graph, s.Resource, "vpcId")
			s.Must(groups.Any(func(_ *graph.Resource, g awsview.Ec2DefaultSecurityGroup) value.Truth {
				return value.All(value.Not(g.Ingress().IsSet()), value.Not(g.Egress().IsSet()))
			}), "the default security group is not managed, or has rules")
		}),
	},
	{
		ID: "network-names-resolve", Title: "Each VPC resolves names",
		Why: "EKS and private endpoints are reached by name.",
		Fix: "components/network, enableDnsSupport and enableDnsHostnames", Standards: []string{"WA REL02"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Ec2Vpc) {
			s.Must(v.EnableDnsSupport().Or(true).IsTrue(), "enableDnsSupport is false")
			s.Must(v.EnableDnsHostnames().IsTrue(), "enableDnsHostnames is not true")
		}),
	},
	{
		ID: "network-subnet-private-addresses", Title: "Subnets give no public addresses",
		Why: "A machine that is launched there would be on the internet.",
		Fix: "components/network, MapPublicIpOnLaunch", Standards: []string{"FSBP EC2.15"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Ec2Subnet) {
			s.Must(v.MapPublicIpOnLaunch().Or(false).IsFalse(), "mapPublicIpOnLaunch is true")
		}),
	},
	{
		ID: "network-subnets-apart", Title: "Subnets of a VPC do not overlap",
		Why: "EC2 refuses the second one in the middle of an up.",
		Fix: "components/network/subnet computes the blocks", Standards: []string{"WA REL02"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.Ec2Subnet) {
			others := rule.Every[awsview.Ec2Subnet](s.Graph)
			s.Must(others.All(func(r *graph.Resource, o awsview.Ec2Subnet) value.Truth {
				if r == s.Resource {
					return value.True
				}
				return value.Not(overlap(v.CidrBlock(), o.CidrBlock()))
			}), "cidrBlock %s overlaps that of another subnet", v.CidrBlock().Text())
		}),
	},
	{
		ID: "network-ingress-not-internet", Title: "No security group admits the whole internet",
		Why: "Everything behind the group could be scanned and attacked. Users enter through CloudFront.",
		Fix: "the component that creates the rule: name a security group or a prefix list", Standards: []string{"FSBP EC2.18", "FSBP EC2.19", "CIS AWS 5.2"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.VpcSecurityGroupIngressRule) {
			s.Must(value.Not(v.CidrIpv4().Is(anyIPv4)), "cidrIpv4 is %s", anyIPv4)
			s.Must(value.Not(v.CidrIpv6().Is(anyIPv6)), "cidrIpv6 is %s", anyIPv6)
		}),
	},
	{
		ID: "network-ingress-by-reference", Title: "Ingress rules name a security group or a prefix list",
		Why: "An address block admits whoever gets an address in it later.",
		Fix: "components/clients and components/loadbalancer", Standards: []string{"WA SEC05"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.VpcSecurityGroupIngressRule) {
			s.Must(value.Any(v.ReferencedSecurityGroupId().IsSet(), v.PrefixListId().IsSet()), "the rule names neither a security group nor a prefix list")
		}),
	},
	{
		ID: "network-rules-apart", Title: "The rules of a security group are resources, not inputs of the group",
		Why: "If a group has rules of both kinds, each up removes those of one kind.",
		Fix: "use vpc.SecurityGroupIngressRule and EgressRule", Standards: []string{"awsguard"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Ec2SecurityGroup) {
			s.Must(value.Not(v.Ingress().IsSet()), "ingress is set on the group")
			s.Must(value.Not(v.Egress().IsSet()), "egress is set on the group")
		}),
	},
	{
		ID: "network-rules-described", Title: "Security group rules have a description",
		Why: "Nobody removes a rule without a known purpose.",
		Fix: "the component that creates the rule: description", Standards: []string{"CKV_AWS_23"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			s.Must(s.View().Get("description").IsSet(), "description is not set")
		}, awsview.VpcSecurityGroupIngressRule{}.Token(), awsview.VpcSecurityGroupEgressRule{}.Token()),
	},
	{
		ID: "network-acl-no-admin-ports", Title: "Network ACLs do not admit SSH and RDP from everywhere",
		Why: "A network ACL still protects the subnet if a security group is wrong.",
		Fix: "components/network/acl", Standards: []string{"FSBP EC2.21", "CIS AWS 5.1"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Ec2NetworkAcl) {
			for _, port := range []float64{22, 3389} {
				s.Must(v.Ingress().All(func(r awsview.Ec2NetworkAclIngress) value.Truth {
					everywhere := value.Any(r.CidrBlock().Is(anyIPv4), r.Ipv6CidrBlock().Is(anyIPv6))
					covers := value.Any(r.Protocol().In("-1", "all"), value.All(r.FromPort().AtMost(port), r.ToPort().AtLeast(port)))
					return value.Not(value.All(r.Action().Is("allow"), everywhere, covers))
				}), "a rule admits port %g from everywhere", port)
			}
		}),
	},
	{
		ID: "network-egress-scoped", Title: "Egress rules do not allow everything",
		Why: "An attacker in a process could send data anywhere.",
		Fix: "components/cluster: nodeSecurityGroup; network policies bound the pods", Standards: []string{"CKV_AWS_382"},
		Severity: rule.Low, Levels: rule.Advice,
		Check: rule.On(func(s *rule.Subject, v awsview.VpcSecurityGroupEgressRule) {
			everywhere := value.Any(v.CidrIpv4().Is(anyIPv4), v.CidrIpv6().Is(anyIPv6))
			s.Must(value.Not(value.All(everywhere, v.IpProtocol().Is("-1"))), "every protocol to every address is allowed")
		}),
	},
	{
		ID: "network-endpoint-private-names", Title: "Interface endpoints answer for the service's own name",
		Why: "Without it the requests of AWS's SDKs leave the VPC through the NAT gateway.",
		Fix: "components/network, PrivateDnsEnabled", Standards: []string{"WA SEC05"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Ec2VpcEndpoint) {
			s.Must(value.Implies(v.VpcEndpointType().Is("Interface"), v.PrivateDnsEnabled().IsTrue()), "privateDnsEnabled is not true")
		}),
	},
	{
		ID: "network-endpoint-policy", Title: "Endpoints have a policy",
		Why: "The default policy lets a stolen key of another account send data out through the endpoint.",
		Fix: "components/network, endpoints: Policy", Standards: []string{"WA SEC05"},
		Severity: rule.Low, Levels: rule.Advice,
		Check: rule.On(func(s *rule.Subject, v awsview.Ec2VpcEndpoint) {
			s.Must(v.Policy().IsSet(), "policy is not set")
		}),
	},
	{
		ID: "network-nat-survives-zone", Title: "Each zone with routes to a NAT gateway has its own",
		Why: "The loss of one zone would cut the others off from the internet.",
		Fix: "the key network.natGateways: perZone", Standards: []string{"WA REL10"},
		Severity: rule.Medium, Levels: rule.ProdOnly,
		Check: rule.Across(func(s *rule.Subject, _ awsview.Ec2NatGateway) {
			routes := rule.Referrers[awsview.Ec2Route](s.Graph, s.Resource, "natGatewayId")
			tables, complete := map[*graph.Resource]bool{}, routes.Complete
			for _, r := range routes.Resources {
				routeTables := rule.Refs[awsview.Ec2RouteTable](s.Graph, r, "routeTableId")
				complete = complete && routeTables.Complete
				for _, table := range routeTables.Resources {
					tables[table] = true
				}
			}
			s.Must(atMost(len(tables), 1, complete), "%d route tables use this one NAT gateway", len(tables))
		}),
	},
}

// overlap reports whether two CIDR blocks have an address in common. A text that is no CIDR block
// overlaps nothing.
func overlap(a, b value.String) value.Truth {
	return value.CompareStrings(a, b, func(textA, textB string) bool {
		prefixA, err1 := netip.ParsePrefix(textA)
		prefixB, err2 := netip.ParsePrefix(textB)
		return err1 == nil && err2 == nil && prefixA.Overlaps(prefixB)
	})
}

// atMost reports whether the count n is at most limit. If complete is false, n may still grow.
func atMost(n, limit int, complete bool) value.Truth {
	switch {
	case n > limit:
		return value.False
	case !complete:
		return value.Unknown
	}
	return value.True
}

// atLeast reports whether the count n is at least limit. If complete is false, n may still
// grow.
func atLeast(n, limit int, complete bool) value.Truth {
	switch {
	case n >= limit:
		return value.True
	case !complete:
		return value.Unknown
	}
	return value.False
}
