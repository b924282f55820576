package rules

import (
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"slices"
)

// region is one region of AWS.
type region struct {
	consoleName  string // the name in AWS's console
	zoneIDPrefix string // the prefix of the region's zone ids
	// zones maps the letter of each availability zone to the number in its zone id, for
	// one account. The mapping differs between AWS accounts.
	zones map[string]string
}

// regions are the regions of the stand-in, by code, such as us-east-1. AWS has more regions. The sources are
// the pages aws-regions.html and aws-availability-zones.html in
// docs.aws.amazon.com/global-infrastructure/latest/regions/. The zone ids were compared on
// 2026-11-23 with a copy of the second page from 2025. The zone apne1-az3 is left out,
// because accounts that publish their zones do not have it.
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

// threeZones is the field zones of a region with the letters a to c and the numbers 1 to 3.
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

// HasRegion reports whether the stand-in has a region with a name.
func HasRegion(name string) bool { _, ok := regions[name]; return ok }

// zone is one availability zone.
type zone struct{ name, id string }

// regionZones returns the zones of a region, sorted by name. The mapping of zone names to zone
// ids differs between AWS accounts (ram/latest/userguide/working-with-az-ids.html). So each
// value of seed gives a different mapping, and 0 gives the mapping in regions.
func regionZones(name string, seed uint64) []zone {
	region := regions[name]
	letters := slices.Sorted(maps.Keys(region.zones))
	numbers := make([]string, len(letters))
	for i, letter := range letters {
		numbers[i] = region.zones[letter]
	}
	if seed != 0 {
		rng := rand.New(rand.NewPCG(seed, uint64(crc32.ChecksumIEEE([]byte(name)))))
		rng.Shuffle(len(numbers), func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
	}
	var out []zone
	for i, letter := range letters {
		out = append(out, zone{name + letter, region.zoneIDPrefix + "-az" + numbers[i]})
	}
	return out
}

// zones returns the availability zones of the provider's region, with the mapping to zone ids of
// the sandbox's account.
func (c *Cloud) zones() []zone { return regionZones(c.Region, c.Layout.ZoneSeed) }

// zoneID returns the id of the zone with a name, or "" if the region has no such zone.
func (c *Cloud) zoneID(name string) string {
	for _, z := range c.zones() {
		if z.name == name {
			return z.id
		}
	}
	return ""
}

// zoneName returns the name of the zone with an id, or "" if the region has no such zone.
func (c *Cloud) zoneName(id string) string {
	for _, z := range c.zones() {
		if z.id == id {
			return z.name
		}
	}
	return ""
}
