package rules

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// RunFromVariable is the environment variable with the place in the network from which
// a Pulumi program connects. The value is an IPv4 address. Inside a VPC, the security
// groups of the program's network interface follow, as in
// "10.20.32.7,sg-0123456789abcdef0".
const RunFromVariable = "SANDBOX_RUN_FROM"

// DefaultRunFrom is the address of a client on the internet. It is in a block for
// documentation (RFC 5737), which the stacks of this repository allow.
const DefaultRunFrom = "203.0.113.10"

// Place is the place in the network from which a Pulumi program connects. The zero Place
// is inside AWS, and all checks of reachability are skipped for it.
type Place struct {
	Address netip.Addr
	// Groups are the IDs of security groups.
	Groups []string
}

// ParsePlace parses the value of RunFromVariable. An empty value means DefaultRunFrom.
func ParsePlace(text string) (Place, error) {
	if text == "" {
		text = DefaultRunFrom
	}
	fields := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	if len(fields) == 0 {
		return Place{}, fmt.Errorf("%s=%q: must begin with an IPv4 address", RunFromVariable, text)
	}
	address, err := netip.ParseAddr(fields[0])
	if err != nil || !address.Is4() {
		return Place{}, fmt.Errorf("%s=%q: must begin with an IPv4 address, such as %s", RunFromVariable, text, DefaultRunFrom)
	}
	for _, group := range fields[1:] {
		if !strings.HasPrefix(group, "sg-") {
			return Place{}, fmt.Errorf("%s=%q: %q must be the ID of a security group", RunFromVariable, text, group)
		}
	}
	return Place{Address: address, Groups: fields[1:]}, nil
}

// privateDNS maps a Pulumi module, or one of its types, to the service of its interface
// endpoint. In a VPC with that endpoint and private DNS, the host name of the service's API
// resolves to the endpoint. A service that is missing here has no endpoint in the stand-in,
// or AWS has no private DNS name for it:
// vpc/latest/privatelink/aws-services-privatelink-support.html.
var privateDNS = map[string]string{
	"autoscaling": "autoscaling", "docdb": "rds", "ec2": "ec2", "ecr": "ecr.api", "eks": "eks", "elasticache": "elasticache",
	"kms": "kms", "lb": "elasticloadbalancing", "rds": "rds", "secretsmanager": "secretsmanager", "sns": "sns", "sqs": "sqs",
	"ssm": "ssm", "vpc": "ec2",
	"cloudwatch": "monitoring", "cloudwatch/logGroup": "logs", "cloudwatch/logStream": "logs", "cloudwatch/logResourcePolicy": "logs",
	"index/getCallerIdentity": "sts",
}

// endpointService returns the service that a type or function calls, such as ec2 for
// aws:ec2/vpc:Vpc. It returns "" if the service has no interface endpoint.
func endpointService(token string) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(token, "aws:"), ":")
	module, _, _ := strings.Cut(path, "/")
	if service, ok := privateDNS[path]; ok {
		return service
	}
	return privateDNS[module]
}

// verifyServiceReachable returns an error if the program runs in a VPC and cannot reach
// the API of a type's service. This happens if the VPC has an interface endpoint for the
// service with private DNS, and the endpoint's security groups do not allow the program.
// Sources: vpc/latest/privatelink/privatelink-access-aws-services.html, "Private DNS", and
// create-interface-endpoint.html, "Prerequisites".
func (c *Call) verifyServiceReachable(token string) error {
	service := endpointService(token)
	if service == "" || !c.From.Address.IsValid() {
		return nil
	}
	vpc, inside := c.vpcContaining(c.From.Address)
	if !inside {
		return nil
	}
	var refused error
	c.Tx.Each(c.scope(rows[vpcEndpointType]), vpcEndpointType, func(o store.Object) bool {
		endpoint := Object(o.State)
		if endpoint.String("vpcId") != vpc || !endpoint.Bool("privateDnsEnabled") || c.serviceOf(endpoint.String("serviceName")) != service {
			return true
		}
		groups := endpoint.Strings("securityGroupIds")
		if !c.groupsAllow(groups, httpsPort) {
			refused = fmt.Errorf("request send failed, dial tcp: i/o timeout: in %s the name of %s resolves to the interface endpoint %s, "+
				"whose security groups (%s) do not admit %s on port %d", vpc, service, o.ID, strings.Join(groups, ", "), c.From, httpsPort)
		}
		return false
	})
	return refused
}

// httpsPort is the port of AWS's APIs and of a cluster's API endpoint.
const httpsPort = 443

// String returns the text of a place for errors.
func (p Place) String() string {
	if len(p.Groups) == 0 {
		return p.Address.String()
	}
	return p.Address.String() + " with " + strings.Join(p.Groups, ", ")
}

