package eksspec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// zoneIDsWithoutControlPlanes are the ids of the zones in which EKS has no control planes
// (EKS User Guide, "Subnet requirements for clusters"). They are ids and not names,
// because the name of such a zone differs by account.
var zoneIDsWithoutControlPlanes = []string{"use1-az3", "usw1-az2", "cac1-az3"}

// HasControlPlanes reports whether EKS has control planes in a zone, by its id.
func HasControlPlanes(zoneID string) bool {
	return !slices.Contains(zoneIDsWithoutControlPlanes, zoneID)
}

// CheckZoneIDs returns an error if EKS has no control planes in one of the zones. The error
// proposes the usable ones of networkZones, the zones of the network. zoneIDs are the ids of
// the account's zones by name.
func CheckZoneIDs(zones, networkZones []string, zoneIDs map[string]string) error {
	var errs []error
	for _, zone := range zones {
		if !HasControlPlanes(zoneIDs[zone]) {
			errs = append(errs, fmt.Errorf("%s is %s in this account, where EKS has no control planes; choose from %s",
				zone, zoneIDs[zone], strings.Join(zonesWithControlPlanes(networkZones, zoneIDs), ", ")))
		}
	}
	return errors.Join(errs...)
}

// DefaultZones sorts networkZones by name and returns the first two in which EKS has control planes.
// It returns an error if EKS has control planes in fewer than two of them.
func DefaultZones(networkZones []string, zoneIDs map[string]string) ([]string, error) {
	zones := zonesWithControlPlanes(networkZones, zoneIDs)
	if len(zones) >= minZones {
		return zones[:minZones], nil
	}
	var unusable []string
	for _, zone := range slices.Sorted(slices.Values(networkZones)) {
		if !slices.Contains(zones, zone) {
			unusable = append(unusable, zone+" is "+zoneIDs[zone])
		}
	}
	var others []string
	for zone := range zoneIDs {
		if !slices.Contains(networkZones, zone) && HasControlPlanes(zoneIDs[zone]) {
			others = append(others, zone)
		}
	}
	slices.Sort(others)
	return nil, fmt.Errorf("EKS has control planes in %d of the zones and needs at least %d: it has none in these zones of this account: %s; add one of %s",
		len(zones), minZones, strings.Join(unusable, ", "), strings.Join(others, ", "))
}

// zonesWithControlPlanes returns those of networkZones in which EKS has control planes, sorted
// by name.
func zonesWithControlPlanes(networkZones []string, zoneIDs map[string]string) []string {
	zones := slices.Sorted(slices.Values(networkZones))
	return slices.DeleteFunc(zones, func(zone string) bool { return !HasControlPlanes(zoneIDs[zone]) })
}
