package config

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/network/existingvpc"
	"github.com/progressive-framework/platform/components/network/subnet"
)

// Numbers of addresses that the parts of a stack use.
const (
	// subnetReserved is the number of addresses that AWS keeps in each subnet (VPC User Guide,
	// "Subnet CIDR blocks").
	subnetReserved = 5
	// endpointInterfaces is larger than the number of interface endpoints, each of which has one
	// address in each zone. controlPlaneInterfaces is for EKS's network interfaces.
	endpointInterfaces, controlPlaneInterfaces = 16, 4
	// prefixAddresses is the number of addresses of a prefix. The network plugin allocates
	// addresses to a node by prefix. A node uses nodeAddresses: its own address, one prefix in use
	// and one spare prefix (WARM_PREFIX_TARGET).
	prefixAddresses = 16
	nodeAddresses   = 1 + 2*prefixAddresses
	// rdsAddresses is the number of addresses for RDS in each zone (not checked against AWS's
	// documentation).
	rdsAddresses = 2
	// balancerAddresses is the number of addresses that must be free for the load balancer,
	// plus one for a NAT gateway. Source: ELB User Guide, "Subnets for your load balancer".
	balancerAddresses = 8 + 1
)

// validateAddresses checks that each tier of subnets has enough addresses for what is placed in it.
// It assumes that the nodes and the stores are spread evenly over the zones.
func validateAddresses(s *Stack) field.ErrorList {
	if s.Cluster.Nodes == NodesOwn || s.Network.VPCID != "" {
		return nil // the number of nodes, or the size of the subnets, is not known here
	}
	zones := len(s.Network.Zones)
	appAddresses, nodes := s.countPrivateAddresses(zones)
	dataAddresses := s.countDatabaseAddresses(zones)
	if appAddresses == 0 {
		return nil // validateTiers reports the error
	}
	var problems field.ErrorList
	subnets, err := subnet.Subnets(s.Network.Block, s.Region, s.Network.Zones)
	if err != nil {
		return nil // validateNetwork reports the error
	}
	for _, need := range []struct {
		tier  subnet.Tier
		count int
		user  string
		fix   string
	}{
		{subnet.PrivateApp, appAddresses, fmt.Sprintf("up to %d nodes and their pods", nodes), "choose a larger block, more zones, or lower tiers.NAME.max"},
		{subnet.Public, balancerAddresses, "the load balancer", "choose a larger block"},
		{subnet.PrivateData, dataAddresses, "the data stores", "choose a larger block, more zones, or fewer nodes of the stores"},
	} {
		i := slices.IndexFunc(subnets, func(p subnet.Subnet) bool { return p.Tier == need.tier })
		if available := 1<<(32-subnets[i].Block.Bits()) - subnetReserved; need.count > available {
			problems = append(problems, field.Invalid(path("network.cidr"), s.Network.CIDR, fmt.Sprintf(
				"has %d addresses for %s in each of %d zones, but %s need %d: %s", available, need.tier, zones, need.user, need.count, need.fix)))
		}
	}
	return problems
}

// AddressNeeds returns how many addresses the stack needs at most in each private subnet and in
// each database subnet of an existing VPC. Both numbers are zero if the stack does not manage the
// nodes, because the number of nodes is then not in its configuration.
func (s *Stack) AddressNeeds() existingvpc.Needs {
	if s.Cluster.Nodes == NodesOwn {
		return existingvpc.Needs{}
	}
	addresses, _ := s.countPrivateAddresses(len(s.Network.PrivateSubnetIDs))
	return existingvpc.Needs{Private: addresses + balancerAddresses, Database: s.countDatabaseAddresses(len(s.Network.DatabaseSubnetIDs))}
}

// maxPerZone returns the largest number in one zone, if n is spread evenly over the zones.
func maxPerZone(n, zones int) int { return (n + zones - 1) / zones }

// countPrivateAddresses returns the number of addresses that nodes, pods and endpoints need in one
// zone, and the largest number of nodes in all zones. Both are zero if the tiers are invalid:
// validateTiers reports that.
func (s *Stack) countPrivateAddresses(zones int) (addresses, nodes int) {
	tiers, err := s.NodeTiers("cluster")
	if err != nil {
		return 0, 0
	}
	addresses = endpointInterfaces + controlPlaneInterfaces
	for _, t := range tiers {
		addresses += maxPerZone(t.Profile.Size.Max, zones) * nodeAddresses
		nodes += t.Profile.Size.Max
	}
	// When its first prefix is used up, a node needs another prefix of 16 addresses for each 16 pods.
	// So one more address for each pod of the stack is enough.
	return addresses + maxPerZone(len(s.pods()), zones), nodes
}

// countDatabaseAddresses returns the number of addresses that the managed stores need in one zone.
func (s *Stack) countDatabaseAddresses(zones int) int {
	count := 0
	if s.Postgres.Kind == Managed {
		count += rdsAddresses
	}
	if s.Redis.Kind == Managed {
		if spec, _, err := s.Cache().Complete(); err == nil {
			count += maxPerZone(spec.Shards*(1+spec.ReplicasPerShard), zones)
		}
	}
	if s.Mongo.Kind == MongoManaged {
		if spec, err := s.DocumentDB().Complete(); err == nil {
			count += maxPerZone(spec.Instances, zones)
		}
	}
	return count
}
