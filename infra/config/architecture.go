package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/image/ociplatform"
)

// validateArchitecture compares the platforms of every image with the processors of every tier. A
// pod may run on any node of its tier. A store in the cluster may run on any node. The images of
// add-ons and of the Cluster Autoscaler are published for both architectures.
func validateArchitecture(s *Stack) field.ErrorList {
	if s.Cluster.Nodes == NodesOwn {
		return nil // the configuration does not name the processors of the nodes
	}
	tiers, err := s.NodeTiers("cluster")
	if err != nil {
		return nil // validateTiers reports the error
	}
	platformsByKey := map[string][]ociplatform.Platform{"images.platforms": s.Images.Platforms}
	if s.Postgres.Kind == InCluster {
		platformsByKey["postgres.platforms"] = s.Postgres.Platforms
	}
	if s.Redis.Kind == InCluster {
		platformsByKey["redis.platforms"] = s.Redis.Platforms
	}
	var problems field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(platformsByKey)) {
		platforms := platformsByKey[key]
		for _, t := range tiers {
			hardware, err := t.Fleet.SmallestHardware()
			if err != nil {
				return nil // validateTiers reports the error
			}
			requiredPlatform := ociplatform.Platform("linux/" + string(hardware.Architecture))
			if slices.Contains(platforms, requiredPlatform) {
				continue
			}
			var platformNames []string
			for _, p := range platforms {
				platformNames = append(platformNames, string(p))
			}
			problems = append(problems, field.Invalid(path(key), strings.Join(platformNames, ", "), fmt.Sprintf(
				"must have %s, because tier %s has %s: add it, or choose instances of another architecture", requiredPlatform, t.Profile.Name, strings.Join(t.Fleet.InstanceTypes, ", "))))
		}
	}
	return problems
}
