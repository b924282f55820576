package rules

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/progressive-framework/platform/policy/aws"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8s"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// imageTokens are the types that build an image in the stack, or copy one.
var imageTokens = []string{"ko:index:Image", "ko:index:Promoted"}

// builtHere are the images of the stack that a workload runs.
func builtHere(g *graph.Graph, r *graph.Resource) graph.Related {
	out := graph.Related{Complete: true}
	for _, typ := range imageTokens {
		images := g.Refs(r, "spec", typ)
		out.Resources = append(out.Resources, images.Resources...)
		out.Complete = out.Complete && images.Complete
	}
	return out
}

var stores = []*rule.Rule{
	store("store-protected", "Pulumi refuses to delete a store", "A wrong edit of the program would delete it in the next up.",
		"the key deletionProtection", rule.Deployed, func(s *rule.Subject) {
			s.Must(value.Of(s.Protect), "protect is not set")
		}),
	store("store-reached-on-its-port", "A store admits security groups on its own port only", "Another port is another service that nobody watches.",
		"components/clients, the group's port", rule.Everywhere, func(s *rule.Subject) {
			port := value.As[value.Number](s.View().Get("port"))
			for _, group := range storeGroups(s).Resources {
				rules := rule.Users[aws.VpcSecurityGroupIngressRule](s.Graph, group, "securityGroupId")
				s.Must(rules.All(func(_ *graph.Resource, r aws.VpcSecurityGroupIngressRule) value.Truth {
					return value.All(r.FromPort().Compare(port, same), r.ToPort().Compare(port, same))
				}), "a rule of %s opens another port than %s", group.Name, port.Text())
			}
			s.Must(storeGroups(s).Exists(), "no security group of this stack protects it")
		}),
	store("store-reached-by-its-users", "A store admits security groups of this stack only", "Whoever is on the network could try to log in.",
		"components/clients, the group's Clients", rule.Everywhere, func(s *rule.Subject) {
			for _, group := range storeGroups(s).Resources {
				rules := rule.Users[aws.VpcSecurityGroupIngressRule](s.Graph, group, "securityGroupId")
				s.Must(rules.All(func(r *graph.Resource, v aws.VpcSecurityGroupIngressRule) value.Truth {
					// A group of EKS is an output of the cluster.
					known := value.Any(
						rule.Refs[aws.Ec2SecurityGroup](s.Graph, r, "referencedSecurityGroupId").Exists(),
						rule.Refs[aws.EksCluster](s.Graph, r, "referencedSecurityGroupId").Exists(),
					)
					return value.All(known, value.Not(v.CidrIpv4().Set()), value.Not(v.CidrIpv6().Set()))
				}), "a rule of %s names something else than a security group of this stack", group.Name)
			}
		}),
	{
		ID: "store-subnets-route-nowhere", Title: "The subnets of stores have no way to the internet",
		Why: "A database that was taken over could send its data out.",
		Fix: "components/network, the private-data subnets", Standards: []string{"WA SEC05"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			for _, subnet := range rule.Refs[aws.Ec2Subnet](s.Graph, s.Resource, "subnetIds").Resources {
				for _, a := range rule.Users[aws.Ec2RouteTableAssociation](s.Graph, subnet, "subnetId").Resources {
					for _, table := range rule.Refs[aws.Ec2RouteTable](s.Graph, a, "routeTableId").Resources {
						routes := rule.Users[aws.Ec2Route](s.Graph, table, "routeTableId")
						s.Must(routes.All(func(_ *graph.Resource, r aws.Ec2Route) value.Truth {
							return value.Not(value.Any(r.GatewayId().Set(), r.NatGatewayId().Set(), r.EgressOnlyGatewayId().Set()))
						}), "subnet %s has a route to a gateway", subnet.Name)
					}
				}
			}
		}, aws.RdsSubnetGroup{}.Token(), aws.DocdbSubnetGroup{}.Token(), aws.ElasticacheSubnetGroup{}.Token()),
	},
	{
		ID: "image-of-this-stack", Title: "Pods run images that this stack has built or promoted",
		Why: "Nobody has reviewed the others, and their registry may be gone when a node needs them.",
		Fix: "components/image: build or mirror it into the stack's repository", Standards: []string{"CIS EKS 5.1.4"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			s.Must(builtHere(s.Graph, s.Resource).Exists(), "its image is not one of this stack")
		}, podded...),
	},
	{
		ID: "nodes-hold-all-pods", Title: "The nodes at their most hold all pods at their most",
		Why: "At the peak pods would wait for nodes that may not come.",
		Fix: "the keys tiers.NAME.max and services.NAME.replicas", Standards: []string{"WA REL07"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			wanted, complete := requestedCPU(s.Graph)
			most, known := 0.0, true
			for _, r := range s.Graph.Of(aws.AutoscalingGroup{}.Token()) {
				n := value.As[aws.AutoscalingGroup](r.View()).MaxSize()
				known = known && n.Known()
				most += float(n)
			}
			enough := value.Unknown // more pods or more nodes may turn out
			if wanted <= most*leastNodeCores && complete || wanted > most*leastNodeCores && known {
				enough = value.Of(wanted <= most*leastNodeCores)
			}
			s.Must(value.Any(value.Of(len(s.Graph.Of(aws.AutoscalingGroup{}.Token())) == 0), enough), "pods ask for %.1f cores, %g nodes have %.1f", wanted, most, most*leastNodeCores)
		}, aws.EksCluster{}.Token()),
	},
}

