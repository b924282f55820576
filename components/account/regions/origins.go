package regions

import (
	"fmt"
	"slices"
	"strings"
)

// zoneIDsWithoutVPCOrigins are the ids of the zones in which CloudFront has no VPC origins
// (CloudFront Developer Guide, "Supported AWS Regions for VPC origins"). The list is not
// complete: that page also names zones of other regions.
var zoneIDsWithoutVPCOrigins = []string{"use1-az3"}

// minBalancerZones is the number of zones that AWS requires for an application load balancer.
const minBalancerZones = 2

// VPCOriginZones returns those of networkZones in which CloudFront has VPC origins, in the same
// order. The load balancer can be in these zones. zoneIDs are the ids of the account's zones
// by name. Fewer than two such zones are an error.
func VPCOriginZones(networkZones []string, zoneIDs map[string]string) ([]string, error) {
	zones := slices.DeleteFunc(slices.Clone(networkZones), func(zone string) bool { return slices.Contains(zoneIDsWithoutVPCOrigins, zoneIDs[zone]) })
	if len(zones) < minBalancerZones {
		return nil, fmt.Errorf("a load balancer needs %d zones, and CloudFront reaches it in %d of %s only: it has no VPC origins in %s; add a zone",
			minBalancerZones, len(zones), strings.Join(networkZones, ", "), strings.Join(zoneIDsWithoutVPCOrigins, ", "))
	}
	return zones, nil
}
