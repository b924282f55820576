package config

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/network/existingvpc"
	"github.com/progressive-framework/platform/components/network/subnet"
)

// Addresses of a zone that neither nodes nor pods use.
const (
	// subnetReserved is the number of addresses that AWS keeps in each subnet (VPC User Guide,
	// "Subnet CIDR blocks").
	subnetReserved = 5
	// endpointInterfaces is larger than the number of interface endpoints, each of which has one
	// address in each zone. controlPlaneInterfaces is for EKS's network interfaces.
	endpointInterfaces, controlPlaneInterfaces = 16, 4
	// prefix is the number of addresses that the network plugin takes together. A node has its own
	// address, one prefix in use and one spare prefix (WARM_PREFIX_TARGET).
	prefix  = 16
	perNode = 1 + 2*prefix
	// rdsInstance is the number of addresses for RDS in each zone (not checked against
	// AWS's documentation).
	rdsInstance = 2
	// balancerAddresses is the number of addresses that must be free for the load balancer (ELB
	// User Guide, "Subnets for your load balancer"), plus one for a NAT gateway.
	balancerAddresses = 8 + 1
)

// validateAddresses checks that each tier of subnets has enough addresses for what is placed in it.
// It assumes that everything is spread evenly over the zones.
func validateAddresses(s *Stack) field.ErrorList {
	if s.Cluster.Nodes == NodesOwn || s.Network.VPCID != "" {
		return nil // the stack does not know the nodes, or the subnets yet
	}
	zones := len(s.Network.Zones)
	app, nodes := s.privateAddresses(zones)
	data := s.databaseAddresses(zones)
	if app == 0 {
		return nil // the rule of its key reports it
	}
	var problems field.ErrorList
	plan, err := subnet.Subnets(s.Network.Block, s.Region, s.Network.Zones)
	if err != nil {
		return nil // the rule of its key reports it
	}
	for _, need := range []struct {
		tier  subnet.Tier
		count int
		user  string
		fix   string
	}{
		{subnet.PrivateApp, app, fmt.Sprintf("up to %d nodes and their pods", nodes), "take a larger block, more zones, or lower tiers.NAME.max"},
		{subnet.Public, balancerAddresses, "the load balancer", "take a larger block"},
		{subnet.PrivateData, data, "the data stores", "take a larger block, more zones, or fewer nodes of the stores"},
	} {
		i := slices.IndexFunc(plan, func(p subnet.Subnet) bool { return p.Tier == need.tier })
		if available := 1<<(32-plan[i].Block.Bits()) - subnetReserved; need.count > available {
			problems = append(problems, field.Invalid(path("network.cidr"), s.Network.CIDR, fmt.Sprintf(
				"has %d addresses for %s in each of %d zones, but %s need %d: %s", available, need.tier, zones, need.user, need.count, need.fix)))
		}
	}
	return problems
}

// AddressNeeds returns how many addresses the stack needs at most in each private subnet and in
// each database subnet of an existing VPC. Both numbers are zero if the stack does not manage the
// nodes, because it does not know how many there are.
func (s *Stack) AddressNeeds() existingvpc.Needs {
	if s.Cluster.Nodes == NodesOwn {
		return existingvpc.Needs{}
	}
	app, _ := s.privateAddresses(len(s.Network.PrivateSubnetIDs))
	return existingvpc.Needs{Private: app + balancerAddresses, Database: s.databaseAddresses(len(s.Network.DatabaseSubnetIDs))}
}

// share returns the largest number in one zone, if n is spread evenly over the zones.
func share(n, zones int) int { return (n + zones - 1) / zones }

// privateAddresses returns the number of addresses that nodes, pods and endpoints need in one zone,
// and the largest number of nodes in all zones. Both are zero if the tiers are invalid:
// validateTiers reports that.
func (s *Stack) privateAddresses(zones int) (addresses, nodes int) {
	tiers, err := s.NodeTiers("cluster")
	if err != nil {
		return 0, 0
	}
	addresses = endpointInterfaces + controlPlaneInterfaces
	for _, t := range tiers {
		addresses += share(t.Profile.Size.Max, zones) * perNode
		nodes += t.Profile.Size.Max
	}
	return addresses + share(len(s.pods()), zones), nodes // pods beyond the first prefix of each node
}

// databaseAddresses returns the number of addresses that the managed stores need in one zone.
func (s *Stack) databaseAddresses(zones int) int {
	count := 0
	if s.Postgres.Kind == Managed {
		count += rdsInstance
	}
	if s.Redis.Kind == Managed {
		if c, _, err := s.Cache().Complete(); err == nil {
			count += share(c.Shards*(1+c.ReplicasPerShard), zones)
		}
	}
	if s.Mongo.Kind == MongoManaged {
		if c, err := s.Documents().Complete(); err == nil {
			count += share(c.Instances, zones)
		}
	}
	return count
}
