package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var podExamples = []example{
	{rule: "pod-ends-in-time", at: deployment, path: "spec.template.spec.terminationGracePeriodSeconds", bad: 0.0, absent: evaluate.Holds},
	{rule: "pod-ephemeral-limit", at: deployment, path: "spec.template.spec.containers.0.resources.limits.ephemeral-storage", bad: nil},
	{rule: "pod-ephemeral-limit", at: deployment, path: "spec.template.spec.containers.0.resources.requests.ephemeral-storage", bad: nil},
	{rule: "pod-image-by-digest", at: "Deployment prod", path: "spec.template.spec.containers.0.image", bad: nil},
	{rule: "pod-memory-limit", at: "Deployment prod", path: "spec.template.spec.containers.0.resources.limits.memory", bad: nil},
	{rule: "pod-no-api-token", at: deployment, path: "spec.template.spec.automountServiceAccountToken", bad: true},
	{rule: "pod-no-capabilities", at: "Deployment prod", path: "spec.template.spec.containers.0.securityContext.capabilities.drop", bad: nil},
	{rule: "pod-no-capabilities", at: "Deployment prod", path: "spec.template.spec.containers.0.securityContext.capabilities.add", bad: []any{"SYS_ADMIN"}, absent: evaluate.Holds},
	{rule: "pod-no-escalation", at: "Deployment prod", path: "spec.template.spec.containers.0.securityContext.allowPrivilegeEscalation", bad: true},
	{rule: "pod-no-privileges", at: deployment, path: "spec.template.spec.containers.0.securityContext.privileged", bad: true, absent: evaluate.Holds},
	{rule: "pod-no-privileges", at: "CronJob migrate-schedule", path: "spec.jobTemplate.spec.template.spec.containers.0.securityContext.privileged", bad: true, absent: evaluate.Holds},
	{rule: "pod-no-secret-in-environment", at: deployment, path: "spec.template.spec.containers.0.env.0.name", bad: "DATABASE_PASSWORD", absent: evaluate.Holds},
	{rule: "pod-non-root", at: "Deployment prod", path: "spec.template.spec.securityContext.runAsNonRoot", bad: false},
	{rule: "pod-non-root", at: "Deployment prod", path: "spec.template.spec.securityContext.runAsUser", bad: 0.0, absent: evaluate.Holds},
	{rule: "pod-not-on-host", at: deployment, path: "spec.template.spec.hostNetwork", bad: true, absent: evaluate.Holds},
	{rule: "pod-not-on-host", at: deployment, path: "spec.template.spec.hostPID", bad: true, absent: evaluate.Holds},
	{rule: "pod-not-on-host", at: deployment, path: "spec.template.spec.hostIPC", bad: true, absent: evaluate.Holds},
	{rule: "pod-not-on-host", at: deployment, path: "spec.template.spec.volumes", bad: []any{map[string]any{"name": "v", "hostPath": map[string]any{"path": "/"}}}, absent: evaluate.Holds},
	{rule: "pod-read-only-root", at: "Deployment prod", path: "spec.template.spec.containers.0.securityContext.readOnlyRootFilesystem", bad: false},
	{rule: "pod-requests", at: "Deployment prod", path: "spec.template.spec.containers.0.resources.requests", bad: nil, also: []string{"pod-ephemeral-limit @ Deployment prod"}},
	{rule: "pod-seccomp", at: "Deployment prod", path: "spec.template.spec.securityContext.seccompProfile.type", bad: nil},
	{rule: "pod-service-account", at: deployment, path: "spec.template.spec.serviceAccountName", bad: "default", given: []edit{set(deployment, "spec.template.spec.automountServiceAccountToken", true)}},
	{rule: "pod-spread", at: deployment, path: "spec.template.spec.topologySpreadConstraints", bad: nil},
}