// ReachCluster returns an error if the program cannot connect to the API endpoint of a
// cluster. The rules are from eks/latest/userguide/cluster-endpoint.html:
//   - Inside the VPC, the endpoint's name resolves to private addresses if private
//     access is enabled, and to public addresses otherwise.
//   - Outside the VPC, the name resolves to public addresses if public access is enabled,
//     and to private addresses otherwise.
//   - publicAccessCidrs must contain the clients of the public addresses.
//   - The cluster's security groups must allow the clients of the private addresses.
func (c *Cloud) ReachCluster(ctx context.Context, name string) error {
	return c.Store.View(ctx, func(tx *store.Tx) error {
		for _, o := range tx.All() { // the cluster may be in any account
			if o.Type != clusterType || o.Region != c.Region || o.ID != name {
				continue
			}
			cloud := *c
			cloud.Account = o.Account
			call := &Call{Cloud: &cloud, Row: rows[clusterType], Tx: tx, Context: ctx}
			if err := call.verifyEndpointReachable(o); err != nil {
				return fmt.Errorf("dial tcp: i/o timeout: the API endpoint of cluster %s does not answer %s: %w", name, c.From, err)
			}
			return nil
		}
		return fmt.Errorf("no such host: %s has no cluster %s", c.Region, name)
	})
}

// verifyEndpointReachable returns the reason why the program cannot connect to the API
// endpoint of a cluster, by the rules in the comment of ReachCluster.
func (c *Call) verifyEndpointReachable(cluster store.Object) error {
	endpoint := Object(cluster.State).Object("vpcConfig")
	public, private := endpoint.Bool("endpointPublicAccess"), endpoint.Bool("endpointPrivateAccess")
	vpc, inside := c.vpcContaining(c.From.Address)
	inside = inside && vpc == endpoint.String("vpcId")
	inConnectedNetwork := !inside && c.From.Address.IsPrivate()
	groups := append(endpoint.Strings("securityGroupIds"), endpoint.String("clusterSecurityGroupId"))
	toPrivateAddress := (inside && private) || (inConnectedNetwork && !public)
	switch {
	case toPrivateAddress:
		if !c.groupsAllow(groups, httpsPort) {
			return fmt.Errorf("its security groups (%s) do not admit it on port %d", strings.Join(groups, ", "), httpsPort)
		}
		return nil
	case inside || inConnectedNetwork:
		return fmt.Errorf("its name resolves to public addresses there, and the stand-in does not know which public address %s has", c.From.Address)
	case !public:
		return fmt.Errorf("it is private, and a public address is in no connected network")
	case !slices.ContainsFunc(endpoint.Strings("publicAccessCidrs"), func(cidr string) bool { return contains(cidr, c.From.Address) }):
		return fmt.Errorf("its publicAccessCidrs are %s", strings.Join(endpoint.Strings("publicAccessCidrs"), ", "))
	}
	return nil
}

// vpcContaining returns the VPC with a block that contains the address.
func (c *Call) vpcContaining(address netip.Addr) (id string, found bool) {
	c.Tx.Each(c.scope(rows[vpcType]), vpcType, func(o store.Object) bool {
		if contains(Object(o.State).String("cidrBlock"), address) {
			id, found = o.ID, true
		}
		return !found
	})
	return id, found
}

// contains reports whether a CIDR block contains an address.
func contains(cidr string, address netip.Addr) bool {
	block, err := netip.ParsePrefix(cidr)
	return err == nil && block.Contains(address)
}

// groupsAllow reports whether one of the security groups allows the program to connect to
// a TCP port.
func (c *Call) groupsAllow(groups []string, port int) bool {
	allowed := false
	c.Tx.Each(c.scope(rows[ingressRuleType]), ingressRuleType, func(o store.Object) bool {
		rule := Object(o.State)
		allowed = slices.Contains(groups, rule.String("securityGroupId")) && allowsPort(rule, "ipProtocol", port) &&
			(contains(rule.String("cidrIpv4"), c.From.Address) || slices.Contains(c.From.Groups, rule.String("referencedSecurityGroupId")))
		return !allowed
	})
	if allowed {
		return true
	}
	c.Tx.Each(c.scope(rows[securityGroupType]), securityGroupType, func(o store.Object) bool {
		allowed = slices.Contains(groups, o.ID) && c.inlineRulesAllow(o, port)
		return !allowed
	})
	return allowed
}

// inlineRulesAllow reports whether an inline rule of a security group allows the program to
// connect to a TCP port. EKS's own group always allows its members.
func (c *Call) inlineRulesAllow(group store.Object, port int) bool {
	state := Object(group.State)
	isMember := slices.Contains(c.From.Groups, group.ID)
	if isMember && strings.HasPrefix(state.String("name"), eksGroupPrefix) {
		return true
	}
	return slices.ContainsFunc(state.Objects("ingress"), func(rule Object) bool {
		hasAddress := slices.ContainsFunc(rule.Strings("cidrBlocks"), func(cidr string) bool { return contains(cidr, c.From.Address) })
		hasGroup := slices.ContainsFunc(rule.Strings("securityGroups"), func(id string) bool { return slices.Contains(c.From.Groups, id) })
		return allowsPort(rule, "protocol", port) && (hasAddress || hasGroup || rule.Bool("self") && isMember)
	})
}

// allowsPort reports whether a rule allows a TCP port. protocolName is the name of the
// property with the rule's protocol.
func allowsPort(rule Object, protocolName string, port int) bool {
	switch protocolNumber(rule.String(protocolName)) {
	case "-1":
		return true
	case "6":
		return rule.Int("fromPort") <= port && port <= rule.Int("toPort")
	}
	return false
}
