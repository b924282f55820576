package componenttest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/size"
)

// A StatefulSet uses an existing claim if the claim has the name that the pod expects. The claims
// are resources of the stack, so that Pulumi can enlarge them.
func TestStackCreatesTheClaimOfEveryStorePod(t *testing.T) {
	larger := redisPodArgs()
	larger.Storage, larger.StorageClass = size.GiB(30), "slow-hdd"
	for _, tc := range []struct {
		store, volume, capacity, class string
		program                        program
		replicas                       int
	}{
		{"postgres", "postgres-data", "20Gi", "fast-ssd", newPostgresPod(postgresPodArgs()), 1},
		{"redis-cluster", "redis-data", "30Gi", "slow-hdd", newRedisPods(larger), 6},
	} {
		t.Run(tc.store, func(t *testing.T) {
			d := deploy(t, tc.program)
			claims := d.ofType("kubernetes:core/v1:PersistentVolumeClaim")
			require.Len(t, claims, tc.replicas)
			for i, claim := range claims { // sorted by name
				claim.requireInputs(t, map[string]any{
					"metadata.name":                                fmt.Sprintf("%s-%s-%d", tc.volume, tc.store, i),
					"metadata.namespace":                           d.find(t, "kubernetes:apps/v1:StatefulSet").input("metadata.namespace"),
					"spec.storageClassName":                        tc.class,
					"spec.resources.requests.storage":              tc.capacity,
					`metadata.annotations["pulumi.com/skipAwait"]`: "true",
				})
			}
			statefulSet := d.find(t, "kubernetes:apps/v1:StatefulSet")
			statefulSet.requireDependsOn(t, claims...)
			statefulSet.requireInputs(t, map[string]any{"metadata.name": tc.store, "spec.volumeClaimTemplates[0].metadata.name": tc.volume, "spec.replicas": tc.replicas})
		})
	}
}
