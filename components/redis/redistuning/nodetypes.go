package redistuning

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/components/size"
)

// nodeTypes are the ElastiCache node types that the platform allows, with their
// memory in GiB. They are the current Graviton types (Amazon ElastiCache
// pricing, table of current generation nodes).
var nodeTypes = map[string]float64{
	"cache.t4g.micro": 0.5, "cache.t4g.small": 1.37, "cache.t4g.medium": 3.09,

	"cache.m7g.large": 6.38, "cache.m7g.xlarge": 12.93, "cache.m7g.2xlarge": 26.04, "cache.m7g.4xlarge": 52.26,
	"cache.m7g.8xlarge": 103.68, "cache.m7g.12xlarge": 157.12, "cache.m7g.16xlarge": 209.55,

	"cache.r7g.large": 13.07, "cache.r7g.xlarge": 26.32, "cache.r7g.2xlarge": 52.82, "cache.r7g.4xlarge": 105.81,
	"cache.r7g.8xlarge": 209.55, "cache.r7g.12xlarge": 317.77, "cache.r7g.16xlarge": 419.09,
}

// LookupMemory returns the memory of an ElastiCache node type such as "cache.r7g.large", rounded down
// to whole MiB. It returns an error for a type that the platform does not allow.
func LookupMemory(nodeType string) (size.Size, error) {
	gib, ok := nodeTypes[nodeType]
	if !ok {
		return size.Size{}, fmt.Errorf("tuning: node type %q must be one of %s", nodeType, strings.Join(slices.Sorted(maps.Keys(nodeTypes)), ", "))
	}
	return size.MiB(int64(gib * 1024)), nil
}
