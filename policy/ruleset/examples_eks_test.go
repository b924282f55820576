package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var eksExamples = []example{
	{rule: "eks-access-entries", at: eksCluster, path: "accessConfig.authenticationMode", bad: "API_AND_CONFIG_MAP"},
	{rule: "eks-addons-pinned", at: "Addon aws-ebs-csi-driver", path: "addonVersion", bad: nil},
	// Before the edit, the autoscaler of the recordings is one minor older, as during an upgrade.
	{rule: "eks-autoscaler-version", at: "Deployment prod", path: "spec.template.spec.containers.0.image", bad: "registry.example/cluster-autoscaler:v1.35.1@sha256:" + digits, on: "Cluster cluster", absent: evaluate.Holds, given: []edit{set(eksCluster, "version", "1.37"), withoutImage("Deployment prod")}},
	{rule: "eks-control-plane-logs", at: eksCluster, path: "enabledClusterLogTypes", bad: nil},
	{rule: "eks-control-plane-logs", at: eksCluster, path: "enabledClusterLogTypes", bad: []any{"audit", "authenticator", "controllerManager", "scheduler"}},
	{rule: "eks-control-plane-logs", at: eksCluster, path: "enabledClusterLogTypes", bad: []any{"api", "authenticator", "controllerManager", "scheduler"}},
	{rule: "eks-control-plane-logs", at: eksCluster, path: "enabledClusterLogTypes", bad: []any{"api", "audit", "controllerManager", "scheduler"}},
	{rule: "eks-control-plane-logs", at: eksCluster, path: "enabledClusterLogTypes", bad: []any{"api", "audit", "authenticator", "scheduler"}},
	{rule: "eks-control-plane-logs", at: eksCluster, path: "enabledClusterLogTypes", bad: []any{"api", "audit", "authenticator", "controllerManager"}},
	{rule: "eks-endpoint-private", at: eksCluster, path: "vpcConfig.endpointPrivateAccess", bad: false},
	{rule: "eks-endpoint-private", at: eksCluster, path: "vpcConfig.publicAccessCidrs", bad: []any{"0.0.0.0/0"}},
	{rule: "eks-log-group-managed", at: "LogGroup control-plane", path: "name", bad: "/aws/eks/another/cluster", on: "Cluster cluster"},
	{rule: "eks-network-policies-enforced", at: "Addon vpc-cni", path: "configurationValues", bad: `{"enableNetworkPolicy":"false"}`},
	{rule: "eks-no-implicit-admin", at: "Cluster cluster", path: "accessConfig.bootstrapClusterCreatorAdminPermissions", bad: true},
	{rule: "eks-one-role-per-service-account", at: "PodIdentityAssociation web-identity", path: "roleArn", bad: "arn:aws:iam::2:role/another", also: []string{"iam-calls-allowed @ PodIdentityAssociation web-identity", "iam-role-used @ Role web-role"}},
	{rule: "eks-one-role-per-service-account", at: "PodIdentityAssociation web-identity", edits: []edit{add("aws:eks/podIdentityAssociation:PodIdentityAssociation", "second", map[string]any{"namespace": "kube-system", "roleArn": "arn"}, map[string]string{"roleArn": "Role web-role"})}, also: []string{"eks-one-role-per-service-account @ PodIdentityAssociation second"}},
	{rule: "eks-secrets-encrypted", at: eksCluster, path: "encryptionConfig.resources.0", bad: nil},
	{rule: "eks-version-supported", at: eksCluster, path: "version", bad: nil},
}
