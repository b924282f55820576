package ruleset

import (
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/progressive-framework/platform/components/datastore/enginecalendar"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// imageTypes are the types of the resources that build an image in the stack, or promote one.
var imageTypes = []string{"ko:index:Image", "ko:index:Promoted"}

// stackImages returns the images that a workload runs and that the stack builds or
// promotes.
func stackImages(g *graph.Graph, r *graph.Resource) graph.Related {
	related := graph.Related{Complete: true}
	for _, typ := range imageTypes {
		images := g.Refs(r, "spec", typ)
		related.Resources = append(related.Resources, images.Resources...)
		related.Complete = related.Complete && images.Complete
	}
	return related
}

var stores = []*rule.Rule{
	storeRule("store-protected", "Pulumi refuses to delete a store", "A wrong edit of the program would delete it in the next up.",
		"the key deletionProtection", rule.Deployed, func(s *rule.Subject) {
			s.Must(value.FromBool(s.Protect), "protect is not set")
		}),
	storeRule("store-reached-on-its-port", "A store admits security groups on its own port only", "Another port may belong to a program that nobody watches.",
		"components/clients, the group's port", rule.Everywhere, func(s *rule.Subject) {
			port := value.As[value.Number](s.View().Get("port"))
			groups := storeSecurityGroups(s)
			if !groups.Complete {
				s.LeaveUndecided("the security groups of the store")
			}
			for _, group := range groups.Resources {
				rules := rule.Referrers[awsview.VpcSecurityGroupIngressRule](s.Graph, group, "securityGroupId")
				s.Must(rules.All(func(_ *graph.Resource, r awsview.VpcSecurityGroupIngressRule) value.Truth {
					return value.All(r.FromPort().Compare(port, isEqual), r.ToPort().Compare(port, isEqual))
				}), "a rule of %s opens another port than %s", group.Name, port.Text())
			}
			s.Must(groups.Exists(), "no security group of this stack protects it")
		}),
	storeRule("store-reached-by-its-users", "A store admits security groups of this stack only", "Every machine of the network could try to log in.",
		"components/clients, the group's Clients", rule.Everywhere, func(s *rule.Subject) {
			groups := storeSecurityGroups(s)
			if !groups.Complete {
				s.LeaveUndecided("the security groups of the store")
			}
			for _, group := range groups.Resources {
				rules := rule.Referrers[awsview.VpcSecurityGroupIngressRule](s.Graph, group, "securityGroupId")
				s.Must(rules.All(func(r *graph.Resource, v awsview.VpcSecurityGroupIngressRule) value.Truth {
					// The security group that EKS creates is an output of the cluster.
					fromStack := value.Any(
						rule.Refs[awsview.Ec2SecurityGroup](s.Graph, r, "referencedSecurityGroupId").Exists(),
						rule.Refs[awsview.EksCluster](s.Graph, r, "referencedSecurityGroupId").Exists(),
					)
					return value.All(fromStack, value.Not(v.CidrIpv4().IsSet()), value.Not(v.CidrIpv6().IsSet()))
				}), "a rule of %s names something other than a security group of this stack", group.Name)
			}
		}),
	{
		ID: "store-subnets-route-nowhere", Title: "The subnets of stores have no route to the internet",
		Why: "An attacker in the database could send its data out.",
		Fix: "components/network, the private-data subnets", Standards: []string{"WA SEC05"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			subnets := rule.Refs[awsview.Ec2Subnet](s.Graph, s.Resource, "subnetIds")
			if !subnets.Complete {
				s.LeaveUndecided("the subnets of the group")
			}
			for _, subnet := range subnets.Resources {
				s.Must(hasNoGatewayRoute(s.Graph, subnet), "subnet %s has a route to a gateway", subnet.Name)
			}
		}, awsview.RdsSubnetGroup{}.Token(), awsview.DocdbSubnetGroup{}.Token(), awsview.ElasticacheSubnetGroup{}.Token()),
	},
	{
		ID: "image-of-this-stack", Title: "Pods run images that this stack has built or promoted, or images by digest in the account's registry",
		Why: "Nobody has reviewed the others, and their registry may be gone when a node needs them.",
		Fix: "components/image builds it; the key images.mirror takes it from the account's registry", Standards: []string{"CIS EKS 5.1.4"},
		Severity: rule.Medium, Levels: rule.Deployed,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			s.Must(value.Any(stackImages(s.Graph, s.Resource).Exists(), usesAccountRegistry(s)), "its image is not one of this stack, and not one by digest in the account's registry")
		}, workloadTypes...),
	},
	{
		ID: "nodes-hold-all-pods", Title: "The maximum number of nodes has the CPU and the memory for the maximum number of pods",
		Why: "At a peak pods would wait for nodes that the group can't add.",
		Fix: "the keys tiers.NAME.max and services.NAME.max", Standards: []string{"WA REL07"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			groups := s.Graph.OfType(awsview.AutoscalingGroup{}.Token())
			if len(groups) == 0 { // the nodes belong to another stack
				return
			}
			requested, complete := totalRequests(s.Graph)
			perNode, perNodeComplete := requestsPerNode(s.Graph)
			nodes, free, known := maxCapacity(groups, perNode)
			fits := func(requested, free resource.Quantity) value.Truth {
				switch {
				case !known:
					return value.Unknown
				case requested.Cmp(free) > 0:
					return value.False
				case !complete || !perNodeComplete: // an unknown request may exceed the free capacity
					return value.Unknown
				}
				return value.True
			}
			s.Must(fits(requested.cpu, free.cpu), "all pods request %s of CPU, but %d nodes have %s left next to their own pods", requested.cpu.String(), nodes, free.cpu.String())
			s.Must(fits(requested.memory, free.memory), "all pods request %s of memory, but %d nodes have %s left next to their own pods", requested.memory.String(), nodes, free.memory.String())
		}, awsview.EksCluster{}.Token()),
	},
}

