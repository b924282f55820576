// Package poddisruption owns the PodDisruptionBudget of workloads: the number of pods that a
// drain of nodes may evict at a time.
package poddisruption

import (
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// OneAtATime returns the budget that permits the eviction of one ready pod at a time. A drain may
// always evict a pod that is not ready, because such a pod serves no request.
func OneAtATime(selector pulumi.StringMapInput) *policyv1.PodDisruptionBudgetSpecArgs {
	return &policyv1.PodDisruptionBudgetSpecArgs{
		MaxUnavailable:             pulumi.Int(1),
		UnhealthyPodEvictionPolicy: pulumi.String("AlwaysAllow"),
		Selector:                   &metav1.LabelSelectorArgs{MatchLabels: selector},
	}
}
