package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var podExamples = []example{
	{rule: "pod-ends-in-time", resource: deployment, path: "spec.template.spec.terminationGracePeriodSeconds", bad: 0.0, ifAbsent: evaluate.Holds},
	{rule: "pod-ephemeral-limit", resource: deployment, path: "spec.template.spec.containers.0.resources.limits.ephemeral-storage", bad: nil},
	{rule: "pod-ephemeral-limit", resource: deployment, path: "spec.template.spec.containers.0.resources.requests.ephemeral-storage", bad: nil},
	{rule: "pod-image-by-digest", resource: "Deployment prod", path: "spec.template.spec.containers.0.image", bad: nil},
	{rule: "pod-memory-limit", resource: "Deployment prod", path: "spec.template.spec.containers.0.resources.limits.memory", bad: nil},
	{rule: "pod-no-api-token", resource: deployment, path: "spec.template.spec.automountServiceAccountToken", bad: true},
	{rule: "pod-no-capabilities", resource: "Deployment prod", path: "spec.template.spec.containers.0.securityContext.capabilities.drop", bad: nil},
	{rule: "pod-no-capabilities", resource: "Deployment prod", path: "spec.template.spec.containers.0.securityContext.capabilities.add", bad: []any{"SYS_ADMIN"}, ifAbsent: evaluate.Holds},
	{rule: "pod-no-escalation", resource: "Deployment prod", path: "spec.template.spec.containers.0.securityContext.allowPrivilegeEscalation", bad: true},
	{rule: "pod-no-privileges", resource: deployment, path: "spec.template.spec.containers.0.securityContext.privileged", bad: true, ifAbsent: evaluate.Holds},
	{rule: "pod-no-privileges", resource: "CronJob migrate-schedule", path: "spec.jobTemplate.spec.template.spec.containers.0.securityContext.privileged", bad: true, ifAbsent: evaluate.Holds},
	{rule: "pod-no-secret-in-environment", resource: deployment, path: "spec.template.spec.containers.0.env.0.name", bad: "DATABASE_PASSWORD", ifAbsent: evaluate.Holds},
	{rule: "pod-non-root", resource: "Deployment prod", path: "spec.template.spec.securityContext.runAsNonRoot", bad: false},
	{rule: "pod-non-root", resource: "Deployment prod", path: "spec.template.spec.securityContext.runAsUser", bad: 0.0, ifAbsent: evaluate.Holds},
	{rule: "pod-not-on-host", resource: deployment, path: "spec.template.spec.hostNetwork", bad: true, ifAbsent: evaluate.Holds},
	{rule: "pod-not-on-host", resource: deployment, path: "spec.template.spec.hostPID", bad: true, ifAbsent: evaluate.Holds},
	{rule: "pod-not-on-host", resource: deployment, path: "spec.template.spec.hostIPC", bad: true, ifAbsent: evaluate.Holds},
	{rule: "pod-not-on-host", resource: deployment, path: "spec.template.spec.volumes", bad: []any{map[string]any{"name": "v", "hostPath": map[string]any{"path": "/"}}}, ifAbsent: evaluate.Holds},
	{rule: "pod-read-only-root", resource: "Deployment prod", path: "spec.template.spec.containers.0.securityContext.readOnlyRootFilesystem", bad: false},
	{rule: "pod-requests", resource: "Deployment prod", path: "spec.template.spec.containers.0.resources.requests", bad: nil, alsoBroken: []string{"pod-ephemeral-limit @ Deployment prod"}},
	{rule: "pod-seccomp", resource: "Deployment prod", path: "spec.template.spec.securityContext.seccompProfile.type", bad: nil},
	{rule: "pod-service-account", resource: deployment, path: "spec.template.spec.serviceAccountName", bad: "default", preparation: []edit{set(deployment, "spec.template.spec.automountServiceAccountToken", true)}},
	{rule: "pod-spread", resource: deployment, path: "spec.template.spec.topologySpreadConstraints", bad: nil},
}
