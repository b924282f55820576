package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var workloadExamples = []example{
	{rule: "deployment-one-scaler", resource: "HorizontalPodAutoscaler scaler", path: "spec.scaleTargetRef.kind", bad: "Deployment", subject: "Deployment prod"},
	{rule: "deployment-replicas", resource: "Deployment prod", path: "spec.replicas", bad: 0.0},
	{rule: "deployment-rolls", resource: deployment, path: "spec.strategy.type", bad: "x", ifAbsent: evaluate.Holds},
	{rule: "deployment-one-scaler", resource: "ScaledObject keda-scaler", path: "metadata.namespace", bad: "kube-system", subject: "Deployment prod", ifAbsent: evaluate.Holds, preparation: []edit{
		set("ScaledObject keda-scaler", "metadata.namespace", "another"), set("ScaledObject keda-scaler", "spec.scaleTargetRef.kind", "Deployment"),
	}},
	{rule: "deployment-one-scaler", resource: "ScaledObject keda-scaler", path: "spec.scaleTargetRef.name", bad: "cluster-autoscaler", subject: "Deployment prod", ifAbsent: evaluate.Holds, preparation: []edit{
		set("ScaledObject keda-scaler", "spec.scaleTargetRef.name", "another"), set("ScaledObject keda-scaler", "spec.scaleTargetRef.kind", "Deployment"),
	}},
	// The minimum of keda-scaler is also 2.
	{rule: "hpa-can-scale", resource: "ScaledObject keda-scaler", path: "spec.maxReplicaCount", bad: 2.0, ifAbsent: evaluate.Holds},
	{rule: "hpa-can-scale", resource: "HorizontalPodAutoscaler scaler", path: "spec.maxReplicas", bad: nil},
	{rule: "job-bounded", resource: "CronJob migrate-schedule", path: "spec.jobTemplate.spec.activeDeadlineSeconds", bad: nil},
	{rule: "pod-disruption-budget", resource: "PodDisruptionBudget mca-pdb", path: "spec.selector.matchLabels.app", bad: "another", subject: deployment, ifAbsent: evaluate.Holds},
	{rule: "pod-disruption-possible", resource: "PodDisruptionBudget mca-pdb", path: "spec.minAvailable", bad: 2.0, subject: deployment, ifAbsent: evaluate.Holds},
	// The autoscaler keeps two pods, so that one may end.
	{rule: "pod-disruption-possible", resource: "ScaledObject mca-scaledobject", path: "spec.minReplicaCount", bad: 1.0, subject: deployment, preparation: []edit{set("PodDisruptionBudget mca-pdb", "spec.minAvailable", 1.0)}, alsoBroken: []string{"scaler-two-pods @ ScaledObject mca-scaledobject"}},
	{rule: "pod-disruption-possible", resource: "Deployment postgres-exporter", path: "spec.replicas", bad: 1.0, preparation: []edit{set("PodDisruptionBudget postgres-exporter", "spec.minAvailable", 1.0)}, alsoBroken: []string{"deployment-replicas @ Deployment postgres-exporter"}},
	{rule: "pod-disruption-possible", resource: "PodDisruptionBudget mca-pdb", path: "spec.minAvailable", bad: "51%", subject: deployment, ifAbsent: evaluate.Holds}, // of two pods both, rounded up
	{rule: "pod-disruption-possible", resource: "PodDisruptionBudget mca-pdb", path: "spec.maxUnavailable", bad: 0.0, subject: deployment, ifAbsent: evaluate.Holds},
	{rule: "pod-disruption-possible", resource: "PodDisruptionBudget mca-pdb", path: "spec.maxUnavailable", bad: "0%", subject: deployment, ifAbsent: evaluate.Holds, preparation: []edit{set("PodDisruptionBudget mca-pdb", "spec.minAvailable", "50%")}},
	{rule: "pod-network-policy", resource: "NetworkPolicy mca-policy", path: "metadata.namespace", bad: "another", subject: deployment, preparation: []edit{set("NetworkPolicy default-policy", "metadata.namespace", "another")}, alsoBroken: []string{"network-policy-selects-pods @ NetworkPolicy mca-policy"}},
	{rule: "pod-reaches-own-stores", resource: deployment, path: "spec.template.spec.containers.0.env", bad: []any{map[string]any{"name": "MONGODB_URI", "value": "x"}}},
	{rule: "pod-reaches-own-stores", resource: "NetworkPolicy mca-policy", path: "spec.egress.0", bad: map[string]any{"ports": []any{map[string]any{"port": 27000.0, "endPort": 28000.0}}}, subject: deployment},
	{rule: "pod-reaches-own-stores", resource: "NetworkPolicy mca-policy", path: "spec.policyTypes", bad: []any{"Ingress"}, subject: deployment, preparation: []edit{set("NetworkPolicy default-policy", "metadata.namespace", "another")}},
	{rule: "pod-probes", resource: deployment, path: "spec.template.spec.containers.0.readinessProbe", bad: nil},
	{rule: "pod-probes", resource: deployment, path: "spec.template.spec.containers.0.livenessProbe", bad: nil},
	{rule: "service-not-public", resource: "Service metrics", path: "spec.externalIPs", bad: true, ifAbsent: evaluate.Holds},
	{rule: "service-not-public", resource: "Service metrics", path: "spec.type", bad: true, ifAbsent: evaluate.Holds},
	{rule: "vpa-hpa-conflict", resource: "VerticalPodAutoscaler resizer", path: "spec.resourcePolicy.containerPolicies.0.controlledResources", bad: []any{"cpu", "memory"}},
	{rule: "vpa-hpa-conflict", resource: "VerticalPodAutoscaler resizer", path: "spec.resourcePolicy", bad: nil},
	{rule: "vpa-hpa-conflict", resource: "VerticalPodAutoscaler recommends", path: "spec.updatePolicy.updateMode", bad: "Initial"},
	{rule: "vpa-hpa-conflict", resource: "ScaledObject keda-scaler", path: "spec.triggers.0.type", bad: "memory", subject: "VerticalPodAutoscaler resizer", ifAbsent: evaluate.Holds},
	{rule: "vpa-hpa-conflict", resource: "HorizontalPodAutoscaler scaler", path: "spec.metrics.0.resource.name", bad: "memory", subject: "VerticalPodAutoscaler resizer", ifAbsent: evaluate.Holds},
	{rule: "vpa-hpa-conflict", resource: "VerticalPodAutoscaler resizer", path: "metadata.namespace", bad: "kube-system", ifAbsent: evaluate.Holds, preparation: []edit{
		set("VerticalPodAutoscaler resizer", "metadata.namespace", "another"), set("ScaledObject keda-scaler", "spec.triggers.0.type", "memory"),
	}},
	{rule: "service-selects-pods", resource: "Service mca-service", path: "spec.selector.app", bad: "another", ifAbsent: evaluate.Holds},
}
