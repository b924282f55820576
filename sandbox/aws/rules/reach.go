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
// a program run connects. The value is an IPv4 address, then the security groups of its
// network interface if the run is in a VPC, as in "10.20.32.7,sg-0123456789abcdef0".
const RunFromVariable = "SANDBOX_RUN_FROM"

// DefaultRunFrom is an address for documentation (RFC 5737). It represents a client on
// the internet. The stacks of this repository allow its block.
const DefaultRunFrom = "203.0.113.10"

// Place is the place in the network from which a program run connects. The zero Place
// is AWS itself, which reaches everything.
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

// privateDNS maps a module of Pulumi types, or a part of one, to the interface endpoint
// of the service that the types call. In a VPC with that endpoint, the name of the
// service's API resolves to the endpoint. "logs" is a part of the module cloudwatch,
// and STS of the module index. A service without a line has no endpoint in the
// stand-in, or its name does not resolve to an endpoint:
// vpc/latest/privatelink/aws-services-privatelink-support.html.
var privateDNS = map[string]string{
	"autoscaling": "autoscaling", "docdb": "rds", "ec2": "ec2", "ecr": "ecr.api", "eks": "eks", "elasticache": "elasticache",
	"kms": "kms", "lb": "elasticloadbalancing", "rds": "rds", "secretsmanager": "secretsmanager", "sns": "sns", "sqs": "sqs",
	"ssm": "ssm", "vpc": "ec2",
	"cloudwatch": "monitoring", "cloudwatch/logGroup": "logs", "cloudwatch/logStream": "logs", "cloudwatch/logResourcePolicy": "logs",
	"index/getCallerIdentity": "sts",
}

// endpointService returns the service whose interface endpoint receives the calls of a
// type or function, such as aws:ec2/vpc:Vpc.
func endpointService(token string) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(token, "aws:"), ":")
	module, _, _ := strings.Cut(path, "/")
	if service, ok := privateDNS[path]; ok {
		return service
	}
	return privateDNS[module]
}

// verifyServiceReachable returns an error if the run is in a VPC whose interface
// endpoint for the service does not allow it. With private DNS the service's name
// resolves to the endpoint in the whole VPC:
// vpc/latest/privatelink/privatelink-access-aws-services.html, "Private DNS". The
// endpoint's security groups must allow the client:
// vpc/latest/privatelink/create-interface-endpoint.html, "Prerequisites".
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
		e := Object(o.State)
		if e.String("vpcId") != vpc || !e.Bool("privateDnsEnabled") || c.serviceOf(e.String("serviceName")) != service {
			return true
		}
		if !c.admits(e.Strings("securityGroupIds"), https) {
			refused = fmt.Errorf("request send failed, dial tcp: i/o timeout: in %s the name of %s resolves to the interface endpoint %s, "+
				"whose security groups (%s) do not admit %s on port %d", vpc, service, o.ID, strings.Join(e.Strings("securityGroupIds"), ", "), c.From, https)
		}
		return false
	})
	return refused
}

const https = 443

// String returns the text of a place for errors.
func (p Place) String() string {
	if len(p.Groups) == 0 {
		return p.Address.String()
	}
	return p.Address.String() + " with " + strings.Join(p.Groups, ", ")
}

// ReachCluster returns an error if a run cannot connect to the API endpoint of a cluster.
// The rules are from eks/latest/userguide/cluster-endpoint.html:
//   - Inside the VPC, the endpoint's name resolves to private addresses if private
//     access is enabled, and to public addresses otherwise.
//   - Outside the VPC, it resolves to public addresses if public access is enabled, and
//     to private addresses otherwise.
//   - publicAccessCidrs has the clients that can reach the public addresses.
//   - The cluster's security groups have the clients that can reach the private ones.
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

func (c *Call) verifyEndpointReachable(cluster store.Object) error {
	endpoint := Object(cluster.State).Object("vpcConfig")
	public, private := endpoint.Bool("endpointPublicAccess"), endpoint.Bool("endpointPrivateAccess")
	vpc, inside := c.vpcContaining(c.From.Address)
	inside = inside && vpc == endpoint.String("vpcId")
	groups := append(endpoint.Strings("securityGroupIds"), endpoint.String("clusterSecurityGroupId"))
	switch {
	case inside && private, !inside && !public && c.From.Address.IsPrivate():
		if !c.admits(groups, https) {
			return fmt.Errorf("its security groups (%s) do not admit it on port %d", strings.Join(groups, ", "), https)
		}
		return nil
	case inside || c.From.Address.IsPrivate():
		return fmt.Errorf("its name resolves to public addresses there, and the stand-in does not know which public address %s has", c.From.Address)
	case !public:
		return fmt.Errorf("it is private, and a public address is in no connected network")
	case !slices.ContainsFunc(endpoint.Strings("publicAccessCidrs"), func(cidr string) bool { return contains(cidr, c.From.Address) }):
		return fmt.Errorf("its publicAccessCidrs are %s", strings.Join(endpoint.Strings("publicAccessCidrs"), ", "))
	}
	return nil
}

// vpcContaining returns the VPC whose block contains an address.
func (c *Call) vpcContaining(address netip.Addr) (id string, found bool) {
	c.Tx.Each(c.scope(rows[vpcType]), vpcType, func(o store.Object) bool {
		if contains(Object(o.State).String("cidrBlock"), address) {
			id, found = o.ID, true
		}
		return !found
	})
	return id, found
}

func contains(cidr string, address netip.Addr) bool {
	block, err := netip.ParsePrefix(cidr)
	return err == nil && block.Contains(address)
}

// admits says whether one of the groups allows the run to connect to a TCP port, by a
// rule that is a separate resource or by an inline rule. Members of a group reach each
// other only by a rule; EKS's own group has that rule.
func (c *Call) admits(groups []string, port int) bool {
	admitted := false
	c.Tx.Each(c.scope(rows[ingressRuleType]), ingressRuleType, func(o store.Object) bool {
		r := Object(o.State)
		admitted = slices.Contains(groups, r.String("securityGroupId")) && allowsPort(r, "ipProtocol", port) &&
			(contains(r.String("cidrIpv4"), c.From.Address) || slices.Contains(c.From.Groups, r.String("referencedSecurityGroupId")))
		return !admitted
	})
	c.Tx.Each(c.scope(rows[securityGroupType]), securityGroupType, func(o store.Object) bool {
		if admitted || !slices.Contains(groups, o.ID) {
			return !admitted
		}
		state := Object(o.State)
		admitted = strings.HasPrefix(state.String("name"), eksGroupPrefix) && slices.Contains(c.From.Groups, o.ID)
		for _, r := range state.Objects("ingress") {
			admitted = admitted || allowsPort(r, "protocol", port) &&
				(slices.ContainsFunc(r.Strings("cidrBlocks"), func(cidr string) bool { return contains(cidr, c.From.Address) }) ||
					slices.ContainsFunc(r.Strings("securityGroups"), func(id string) bool { return slices.Contains(c.From.Groups, id) }) ||
					r.Bool("self") && slices.Contains(c.From.Groups, o.ID))
		}
		return !admitted
	})
	return admitted
}

// allowsPort says whether a rule allows a TCP port.
func allowsPort(rule Object, protocolName string, port int) bool {
	switch protocolNumber(rule.String(protocolName)) {
	case "-1":
		return true
	case "6":
		return rule.Int("fromPort") <= port && port <= rule.Int("toPort")
	}
	return false
}
