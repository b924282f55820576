package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

// admissionBinding is the object that binds the admission policy to the services' namespace.
const admissionBinding = "ValidatingAdmissionPolicyBinding binding"

// newRBACRule returns a rule of a role for one resource of the core API.
func newRBACRule(resource, verb string) map[string]any {
	return map[string]any{"apiGroups": []any{""}, "resources": []any{resource}, "verbs": []any{verb}}
}

var clusterExamples = []example{
	{rule: "configmap-no-secrets", resource: "ConfigMap settings", path: "data.LOG_LEVEL", bad: "-----BEGIN PRIVATE KEY-----", ifAbsent: evaluate.Holds},
	{rule: "namespace-admission-policy", resource: admissionBinding, subject: "Namespace prod", path: "spec.validationActions", bad: []any{"Warn"}},
	{rule: "namespace-admission-policy", resource: admissionBinding, subject: "Namespace prod", path: "spec.matchResources.namespaceSelector.matchLabels.kubernetes|io/metadata|name", bad: "another"},
	{rule: "namespace-admission-policy", resource: admissionBinding, subject: "Namespace prod", path: "spec.policyName", bad: "another"},
	{rule: "namespace-admission-policy", resource: "ValidatingAdmissionPolicy policy", subject: "Namespace prod", path: "spec.failurePolicy", bad: "Ignore", ifAbsent: evaluate.Holds},
	{rule: "namespace-default-unused", resource: "ConfigMap settings", path: "metadata", bad: nil},
	{rule: "namespace-restricted", resource: "Namespace prod", path: "metadata.labels.pod-security|kubernetes|io/enforce", bad: nil},
	{rule: "network-policy-not-open", resource: "NetworkPolicy mca-policy", path: "spec.ingress.0", bad: nil},
	{rule: "network-policy-not-open", resource: "NetworkPolicy mca-policy", path: "spec.egress.0", bad: nil, alsoBroken: []string{"pod-reaches-own-stores @ " + deployment}},
	{rule: "rbac-no-administrator", resource: "ClusterRoleBinding prod", path: "roleRef.name", bad: "cluster-admin", ifAbsent: evaluate.Holds},
	{rule: "rbac-no-escalation", resource: "ClusterRole prod", path: "rules.0.verbs.0", bad: "escalate", ifAbsent: evaluate.Holds},
	{rule: "rbac-no-escalation", resource: "ClusterRole prod", path: "rules.0.verbs.0", bad: "bind", ifAbsent: evaluate.Holds},
	{rule: "rbac-no-escalation", resource: "ClusterRole prod", path: "rules.0.verbs.0", bad: "impersonate", ifAbsent: evaluate.Holds},
	{rule: "rbac-no-escalation", resource: "ClusterRole prod", path: "rules.0", bad: map[string]any{"apiGroups": []any{"certificates.k8s.io"}, "resources": []any{"signers"}, "verbs": []any{"approve"}}, ifAbsent: evaluate.Holds},
	{rule: "rbac-no-mass-deletion", resource: "ClusterRole prod", path: "rules.0.verbs.0", bad: "deletecollection", ifAbsent: evaluate.Holds},
	{rule: "rbac-no-pod-creation", resource: "ClusterRole prod", path: "rules.0", bad: map[string]any{"apiGroups": []any{"apps"}, "resources": []any{"deployments"}, "verbs": []any{"create"}}, ifAbsent: evaluate.Holds},
	{rule: "rbac-not-aggregated", resource: "ClusterRole prod", path: "metadata.labels.rbac|authorization|k8s|io/aggregate-to-edit", bad: "true", ifAbsent: evaluate.Holds},
	{rule: "rbac-not-aggregated", resource: "ClusterRole prod", path: "metadata.labels.rbac|authorization|k8s|io/aggregate-to-admin", bad: "true", ifAbsent: evaluate.Holds},
	{rule: "rbac-not-aggregated", resource: "ClusterRole prod", path: "metadata.labels.rbac|authorization|k8s|io/aggregate-to-view", bad: "true", ifAbsent: evaluate.Holds},
	{rule: "rbac-no-exec", resource: "ClusterRole prod", path: "rules.0", bad: map[string]any{"apiGroups": []any{""}, "resources": []any{"pods/exec"}, "verbs": []any{"create"}}, ifAbsent: evaluate.Holds},
	{rule: "rbac-no-exec", resource: "ClusterRole prod", path: "rules.0", bad: newRBACRule("pods/attach", "create"), ifAbsent: evaluate.Holds},
	{rule: "rbac-no-secrets", resource: "ClusterRole prod", path: "rules.0", bad: newRBACRule("secrets", "list"), ifAbsent: evaluate.Holds},
	{rule: "rbac-no-secrets", resource: "ClusterRole prod", path: "rules.0", bad: newRBACRule("secrets", "watch"), ifAbsent: evaluate.Holds},
	{rule: "rbac-no-secrets", resource: "ClusterRole prod", path: "rules.0", bad: map[string]any{"apiGroups": []any{""}, "resources": []any{"secrets"}, "verbs": []any{"get"}}, ifAbsent: evaluate.Holds},
	{rule: "rbac-no-wildcards", resource: "ClusterRole prod", path: "rules.4.verbs", bad: []any{"*"}, ifAbsent: evaluate.Holds, alsoBroken: []string{"rbac-no-mass-deletion @ ClusterRole prod", "rbac-no-pod-creation @ ClusterRole prod"}},
	{rule: "secret-object-encrypted", resource: "Secret login", path: "stringData.password", bad: nil, ifAbsent: evaluate.Holds, edits: []edit{set("Secret login", "stringData", map[string]any{"password": "in clear text"})}, ifUnknown: evaluate.Undecided},
	{rule: "service-account-role-known", resource: "PodIdentityAssociation web-identity", path: "serviceAccount", bad: "another"},
	{rule: "volumes-encrypted", resource: "StorageClass fast-ssd", path: "parameters.encrypted", bad: nil},
}