// leastNodeCores is what pods get of the smallest node that a tier may have: a
// large instance has 2 cores, of which EKS and the add-ons keep a part.
const leastNodeCores = 1.5

func same(a, b float64) bool { return a == b }

func float(n value.Number) float64 {
	v, _ := n.Raw().(float64)
	return v
}

// storeGroups are the security groups of a store.
func storeGroups(s *rule.Subject) rule.Set[aws.Ec2SecurityGroup] {
	prop := "vpcSecurityGroupIds"
	if s.Type == (aws.ElasticacheReplicationGroup{}).Token() {
		prop = "securityGroupIds"
	}
	return rule.Refs[aws.Ec2SecurityGroup](s.Graph, s.Resource, prop)
}

// podsOf is how many pods a workload may have, and whether that is known.
func podsOf(g *graph.Graph, r *graph.Resource) (float64, bool) {
	replicas := value.As[value.Number](r.View().At("spec.replicas")).Or(1)
	most, known := float(replicas), replicas.Known()
	for _, hpa := range scaledBy(&rule.Subject{Resource: r, Graph: g}).Resources {
		n := value.As[k8s.HorizontalPodAutoscaler](hpa.View()).Spec().MaxReplicas()
		most, known = max(most, float(n)), known && n.Known()
	}
	return most, known
}

// requestedCPU is the sum of the requests of all servers, in cores.
func requestedCPU(g *graph.Graph) (sum float64, complete bool) {
	complete = true
	for _, typ := range []string{k8s.Deployment{}.Token(), k8s.StatefulSet{}.Token()} {
		for _, r := range g.Of(typ) {
			count, known := podsOf(g, r)
			spec := podOf(r).Spec()
			containers, all := spec.Containers().Items()
			complete = complete && known && all
			for _, c := range containers {
				complete = complete && c.Resources().Requests().Key("cpu").Known()
				if text, ok := c.Resources().Requests().Key("cpu").Raw().(string); ok {
					if q, err := resource.ParseQuantity(text); err == nil {
						sum += count * q.AsApproximateFloat64()
					}
				}
			}
		}
	}
	return sum, complete
}

// poolVariable bounds the connections of one pod to PostgreSQL; defaultPool is
// its default (agents/internal/database).
const (
	poolVariable = "DATABASE_MAX_CONNECTIONS"
	defaultPool  = 8.0
)

// poolConnections is the sum of the connection pools of all pods.
func poolConnections(g *graph.Graph) (sum float64, complete bool) {
	complete = true
	for _, r := range g.Of(k8s.Deployment{}.Token()) {
		count, known := podsOf(g, r)
		for _, c := range list(podOf(r).Spec().Containers()) {
			pool := 0.0
			variables, all := c.Env().Items()
			complete = complete && all
			for _, e := range variables {
				complete = complete && e.Name().Known()
				switch {
				case e.Name().Is(poolVariable) == value.True:
					text, _ := e.Value().Raw().(string)
					pool = number(text)
					complete = complete && e.Value().Known()
				case e.Name().Is("DATABASE_URL") == value.True:
					pool = max(pool, defaultPool)
				}
			}
			sum += count * pool
			complete = complete && known
		}
	}
	return sum, complete
}

