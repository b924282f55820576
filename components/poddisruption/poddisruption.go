// Package poddisruption owns how many pods of a workload a drain of nodes may evict.
package poddisruption

import (
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// OneAtATime permits the eviction of one ready pod at a time. A pod that is not ready
// serves nobody, so it never holds up a drain.
func OneAtATime(selector pulumi.StringMapInput) *policyv1.PodDisruptionBudgetSpecArgs {
	return &policyv1.PodDisruptionBudgetSpecArgs{
		MaxUnavailable:             pulumi.Int(1),
		UnhealthyPodEvictionPolicy: pulumi.String("AlwaysAllow"),
		Selector:                   &metav1.LabelSelectorArgs{MatchLabels: selector},
	}
}
