package manifest

import "github.com/progressive-framework/platform/components/scaling"

// Rule is a rule of a Kubernetes Role or ClusterRole.
type Rule struct{ Groups, Resources, Names, Verbs []string }

// Verbs and API groups of the rules. The core group has an empty name.
var (
	readVerbs  = []string{"get", "list", "watch"}
	coreGroup  = []string{""}
	leaseGroup = []string{"coordination.k8s.io"}
)

// leaseName is the name of the lease for leader election.
const leaseName = "cluster-autoscaler"

// ClusterRules returns the autoscaler's permissions in all namespaces: those of
// kubernetes/autoscaler's example and chart. The permissions for other clouds, and for
// Kubernetes before 1.22, are left out.
func ClusterRules() []Rule {
	return []Rule{
		{Groups: coreGroup, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
		{Groups: coreGroup, Resources: []string{"pods/eviction"}, Verbs: []string{"create"}},
		{Groups: coreGroup, Resources: []string{"pods/status"}, Verbs: []string{"update"}},
		{Groups: coreGroup, Resources: []string{"nodes"}, Verbs: append([]string{"update"}, readVerbs...)}, // the autoscaler taints the nodes that it drains
		{Groups: coreGroup, Resources: []string{"namespaces", "pods", "services", "replicationcontrollers", "persistentvolumeclaims", "persistentvolumes"}, Verbs: readVerbs},
		{Groups: []string{"apps"}, Resources: []string{"daemonsets", "replicasets", "statefulsets"}, Verbs: readVerbs},
		{Groups: []string{"batch"}, Resources: []string{"jobs", "cronjobs"}, Verbs: readVerbs},
		{Groups: []string{"policy"}, Resources: []string{"poddisruptionbudgets"}, Verbs: readVerbs},
		{Groups: []string{"storage.k8s.io"}, Resources: []string{"storageclasses", "csinodes", "csidrivers", "csistoragecapacities", "volumeattachments"}, Verbs: readVerbs},
		// Release 1.35 and later always read dynamic resources
		// (kubernetes/autoscaler, pull request 9487).
		{Groups: []string{"resource.k8s.io"}, Resources: []string{"deviceclasses", "resourceclaims", "resourceslices"}, Verbs: readVerbs},
	}
}

// NamespaceRules returns the autoscaler's permissions in its own namespace: for
// its status ConfigMap and for the lease of the leader election.
func NamespaceRules() []Rule {
	return []Rule{
		{Groups: coreGroup, Resources: []string{"configmaps"}, Verbs: []string{"create", "list", "watch"}},
		{Groups: coreGroup, Resources: []string{"configmaps"}, Names: []string{"cluster-autoscaler-status"}, Verbs: []string{"delete", "get", "update"}},
		{Groups: leaseGroup, Resources: []string{"leases"}, Verbs: []string{"create"}},
		{Groups: leaseGroup, Resources: []string{"leases"}, Names: []string{leaseName}, Verbs: []string{"get", "update"}},
	}
}

// ReadActions returns the AWS actions that only read. A policy can't limit these actions to some
// resources. Source: the autoscaler's README for AWS, "Full Cluster Autoscaler Features Policy".
// Actions for managed node groups are left out, because the platform has none.
func ReadActions() []string {
	return []string{
		"autoscaling:DescribeAutoScalingGroups",
		"autoscaling:DescribeAutoScalingInstances",
		"autoscaling:DescribeLaunchConfigurations",
		"autoscaling:DescribeScalingActivities",
		"autoscaling:DescribeTags",
		"ec2:DescribeImages",
		"ec2:DescribeInstanceTypes",
		"ec2:DescribeLaunchTemplateVersions",
		"ec2:GetInstanceTypesFromInstanceRequirements",
	}
}

// ScaleActions returns the AWS actions that change a group's size.
func ScaleActions() []string {
	return []string{"autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"}
}

// ScopeTags returns the condition keys and values that limit ScaleActions to the
// groups of one cluster. They are discovery tags that only these groups have.
func ScopeTags(clusterName string) map[string]string {
	return map[string]string{
		"aws:ResourceTag/" + scaling.DiscoveryEnabled:              "true",
		"aws:ResourceTag/" + scaling.DiscoveryCluster(clusterName): "owned",
	}
}