func store(id, title, why, fix string, levels rule.Levels, check func(*rule.Subject)) *rule.Rule {
	return &rule.Rule{
		ID: id, Title: title, Why: why, Fix: fix, Severity: rule.High, Levels: levels, Standards: []string{"WA SEC05"},
		Check: rule.AcrossTypes(check, storeTypes...),
	}
}

var stack = []*rule.Rule{
	{
		ID: "alarm-has-action", Title: "Each alarm tells somebody",
		Why: "An alarm that is only seen in a console is seen too late.",
		Fix: "the key edge.alarmTopicArn", Standards: []string{"FSBP CloudWatch.15"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.CloudwatchMetricAlarm) {
			s.Must(v.AlarmActions().Set(), "alarmActions is not set")
			s.Must(v.ActionsEnabled().Or(true).IsTrue(), "actionsEnabled is false")
		}),
	},
	{
		ID: "provider-account", Title: "The AWS provider is bound to one account",
		Why: "With the wrong credentials an up would change another account.",
		Fix: "the key account", Standards: []string{"WA SEC01"},
		Severity: rule.High, Levels: rule.Deployed,
		Check: rule.OnTypes(func(s *rule.Subject) {
			s.Must(s.View().Get("allowedAccountIds").Set(), "allowedAccountIds is not set")
		}, "pulumi:providers:aws"),
	},
	{
		ID: "tags-of-stack", Title: "The AWS provider gives each resource the tags of the stack",
		Why: "A bill without them can't be split by stack and owner.",
		Fix: "infra, the provider's DefaultTags", Standards: []string{"WA COST03", "awsguard"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			tags := s.View().Get("defaultTags")
			if text, ok := tags.Raw().(string); ok { // providers get their inputs as JSON
				tags = value.New(text).JSON()
			}
			for _, name := range []string{"Environment", "Project"} {
				s.Must(tags.At("tags").Get(name).Set(), "defaultTags has no %s", name)
			}
		}, "pulumi:providers:aws"),
	},
	{
		ID: "output-no-secret", Title: "No stack output shows a secret",
		Why: "Outputs are printed after every up.",
		Fix: "infra/outputs.go: export its ARN instead", Standards: []string{"WA SEC08"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			for _, name := range s.Outputs.Keys() {
				plain := value.Not(encrypted(s.Outputs.Get(name)))
				s.Must(value.Not(value.All(value.Of(credential.MatchString(snake(name))), plain)), "the output %s has the name of a secret and is not encrypted", name)
			}
		}, "pulumi:pulumi:Stack"),
	},
	{
		ID: "names-within-limits", Title: "Names fit AWS's limits",
		Why: "AWS refuses a longer one in the middle of an up.",
		Fix: "the key environment", Standards: nil,
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			name := value.As[value.String](s.View().Get("name"))
			limit := nameLimits[s.Type]
			s.Must(value.Any(value.Not(name.Set()), name.Satisfies(func(text string) bool { return len(text) <= limit })), "name %s has more than %d characters", name.Text(), limit)
		}, named32, named32b, aws.IamRole{}.Token()),
	},
	{
		ID: "alarm-names-differ", Title: "No two alarms have one name at AWS",
		Why: "The second one overwrites the first one.",
		Fix: "components/tier and components/loadbalancer: the alarm's name", Standards: nil,
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v aws.CloudwatchMetricAlarm) {
			for _, other := range s.Graph.Of(s.Type) {
				if other != s.Resource {
					s.Must(value.Not(value.All(v.Name().Set(), v.Name().Equals(value.As[aws.CloudwatchMetricAlarm](other.View()).Name()))), "%s has the same name", other.Name)
				}
			}
		}),
	},
}

var (
	named32    = aws.LbLoadBalancer{}.Token()
	named32b   = aws.LbTargetGroup{}.Token()
	nameLimits = map[string]int{named32: 32, named32b: 32, aws.IamRole{}.Token(): 64}
)

// snake turns aNameLikeThis into a_name_like_this.
func snake(name string) string {
	var b strings.Builder
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}
