package rules

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// RunFromVariable is the environment variable with the network address from which a
// Pulumi program connects. The value is an IPv4 address. Inside a VPC, the security
// groups of the program's network interface follow, as in
// "10.20.32.7,sg-0123456789abcdef0".
const RunFromVariable = "SANDBOX_RUN_FROM"

// DefaultRunFrom is the address of a client on the internet. RFC 5737 reserves it for
// documentation. The stacks of this repository allow connections from it.
const DefaultRunFrom = "203.0.113.10"

// ClientNetwork is the network address from which a Pulumi program connects, with the security
// groups of its network interface. The zero ClientNetwork means a program inside AWS. For such a
// program, the rules do not check reachability.
type ClientNetwork struct {
	Address netip.Addr
	// Groups are the IDs of security groups.
	Groups []string
}

// ParseClient parses the value of RunFromVariable. An empty value means DefaultRunFrom.
func ParseClient(text string) (ClientNetwork, error) {
	if text == "" {
		text = DefaultRunFrom
	}
	fields := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	if len(fields) == 0 {
		return ClientNetwork{}, fmt.Errorf("%s=%q: must begin with an IPv4 address", RunFromVariable, text)
	}
	address, err := netip.ParseAddr(fields[0])
	if err != nil || !address.Is4() {
		return ClientNetwork{}, fmt.Errorf("%s=%q: must begin with an IPv4 address, such as %s", RunFromVariable, text, DefaultRunFrom)
	}
	for _, group := range fields[1:] {
		if !strings.HasPrefix(group, "sg-") {
			return ClientNetwork{}, fmt.Errorf("%s=%q: %q must be the ID of a security group", RunFromVariable, text, group)
		}
	}
	return ClientNetwork{Address: address, Groups: fields[1:]}, nil
}

// endpointServices maps a Pulumi module, or one of its types, to the service of its interface
// endpoint. In a VPC with that endpoint and private DNS, the host name of the service's API
// resolves to the endpoint. A service that is missing here has no endpoint in the stand-in,
// or AWS has no private DNS name for it
// (vpc/latest/privatelink/aws-services-privatelink-support.html).
var endpointServices = map[string]string{
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
	if service, ok := endpointServices[path]; ok {
		return service
	}
	return endpointServices[module]
}

// verifyServiceReachable returns an error if the program runs in a VPC and cannot reach
// the API of a type's service. This happens if two conditions are true:
//   - The VPC has an interface endpoint with private DNS for the service.
//   - The security groups of this endpoint do not allow the program.
//
// Sources: vpc/latest/privatelink/privatelink-access-aws-services.html, "Private DNS", and
// create-interface-endpoint.html, "Prerequisites".
func (c *Call) verifyServiceReachable(token string) error {
	service := endpointService(token)
	if service == "" || !c.Client.Address.IsValid() {
		return nil
	}
	vpcID, inVPC := c.vpcContaining(c.Client.Address)
	if !inVPC {
		return nil
	}
	var unreachable error
	c.Tx.Each(c.scope(rows[vpcEndpointType]), vpcEndpointType, func(o store.Object) bool {
		endpoint := Object(o.State)
		if endpoint.String("vpcId") != vpcID || !endpoint.Bool("privateDnsEnabled") || c.endpointServiceName(endpoint.String("serviceName")) != service {
			return true
		}
		groups := endpoint.Strings("securityGroupIds")
		if !c.groupsAllow(groups, httpsPort) {
			unreachable = fmt.Errorf("request send failed, dial tcp: i/o timeout: in %s the name of %s resolves to the interface endpoint %s, "+
				"and the endpoint's security groups (%s) do not allow %s on port %d", vpcID, service, o.ID, strings.Join(groups, ", "), c.Client, httpsPort)
		}
		return false
	})
	return unreachable
}

// httpsPort is the port of AWS's APIs and of a cluster's API endpoint.
const httpsPort = 443

// String returns the address and the security groups as a text for errors.
func (n ClientNetwork) String() string {
	if len(n.Groups) == 0 {
		return n.Address.String()
	}
	return n.Address.String() + " with " + strings.Join(n.Groups, ", ")
}