// ecrDigest matches an image by digest in a registry of ECR. The first group is the account.
var ecrDigest = regexp.MustCompile(`^([0-9]{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/[^@]+@sha256:[0-9a-f]{64}$`)

// usesAccountRegistry reports whether each container has an image by digest from the registry of the
// account to which the AWS provider is bound.
func usesAccountRegistry(s *rule.Subject) value.Truth {
	return everyContainer(podTemplate(s.Resource).Spec(), func(c k8sview.Container) value.Truth {
		isInRegistry := value.False
		for _, provider := range s.Graph.OfType("pulumi:providers:aws") {
			accounts := provider.View().Get("allowedAccountIds")
			if _, ok := accounts.Raw().(string); ok { // providers get their inputs as JSON
				accounts = accounts.JSON()
			}
			isInRegistry = value.Any(isInRegistry, value.As[value.List[value.String]](accounts).Any(func(account value.String) value.Truth {
				return value.CompareStrings(c.Image(), account, func(image, account string) bool {
					match := ecrDigest.FindStringSubmatch(image)
					return match != nil && match[1] == account
				})
			}))
		}
		return isInRegistry
	})
}

// hasNoGatewayRoute reports whether no route table of a subnet has a route to a gateway.
func hasNoGatewayRoute(g *graph.Graph, subnet *graph.Resource) value.Truth {
	associations := rule.Referrers[awsview.Ec2RouteTableAssociation](g, subnet, "subnetId")
	return associations.All(func(a *graph.Resource, _ awsview.Ec2RouteTableAssociation) value.Truth {
		return rule.Refs[awsview.Ec2RouteTable](g, a, "routeTableId").All(func(table *graph.Resource, _ awsview.Ec2RouteTable) value.Truth {
			return rule.Referrers[awsview.Ec2Route](g, table, "routeTableId").All(func(_ *graph.Resource, r awsview.Ec2Route) value.Truth {
				return value.Not(value.Any(r.GatewayId().IsSet(), r.NatGatewayId().IsSet(), r.EgressOnlyGatewayId().IsSet()))
			})
		})
	})
}

// isEqual reports whether two numbers are equal, as a test for value.Number.Compare.
func isEqual(a, b float64) bool { return a == b }

// numberOrZero returns the number, or 0 while it is absent or unknown.
func numberOrZero(n value.Number) float64 {
	number, _ := n.Raw().(float64)
	return number
}

// mustBeSupported requires that AWS's standard support for a store's version does not end within
// enginecalendar.Notice.
func mustBeSupported(s *rule.Subject, engine, version value.String) {
	s.Must(value.CompareStrings(engine, version, func(engine, version string) bool {
		return enginecalendar.IsSupported(enginecalendar.Engine(engine), version, s.Now)
	}), "standard support of %s %s is unknown, over, or ends within %d days", engine.Text(), version.Text(), int(enginecalendar.Notice.Hours()/24))
}

// storeSecurityGroups returns the security groups of a store.
func storeSecurityGroups(s *rule.Subject) rule.Set[awsview.Ec2SecurityGroup] {
	prop := "vpcSecurityGroupIds"
	if s.Type == (awsview.ElasticacheReplicationGroup{}).Token() {
		prop = "securityGroupIds"
	}
	return rule.Refs[awsview.Ec2SecurityGroup](s.Graph, s.Resource, prop)
}

// storeRule returns a rule on every store.
func storeRule(id, title, why, fix string, levels rule.Levels, check func(*rule.Subject)) *rule.Rule {
	return &rule.Rule{
		ID: id, Title: title, Why: why, Fix: fix, Severity: rule.High, Levels: levels, Standards: []string{"WA SEC05"},
		Check: rule.AcrossTypes(check, storeTypes...),
	}
}
