package rules

import (
	"slices"
	"strings"
)

// region is what is known of one region.
type region struct {
	name string // as the console calls it
	code string // the prefix of its zone ids
	// zones are the availability zones that an account sees, each letter with
	// the number of its zone id. Which letter has which number differs between
	// accounts made before November 2025, so that only the set is a fact.
	zones map[string]string
}

// regions are those that the stand-in knows; more can be added from
// docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
// and aws-availability-zones.html, with which the zone ids were compared on
// 2026-11-23 (a copy of 2025). apne1-az3 is left out: the
// accounts in public listings do not see it.
var regions = map[string]region{
	"us-east-1":      {"US East (N. Virginia)", "use1", map[string]string{"a": "1", "b": "2", "c": "4", "d": "6", "e": "3", "f": "5"}},
	"us-east-2":      {"US East (Ohio)", "use2", threeZones},
	"us-west-2":      {"US West (Oregon)", "usw2", map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}},
	"ca-central-1":   {"Canada (Central)", "cac1", map[string]string{"a": "1", "b": "2", "d": "4"}},
	"eu-central-1":   {"Europe (Frankfurt)", "euc1", map[string]string{"a": "2", "b": "3", "c": "1"}},
	"eu-west-1":      {"Europe (Ireland)", "euw1", threeZones},
	"eu-west-2":      {"Europe (London)", "euw2", threeZones},
	"eu-west-3":      {"Europe (Paris)", "euw3", threeZones},
	"eu-north-1":     {"Europe (Stockholm)", "eun1", threeZones},
	"ap-south-1":     {"Asia Pacific (Mumbai)", "aps1", threeZones},
	"ap-northeast-1": {"Asia Pacific (Tokyo)", "apne1", map[string]string{"a": "4", "c": "1", "d": "2"}},
	"ap-northeast-2": {"Asia Pacific (Seoul)", "apne2", map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}},
	"ap-southeast-1": {"Asia Pacific (Singapore)", "apse1", threeZones},
	"ap-southeast-2": {"Asia Pacific (Sydney)", "apse2", threeZones},
	"sa-east-1":      {"South America (Sao Paulo)", "sae1", threeZones},
}

var threeZones = map[string]string{"a": "1", "b": "2", "c": "3"}

// Regions are the names of the regions that the stand-in knows, sorted.
func Regions() []string {
	out := make([]string, 0, len(regions))
	for name := range regions {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// KnownRegion says whether the stand-in knows a region.
func KnownRegion(name string) bool { _, ok := regions[name]; return ok }

// zone is one availability zone.
type zone struct{ name, id string }

// zonesOf are the zones of a region, by name.
func zonesOf(name string) []zone {
	r := regions[name]
	var out []zone
	for letter, number := range r.zones {
		out = append(out, zone{name + letter, r.code + "-az" + number})
	}
	slices.SortFunc(out, func(a, b zone) int { return strings.Compare(a.name, b.name) })
	return out
}

// zoneID is the id of a zone of a region, empty where there is none.
func zoneID(regionName, zoneName string) string {
	for _, z := range zonesOf(regionName) {
		if z.name == zoneName {
			return z.id
		}
	}
	return ""
}

func zoneName(regionName, id string) string {
	for _, z := range zonesOf(regionName) {
		if z.id == id {
			return z.name
		}
	}
	return ""
}
