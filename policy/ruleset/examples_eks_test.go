package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

// mirroredAutoscalerImage returns the reference of an image of Cluster Autoscaler in the account's
// registry.
func mirroredAutoscalerImage(tag string) string {
	return "111111111111.dkr.ecr.us-east-1.amazonaws.com/mirror/cluster-autoscaler" + tag + "@sha256:" + digestHex
}

var eksExamples = []example{
	{rule: "eks-access-entries", resource: eksCluster, path: "accessConfig.authenticationMode", bad: "API_AND_CONFIG_MAP"},
	{rule: "eks-addons-pinned", resource: "Addon aws-ebs-csi-driver", path: "addonVersion", bad: nil},
	// The preparation sets the cluster to 1.37. The recorded autoscaler has 1.36, one minor version
	// less, which the rule allows during an upgrade. The edit sets 1.35, which is too old.
	{rule: "eks-autoscaler-version", resource: "Deployment prod", path: "spec.template.spec.containers.0.image", bad: "registry.example/cluster-autoscaler:v1.35.1@sha256:" + digestHex, subject: "Cluster cluster", ifAbsent: evaluate.Holds, preparation: []edit{set(eksCluster, "version", "1.37"), withoutImage("Deployment prod")}},
	{rule: "eks-autoscaler-version", resource: "Deployment prod", path: ownContainer + ".image", bad: mirroredAutoscalerImage(":v1.35.1"), subject: eksCluster, ifAbsent: evaluate.Holds, preparation: []edit{set(eksCluster, "version", "1.37"), withoutImage("Deployment prod"), set("Deployment prod", ownContainer+".image", mirroredAutoscalerImage(":v1.36.1"))}},
	// A digest alone does not show the version.
	{rule: "eks-autoscaler-version", resource: "Deployment prod", path: ownContainer + ".image", bad: mirroredAutoscalerImage(""), subject: eksCluster, ifAbsent: evaluate.Holds, preparation: []edit{withoutImage("Deployment prod"), set("Deployment prod", ownContainer+".image", mirroredAutoscalerImage(":v1.36.1"))}},
	{rule: "eks-control-plane-logs", resource: eksCluster, path: "enabledClusterLogTypes", bad: nil},
	{rule: "eks-control-plane-logs", resource: eksCluster, path: "enabledClusterLogTypes", bad: []any{"audit", "authenticator", "controllerManager", "scheduler"}},
	{rule: "eks-control-plane-logs", resource: eksCluster, path: "enabledClusterLogTypes", bad: []any{"api", "authenticator", "controllerManager", "scheduler"}},
	{rule: "eks-control-plane-logs", resource: eksCluster, path: "enabledClusterLogTypes", bad: []any{"api", "audit", "controllerManager", "scheduler"}},
	{rule: "eks-control-plane-logs", resource: eksCluster, path: "enabledClusterLogTypes", bad: []any{"api", "audit", "authenticator", "scheduler"}},
	{rule: "eks-control-plane-logs", resource: eksCluster, path: "enabledClusterLogTypes", bad: []any{"api", "audit", "authenticator", "controllerManager"}},
	{rule: "eks-endpoint-private", resource: eksCluster, path: "vpcConfig.endpointPrivateAccess", bad: false},
	{rule: "eks-endpoint-private", resource: eksCluster, path: "vpcConfig.publicAccessCidrs", bad: []any{"0.0.0.0/0"}},
	{rule: "eks-log-group-managed", resource: "LogGroup control-plane", path: "name", bad: "/aws/eks/another/cluster", subject: "Cluster cluster"},
	{rule: "eks-network-policies-enforced", resource: "Addon vpc-cni", path: "configurationValues", bad: `{"enableNetworkPolicy":"false"}`},
	{rule: "eks-no-implicit-admin", resource: "Cluster cluster", path: "accessConfig.bootstrapClusterCreatorAdminPermissions", bad: true},
	{rule: "eks-one-role-per-service-account", resource: "PodIdentityAssociation web-identity", path: "roleArn", bad: "arn:aws:iam::2:role/another", alsoBroken: []string{"iam-calls-allowed @ PodIdentityAssociation web-identity", "iam-role-used @ Role web-role"}},
	{rule: "eks-one-role-per-service-account", resource: "PodIdentityAssociation web-identity", edits: []edit{add("aws:eks/podIdentityAssociation:PodIdentityAssociation", "second", map[string]any{"namespace": "kube-system", "roleArn": "arn"}, map[string]string{"roleArn": "Role web-role"})}, alsoBroken: []string{"eks-one-role-per-service-account @ PodIdentityAssociation second"}},
	{rule: "eks-secrets-encrypted", resource: eksCluster, path: "encryptionConfig.resources.0", bad: nil},
	{rule: "eks-version-supported", resource: eksCluster, path: "version", bad: nil},
}
