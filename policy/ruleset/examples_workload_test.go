package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var workloadExamples = []example{
	{rule: "deployment-one-scaler", at: "HorizontalPodAutoscaler scaler", path: "spec.scaleTargetRef.name", bad: "cluster-autoscaler", on: "Deployment prod", absent: evaluate.Holds},
	{rule: "deployment-replicas", at: "Deployment prod", path: "spec.replicas", bad: 0.0},
	{rule: "deployment-rolls", at: deployment, path: "spec.strategy.type", bad: "x", absent: evaluate.Holds},
	{rule: "deployment-one-scaler", at: "ScaledObject keda-scaler", path: "spec.scaleTargetRef.name", bad: "cluster-autoscaler", on: "Deployment prod", absent: evaluate.Holds},
	{rule: "hpa-can-scale", at: "ScaledObject keda-scaler", path: "spec.maxReplicaCount", bad: 2.0, absent: evaluate.Holds},
	{rule: "hpa-can-scale", at: "HorizontalPodAutoscaler scaler", path: "spec.maxReplicas", bad: nil},
	{rule: "job-bounded", at: "CronJob migrate-schedule", path: "spec.jobTemplate.spec.activeDeadlineSeconds", bad: nil},
	{rule: "pod-disruption-budget", at: "PodDisruptionBudget mca-pdb", path: "spec.selector.matchLabels.app", bad: "another", on: deployment, absent: evaluate.Holds},
	{rule: "pod-disruption-possible", at: "PodDisruptionBudget mca-pdb", path: "spec.minAvailable", bad: 3.0, on: deployment, absent: evaluate.Holds},
	{rule: "pod-disruption-possible", at: "PodDisruptionBudget mca-pdb", path: "spec.minAvailable", bad: "100%", on: deployment, absent: evaluate.Holds},
	{rule: "pod-disruption-possible", at: "PodDisruptionBudget mca-pdb", path: "spec.maxUnavailable", bad: 0.0, on: deployment, absent: evaluate.Holds},
	{rule: "pod-network-policy", at: "NetworkPolicy mca-policy", path: "metadata.namespace", bad: "another", on: deployment, given: []edit{set("NetworkPolicy default-policy", "metadata.namespace", "another")}, also: []string{"network-policy-selects-pods @ NetworkPolicy mca-policy"}},
	{rule: "pod-reaches-own-stores", at: deployment, path: "spec.template.spec.containers.0.env", bad: []any{map[string]any{"name": "MONGODB_URI", "value": "x"}}},
	{rule: "pod-reaches-own-stores", at: "NetworkPolicy mca-policy", path: "spec.egress.0", bad: map[string]any{"ports": []any{map[string]any{"port": 27000.0, "endPort": 28000.0}}}, on: deployment},
	{rule: "pod-reaches-own-stores", at: "NetworkPolicy mca-policy", path: "spec.policyTypes", bad: []any{"Ingress"}, on: deployment, given: []edit{set("NetworkPolicy default-policy", "metadata.namespace", "another")}},
	{rule: "pod-probes", at: deployment, path: "spec.template.spec.containers.0.readinessProbe", bad: nil},
	{rule: "pod-probes", at: deployment, path: "spec.template.spec.containers.0.livenessProbe", bad: nil},
	{rule: "service-not-public", at: "Service metrics", path: "spec.externalIPs", bad: true, absent: evaluate.Holds},
	{rule: "service-not-public", at: "Service metrics", path: "spec.type", bad: true, absent: evaluate.Holds},
	{rule: "vpa-hpa-conflict", at: "VerticalPodAutoscaler resizer", path: "spec.resourcePolicy.containerPolicies.0.controlledResources", bad: []any{"cpu", "memory"}},
	{rule: "vpa-hpa-conflict", at: "VerticalPodAutoscaler resizer", path: "spec.resourcePolicy", bad: nil},
	{rule: "vpa-hpa-conflict", at: "VerticalPodAutoscaler recommends", path: "spec.updatePolicy.updateMode", bad: "Initial"},
	{rule: "vpa-hpa-conflict", at: "ScaledObject keda-scaler", path: "spec.triggers.0.type", bad: "memory", on: "VerticalPodAutoscaler resizer", absent: evaluate.Holds},
	{rule: "vpa-hpa-conflict", at: "HorizontalPodAutoscaler scaler", path: "spec.metrics.0.resource.name", bad: "memory", on: "VerticalPodAutoscaler resizer", absent: evaluate.Holds},
	{rule: "service-selects-pods", at: "Service mca-service", path: "spec.selector.app", bad: "another", absent: evaluate.Holds},
}