// VerifyClusterReachable returns an error if the program cannot connect to the API endpoint of a
// cluster. The rules are from eks/latest/userguide/cluster-endpoint.html:
//   - Inside the VPC, the endpoint's name resolves to private addresses if private
//     access is enabled, and to public addresses otherwise.
//   - Outside the VPC, the name resolves to public addresses if public access is enabled,
//     and to private addresses otherwise.
//   - publicAccessCidrs must contain the clients of the public addresses.
//   - The cluster's security groups must allow the clients of the private addresses.
func (c *Cloud) VerifyClusterReachable(ctx context.Context, name string) error {
	return c.Store.View(ctx, func(tx *store.Tx) error {
		for _, o := range tx.All() { // the cluster may be in any account
			if o.Type != clusterType || o.Region != c.Region || o.ID != name {
				continue
			}
			cloud := *c
			cloud.Account = o.Account
			call := &Call{Cloud: &cloud, Row: rows[clusterType], Tx: tx, Context: ctx}
			if err := call.verifyEndpointReachable(o); err != nil {
				return fmt.Errorf("dial tcp: i/o timeout: the API endpoint of cluster %s does not answer %s: %w", name, c.Client, err)
			}
			return nil
		}
		return fmt.Errorf("no such host: %s has no cluster %s", c.Region, name)
	})
}

// verifyEndpointReachable returns the reason why the program cannot connect to the API endpoint
// of a cluster. The comment of VerifyClusterReachable has the rules.
func (c *Call) verifyEndpointReachable(cluster store.Object) error {
	endpoint := Object(cluster.State).Object("vpcConfig")
	public, private := endpoint.Bool("endpointPublicAccess"), endpoint.Bool("endpointPrivateAccess")
	vpcID, inVPC := c.vpcContaining(c.Client.Address)
	inVPC = inVPC && vpcID == endpoint.String("vpcId")
	inConnectedNetwork := !inVPC && c.Client.Address.IsPrivate()
	groups := append(endpoint.Strings("securityGroupIds"), endpoint.String("clusterSecurityGroupId"))
	toPrivateAddress := (inVPC && private) || (inConnectedNetwork && !public)
	switch {
	case toPrivateAddress:
		if !c.groupsAllow(groups, httpsPort) {
			return fmt.Errorf("the endpoint's security groups (%s) do not allow the client on port %d", strings.Join(groups, ", "), httpsPort)
		}
		return nil
	case inVPC || inConnectedNetwork:
		return fmt.Errorf("the endpoint's name resolves to public addresses for the client, and the stand-in does not know which public address %s has", c.Client.Address)
	case !public:
		return fmt.Errorf("the endpoint is private, and the client's address is public")
	case !slices.ContainsFunc(endpoint.Strings("publicAccessCidrs"), func(cidr string) bool { return contains(cidr, c.Client.Address) }):
		return fmt.Errorf("publicAccessCidrs (%s) do not contain the client", strings.Join(endpoint.Strings("publicAccessCidrs"), ", "))
	}
	return nil
}

// vpcContaining returns the id of the VPC with a CIDR block that contains the address. found is
// false if there is no such VPC.
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
			(contains(rule.String("cidrIpv4"), c.Client.Address) || slices.Contains(c.Client.Groups, rule.String("referencedSecurityGroupId")))
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
// connect to a TCP port. The group that EKS creates always allows its own members.
func (c *Call) inlineRulesAllow(group store.Object, port int) bool {
	state := Object(group.State)
	isMember := slices.Contains(c.Client.Groups, group.ID)
	if isMember && strings.HasPrefix(state.String("name"), eksGroupPrefix) {
		return true
	}
	return slices.ContainsFunc(state.Objects("ingress"), func(rule Object) bool {
		hasAddress := slices.ContainsFunc(rule.Strings("cidrBlocks"), func(cidr string) bool { return contains(cidr, c.Client.Address) })
		hasGroup := slices.ContainsFunc(rule.Strings("securityGroups"), func(id string) bool { return slices.Contains(c.Client.Groups, id) })
		return allowsPort(rule, "protocol", port) && (hasAddress || hasGroup || rule.Bool("self") && isMember)
	})
}

// allowsPort reports whether a rule allows a TCP port. protocolProp is the property with the
// protocol of the rule.
func allowsPort(rule Object, protocolProp string, port int) bool {
	switch protocolNumber(rule.String(protocolProp)) {
	case protocols["all"]:
		return true
	case protocols["tcp"]:
		return rule.Int("fromPort") <= port && port <= rule.Int("toPort")
	}
	return false
}
