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
	if s.Cluster.Nodes == NodesOwn || s.Network.VPCID != "" {
		return nil // the stack does not know the nodes, or the subnets yet
	}
	zones := len(s.Network.Zones)
	app, most := s.privateAddresses(zones)
	data := s.databaseAddresses(zones)
	if app == 0 {
		return nil // its own rule refuses it
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

// AddressNeeds returns the addresses that the stack takes at its largest in each
// private and each database subnet of an existing VPC. They are zero for nodes that the
// stack does not manage, because it does not know them.
func (s *Stack) AddressNeeds() existingvpc.Needs {
	if s.Cluster.Nodes == NodesOwn {
		return existingvpc.Needs{}
	}
	app, _ := s.privateAddresses(len(s.Network.PrivateSubnetIDs))
	return existingvpc.Needs{Private: app + balancerAddresses, Database: s.databaseAddresses(len(s.Network.DatabaseSubnetIDs))}
}

// share is the part of n that a zone has, if n is spread evenly.
func share(n, zones int) int { return (n + zones - 1) / zones }

// privateAddresses returns the addresses of nodes, pods and endpoints in a zone, and the
// largest number of nodes. It returns zero for tiers that their own rule refuses.
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

// databaseAddresses returns the addresses of the managed stores in a zone.
func (s *Stack) databaseAddresses(zones int) int {
	data := 0
	if s.Postgres.Kind == Managed {
		data += rdsInstance
	}
	if s.Redis.Kind == Managed {
		if c, _, err := s.Cache().Complete(); err == nil {
			data += share(c.Shards*(1+c.ReplicasPerShard), zones)
		}
	}
	if s.Mongo.Kind == MongoManaged {
		if c, err := s.Documents().Complete(); err == nil {
			data += share(c.Instances, zones)
		}
	}
	return data
}
