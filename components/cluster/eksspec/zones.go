package eksspec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// withoutControlPlane are the ids of the zones in which EKS has no control planes
// (EKS User Guide, "Subnet requirements for clusters"). They are ids and not names,
// because the name of such a zone differs by account.
var withoutControlPlane = []string{"use1-az3", "usw1-az2", "cac1-az3"}

// HasControlPlanes reports whether EKS has control planes in a zone, by its id.
func HasControlPlanes(zoneID string) bool { return !slices.Contains(withoutControlPlane, zoneID) }

// CheckZoneIDs returns an error if EKS has no control planes in one of the zones. network
// are the zones of the network, which the error proposes. ids are the ids of the
// account's zones by name.
func CheckZoneIDs(zones, network []string, ids map[string]string) error {
	var errs []error
	for _, zone := range zones {
		if !HasControlPlanes(ids[zone]) {
			errs = append(errs, fmt.Errorf("%s is %s in this account, where EKS has no control planes; choose from %s",
				zone, ids[zone], strings.Join(zonesWithControlPlanes(network, ids), ", ")))
		}
	}
	return errors.Join(errs...)
}

// DefaultZones returns the first two zones of a network, by name, in which EKS has
// control planes.
func DefaultZones(network []string, ids map[string]string) ([]string, error) {
	zones := zonesWithControlPlanes(network, ids)
	if len(zones) >= minZones {
		return zones[:minZones], nil
	}
	var unusable []string
	for _, zone := range slices.Sorted(slices.Values(network)) {
		if !slices.Contains(zones, zone) {
			unusable = append(unusable, zone+" is "+ids[zone])
		}
	}
	var others []string
	for zone := range ids {
		if !slices.Contains(network, zone) && HasControlPlanes(ids[zone]) {
			others = append(others, zone)
		}
	}
	slices.Sort(others)
	return nil, fmt.Errorf("EKS has control planes in %d of the zones and needs %d: in this account %s, where it has none; add one of %s",
		len(zones), minZones, strings.Join(unusable, ", "), strings.Join(others, ", "))
}

// zonesWithControlPlanes returns the zones of the network in which EKS has control planes, sorted by
// name.
func zonesWithControlPlanes(network []string, ids map[string]string) []string {
	zones := slices.Sorted(slices.Values(network))
	return slices.DeleteFunc(zones, func(zone string) bool { return !HasControlPlanes(ids[zone]) })
}
