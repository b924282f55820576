package config

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/network/subnet"
)

// Addresses of a zone that neither nodes nor pods use.
const (
	// subnetReserved are AWS's own in each subnet (VPC User Guide, "Subnet CIDR
	// blocks").
	subnetReserved = 5
	// endpointInterfaces is more than there are interface endpoints, with one
	// address in each zone; controlPlaneInterfaces are EKS's.
	endpointInterfaces, controlPlaneInterfaces = 16, 4
	// prefix is how many addresses the network plugin takes at once. A node has
	// one in use and one to spare (WARM_PREFIX_TARGET), and its own address.
	prefix      = 16
	perNode     = 1 + 2*prefix
	rdsInstance = 2
	// balancerAddresses are free for the load balancer (ELB User Guide,
	// "Subnets for your load balancer"), with a NAT gateway's.
	balancerAddresses = 8 + 1
)

// validateAddresses compares each tier of subnets with what is placed in it,
// spread evenly over the zones.
func validateAddresses(s *Stack) field.ErrorList {
	if s.Cluster.Nodes == NodesOwn {
		return nil // the stack does not know them
	}
	zones := len(s.Network.Zones)
	tiers, err := s.NodeTiers("cluster")
	if err != nil {
		return nil // its own rule refuses it
	}
	share := func(n int) int { return (n + zones - 1) / zones }
	app, most := endpointInterfaces+controlPlaneInterfaces, 0
	for _, t := range tiers {
		app += share(t.Profile.Size.Max) * perNode
		most += t.Profile.Size.Max
	}
	app += share(len(s.pods())) // beyond the first prefix of each node
	data := 0
	if s.Postgres.Kind == Managed {
		data += rdsInstance
	}
	if s.Redis.Kind == Managed {
		if c, _, err := s.Cache().Complete(); err == nil {
			data += share(c.Shards * (1 + c.ReplicasPerShard))
		}
	}
	if s.Mongo.Kind == MongoManaged {
		if c, err := s.Documents().Complete(); err == nil {
			data += share(c.Instances)
		}
	}
	var problems field.ErrorList
	plan, err := subnet.Subnets(s.Network.Block, s.Region, s.Network.Zones)
	if err != nil {
		return nil // its own rule refuses it
	}
	for _, need := range []struct {
		tier  subnet.Tier
		count int
		user  string
		fix   string
	}{
		{subnet.PrivateApp, app, fmt.Sprintf("up to %d nodes and their pods", most), "take a larger block, more zones, or lower tiers.NAME.max"},
		{subnet.Public, balancerAddresses, "the load balancer", "take a larger block"},
		{subnet.PrivateData, data, "the data stores", "take a larger block, more zones, or fewer nodes of the stores"},
	} {
		i := slices.IndexFunc(plan, func(p subnet.Subnet) bool { return p.Tier == need.tier })
		if has := 1<<(32-plan[i].Block.Bits()) - subnetReserved; need.count > has {
			problems = append(problems, field.Invalid(path("network.cidr"), s.Network.CIDR, fmt.Sprintf(
				"has %d addresses for %s in each of %d zones, which %s need %d of: %s", has, need.tier, zones, need.user, need.count, need.fix)))
		}
	}
	return problems
}
