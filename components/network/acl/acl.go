// Package acl computes the rules of the network ACL of the private-data subnets. It
// imports no SDK. It owns the rules and their numbers. The resources are in package
// network.
//
// The security groups of the data stores admit only named clients. The ACL is a second
// limit: if somebody opens a security group by mistake, other tiers still can't connect.
// All rules are for TCP, and other traffic is denied. An ACL never filters AWS's DNS,
// time and metadata services (VPC User Guide, "Network ACLs").
package acl

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/progressive-framework/platform/components/mongo/docdbspec"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/postgres/rdsspec"
	"github.com/progressive-framework/platform/components/redis/elasticachespec"
)

// ports are the ports of the data stores.
var ports = []int{rdsspec.Port, elasticachespec.Port, docdbspec.Port}

const (
	// A response goes to a port that the client's kernel or a NAT gateway chose (VPC
	// User Guide, "Ephemeral ports").
	ephemeralFrom = 1024
	ephemeralTo   = 65535
)

// The first number of each kind of rule. The zone's letter adds a multiple of numbersPerZone,
// and the port adds 0 to 2. So a new zone does not change the numbers of other rules.
const (
	firstAppNumber  = 100
	firstDataNumber = 200
	firstIPv6Number = 300

	numbersPerZone = 10
)

// Rule allows TCP traffic between the data subnets and a CIDR block.
type Rule struct {
	// Number is the position of the rule, 1 to 32766. AWS applies the first rule
	// that matches.
	Number int
	// Block is the CIDR block of the source of an ingress rule, or of the destination of an
	// egress rule.
	Block netip.Prefix
	// From and To are the first and the last destination port.
	From, To int
}

// Rules are the allow rules of an ACL, sorted by number.
type Rules struct{ Ingress, Egress []Rule }

// DataRules returns the rules for the private-data subnets. subnets are all subnets of the
// VPC, and ipv6 is its IPv6 block. Clients in the private-app subnets may connect to the
// stores' ports, and get responses. The stores in the private-data subnets may replicate
// with each other.
//
// Each direction has at most four rules for each zone and four for IPv6. AWS's
// default quota of 20 rules is enough for four zones. Six zones need 28 rules. The quota
// can be raised to 40 (VPC User Guide, "Amazon VPC quotas").
func DataRules(subnets []subnet.Subnet, ipv6 netip.Prefix) (Rules, error) {
	var r Rules
	for _, s := range subnets {
		zoneOffset := numbersPerZone * int(s.Zone[len(s.Zone)-1]-'a')
		switch s.Tier {
		case subnet.PrivateApp:
			r.allowClients(firstAppNumber+zoneOffset, s.Block)
		case subnet.PrivateData:
			r.allowReplication(firstDataNumber+zoneOffset, s.Block)
		}
	}
	app, err := subnet.IPv6Tier(ipv6, subnet.PrivateApp)
	if err != nil {
		return Rules{}, fmt.Errorf("network ACL: %w", err)
	}
	data, err := subnet.IPv6Tier(ipv6, subnet.PrivateData)
	if err != nil {
		return Rules{}, fmt.Errorf("network ACL: %w", err)
	}
	r.allowClients(firstIPv6Number, app)
	r.allowReplication(firstIPv6Number+numbersPerZone, data)
	for _, rules := range [][]Rule{r.Ingress, r.Egress} {
		slices.SortFunc(rules, func(a, b Rule) int { return a.Number - b.Number })
	}
	return r, nil
}

// allowClients allows connections from clients to the stores' ports, and the
// responses.
func (r *Rules) allowClients(number int, clients netip.Prefix) {
	for i, port := range ports {
		r.Ingress = append(r.Ingress, Rule{number + i, clients, port, port})
	}
	r.Egress = append(r.Egress, Rule{number, clients, ephemeralFrom, ephemeralTo})
}

// allowReplication allows connections in both directions between the stores of two data
// subnets. The ephemeral range includes Redis' port (6379) and its cluster bus (16379).
func (r *Rules) allowReplication(number int, peers netip.Prefix) {
	rule := Rule{number, peers, ephemeralFrom, ephemeralTo}
	r.Ingress = append(r.Ingress, rule)
	r.Egress = append(r.Egress, rule)
}
