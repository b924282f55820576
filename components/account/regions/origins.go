package regions

import (
	"fmt"
	"slices"
	"strings"
)

// withoutVPCOrigins are the ids of the zones in which CloudFront has no VPC origins
// (CloudFront Developer Guide, "Supported AWS Regions for VPC origins"). The list is not
// complete: that page also names zones of other regions.
var withoutVPCOrigins = []string{"use1-az3"}

// minBalancerZones is AWS's minimum for an application load balancer.
const minBalancerZones = 2

// OriginZones returns the zones of a network in which the load balancer of a VPC origin
// can be, in the order of network. ids are the ids of the account's zones by name.
func OriginZones(network []string, ids map[string]string) ([]string, error) {
	zones := slices.DeleteFunc(slices.Clone(network), func(zone string) bool { return slices.Contains(withoutVPCOrigins, ids[zone]) })
	if len(zones) < minBalancerZones {
		return nil, fmt.Errorf("a load balancer needs %d zones, and CloudFront reaches it in %d of %s only: it has no VPC origins in %s; add a zone",
			minBalancerZones, len(zones), strings.Join(network, ", "), strings.Join(withoutVPCOrigins, ", "))
	}
	return zones, nil
}
