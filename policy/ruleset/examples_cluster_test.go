package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

const admissionBinding = "ValidatingAdmissionPolicyBinding binding"

// grant returns a rule of a role for one resource of the core API.
func grant(resource, verb string) map[string]any {
	return map[string]any{"apiGroups": []any{""}, "resources": []any{resource}, "verbs": []any{verb}}
}

var clusterExamples = []example{
	{rule: "configmap-no-secrets", at: "ConfigMap settings", path: "data.LOG_LEVEL", bad: "-----BEGIN PRIVATE KEY-----", absent: evaluate.Holds},
	{rule: "namespace-admission-policy", at: admissionBinding, on: "Namespace prod", path: "spec.validationActions", bad: []any{"Warn"}},
	{rule: "namespace-admission-policy", at: admissionBinding, on: "Namespace prod", path: "spec.matchResources.namespaceSelector.matchLabels.kubernetes|io/metadata|name", bad: "another"},
	{rule: "namespace-admission-policy", at: admissionBinding, on: "Namespace prod", path: "spec.policyName", bad: "another"},
	{rule: "namespace-admission-policy", at: "ValidatingAdmissionPolicy policy", on: "Namespace prod", path: "spec.failurePolicy", bad: "Ignore", absent: evaluate.Holds},
	{rule: "namespace-default-unused", at: "ConfigMap settings", path: "metadata", bad: nil},
	{rule: "namespace-restricted", at: "Namespace prod", path: "metadata.labels.pod-security|kubernetes|io/enforce", bad: nil},
	{rule: "network-policy-not-open", at: "NetworkPolicy mca-policy", path: "spec.ingress.0", bad: nil},
	{rule: "network-policy-not-open", at: "NetworkPolicy mca-policy", path: "spec.egress.0", bad: nil, also: []string{"pod-reaches-own-stores @ " + deployment}},
	{rule: "rbac-no-administrator", at: "ClusterRoleBinding prod", path: "roleRef.name", bad: "cluster-admin", absent: evaluate.Holds},
	{rule: "rbac-no-escalation", at: "ClusterRole prod", path: "rules.0.verbs.0", bad: "escalate", absent: evaluate.Holds},
	{rule: "rbac-no-escalation", at: "ClusterRole prod", path: "rules.0.verbs.0", bad: "bind", absent: evaluate.Holds},
	{rule: "rbac-no-escalation", at: "ClusterRole prod", path: "rules.0.verbs.0", bad: "impersonate", absent: evaluate.Holds},
	{rule: "rbac-no-escalation", at: "ClusterRole prod", path: "rules.0", bad: map[string]any{"apiGroups": []any{"certificates.k8s.io"}, "resources": []any{"signers"}, "verbs": []any{"approve"}}, absent: evaluate.Holds},
	{rule: "rbac-no-mass-deletion", at: "ClusterRole prod", path: "rules.0.verbs.0", bad: "deletecollection", absent: evaluate.Holds},
	{rule: "rbac-no-pod-creation", at: "ClusterRole prod", path: "rules.0", bad: map[string]any{"apiGroups": []any{"apps"}, "resources": []any{"deployments"}, "verbs": []any{"create"}}, absent: evaluate.Holds},
	{rule: "rbac-not-aggregated", at: "ClusterRole prod", path: "metadata.labels.rbac|authorization|k8s|io/aggregate-to-edit", bad: "true", absent: evaluate.Holds},
	{rule: "rbac-not-aggregated", at: "ClusterRole prod", path: "metadata.labels.rbac|authorization|k8s|io/aggregate-to-admin", bad: "true", absent: evaluate.Holds},
	{rule: "rbac-not-aggregated", at: "ClusterRole prod", path: "metadata.labels.rbac|authorization|k8s|io/aggregate-to-view", bad: "true", absent: evaluate.Holds},
	{rule: "rbac-no-exec", at: "ClusterRole prod", path: "rules.0", bad: map[string]any{"apiGroups": []any{""}, "resources": []any{"pods/exec"}, "verbs": []any{"create"}}, absent: evaluate.Holds},
	{rule: "rbac-no-exec", at: "ClusterRole prod", path: "rules.0", bad: grant("pods/attach", "create"), absent: evaluate.Holds},
	{rule: "rbac-no-secrets", at: "ClusterRole prod", path: "rules.0", bad: grant("secrets", "list"), absent: evaluate.Holds},
	{rule: "rbac-no-secrets", at: "ClusterRole prod", path: "rules.0", bad: grant("secrets", "watch"), absent: evaluate.Holds},
	{rule: "rbac-no-secrets", at: "ClusterRole prod", path: "rules.0", bad: map[string]any{"apiGroups": []any{""}, "resources": []any{"secrets"}, "verbs": []any{"get"}}, absent: evaluate.Holds},
	{rule: "rbac-no-wildcards", at: "ClusterRole prod", path: "rules.4.verbs", bad: []any{"*"}, absent: evaluate.Holds, also: []string{"rbac-no-mass-deletion @ ClusterRole prod", "rbac-no-pod-creation @ ClusterRole prod"}},
	{rule: "secret-object-encrypted", at: "Secret login", path: "stringData.password", bad: nil, absent: evaluate.Holds, edits: []edit{set("Secret login", "stringData", map[string]any{"password": "in clear text"})}, unknown: evaluate.Undecided},
	{rule: "service-account-role-known", at: "PodIdentityAssociation web-identity", path: "serviceAccount", bad: "another"},
	{rule: "volumes-encrypted", at: "StorageClass fast-ssd", path: "parameters.encrypted", bad: nil},
}
