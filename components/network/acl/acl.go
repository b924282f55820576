// Package acl says what the network ACL of the private-data subnets lets
// through. It is pure: it owns the rules and their numbers, and nothing of
// AWS.
//
// The security groups of the data stores say who may speak to them; the ACL
// says it again by subnet, so that a group opened by mistake is reached from no
// other tier. Everything is TCP, everything else is denied. AWS's own DNS, time
// and metadata are never filtered by an ACL (VPC User Guide, "Network ACLs").
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

// ports are those on which the data stores listen.
var ports = []int{rdsspec.Port, elasticachespec.Port, docdbspec.Port}

const (
	// An answer goes to a port that the asker's kernel or a NAT gateway chose
	// (VPC User Guide, "Ephemeral ports").
	ephemeralFrom = 1024
	ephemeralTo   = 65535
)

// Where each kind of rule begins to count. Within its kind a rule's number
// follows from the zone's letter and the port, so that a new zone moves no
// rule.
const (
	appNumbers  = 100
	dataNumbers = 200
	ipv6Numbers = 300

	perZone = 10
)

// Rule lets TCP through between the data subnets and a block.
type Rule struct {
	// Number is the rule's place: AWS takes the first that matches, 1 to 32766.
	Number int
	// Block is the source of what comes in, the destination of what goes out.
	Block netip.Prefix
	// From and To are the ports of the one who is spoken to.
	From, To int
}

// Rules are what an ACL allows, by number.
type Rules struct{ Ingress, Egress []Rule }

// Data is the ACL of the private-data subnets among subnets. From the
// private-app subnets come questions to the stores' ports, and answers go back
// there; between the data subnets the stores replicate. ipv6 is the VPC's IPv6
// block.
//
// The rules of one direction are four a zone and four for IPv6: AWS's default
// quota of 20 holds four zones, six zones (28) need it raised, up to 40 (VPC
// User Guide, "Amazon VPC quotas").
func Data(subnets []subnet.Subnet, ipv6 netip.Prefix) (Rules, error) {
	var r Rules
	for _, s := range subnets {
		zone := perZone * int(s.Zone[len(s.Zone)-1]-'a')
		switch s.Tier {
		case subnet.PrivateApp:
			r.asked(appNumbers+zone, s.Block)
		case subnet.PrivateData:
			r.replicated(dataNumbers+zone, s.Block)
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
	r.asked(ipv6Numbers, app)
	r.replicated(ipv6Numbers+perZone, data)
	for _, rules := range [][]Rule{r.Ingress, r.Egress} {
		slices.SortFunc(rules, func(a, b Rule) int { return a.Number - b.Number })
	}
	return r, nil
}

func (r *Rules) asked(number int, by netip.Prefix) {
	for i, port := range ports {
		r.Ingress = append(r.Ingress, Rule{number + i, by, port, port})
	}
	r.Egress = append(r.Egress, Rule{number, by, ephemeralFrom, ephemeralTo})
}

// replicated lets a data subnet's stores speak to those of another: Redis on
// its port and its bus (16379), and their answers.
func (r *Rules) replicated(number int, with netip.Prefix) {
	rule := Rule{number, with, ephemeralFrom, ephemeralTo}
	r.Ingress = append(r.Ingress, rule)
	r.Egress = append(r.Egress, rule)
}
