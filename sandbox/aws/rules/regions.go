package rules

import (
	"slices"
	"strings"
)

// region is one region of AWS.
type region struct {
	name string // the name in AWS's console
	code string // the prefix of its zone ids
	// zones are the availability zones of an account: the number of the zone id by the
	// letter of the name. Accounts that were created before November 2025 combine letters
	// and numbers differently, so only the set of zones is reliable.
	zones map[string]string
}

// regions are the regions of the stand-in. More can be added from
// docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html and
// aws-availability-zones.html. On 2026-11-23 the zone ids were compared with a copy of
// 2025. apne1-az3 is left out, because accounts in public listings lack it.
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

// Regions returns the names of the stand-in's regions, sorted.
func Regions() []string {
	out := make([]string, 0, len(regions))
	for name := range regions {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// KnownRegion says whether the stand-in has a region.
func KnownRegion(name string) bool { _, ok := regions[name]; return ok }

// zone is one availability zone.
type zone struct{ name, id string }

// zonesOf returns the zones of a region, sorted by name.
func zonesOf(name string) []zone {
	r := regions[name]
	var out []zone
	for letter, number := range r.zones {
		out = append(out, zone{name + letter, r.code + "-az" + number})
	}
	slices.SortFunc(out, func(a, b zone) int { return strings.Compare(a.name, b.name) })
	return out
}

// zoneID returns the id of a region's zone; "" if there is none.
func zoneID(regionName, zoneName string) string {
	for _, z := range zonesOf(regionName) {
		if z.name == zoneName {
			return z.id
		}
	}
	return ""
}

// zoneName returns the name of a region's zone; "" if there is none.
func zoneName(regionName, id string) string {
	for _, z := range zonesOf(regionName) {
		if z.id == id {
			return z.name
		}
	}
	return ""
}
