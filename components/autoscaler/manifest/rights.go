package manifest

import "github.com/progressive-framework/platform/components/scaling"

// Rule is a rule of Kubernetes' RBAC.
type Rule struct{ Groups, Resources, Names, Verbs []string }

var (
	read  = []string{"get", "list", "watch"}
	core  = []string{""}
	lease = []string{"coordination.k8s.io"}
)

// name is that of the lease by which one of several autoscalers leads.
const name = "cluster-autoscaler"

// ClusterRules are what the autoscaler may do in the whole cluster (the
// example and the chart of kubernetes/autoscaler, without what only other
// clouds and releases before 1.22 need).
func ClusterRules() []Rule {
	return []Rule{
		{Groups: core, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
		{Groups: core, Resources: []string{"pods/eviction"}, Verbs: []string{"create"}},
		{Groups: core, Resources: []string{"pods/status"}, Verbs: []string{"update"}},
		{Groups: core, Resources: []string{"nodes"}, Verbs: append([]string{"update"}, read...)}, // taints what it drains
		{Groups: core, Resources: []string{"namespaces", "pods", "services", "replicationcontrollers", "persistentvolumeclaims", "persistentvolumes"}, Verbs: read},
		{Groups: []string{"apps"}, Resources: []string{"daemonsets", "replicasets", "statefulsets"}, Verbs: read},
		{Groups: []string{"batch"}, Resources: []string{"jobs", "cronjobs"}, Verbs: read},
		{Groups: []string{"policy"}, Resources: []string{"poddisruptionbudgets"}, Verbs: read},
		{Groups: []string{"storage.k8s.io"}, Resources: []string{"storageclasses", "csinodes", "csidrivers", "csistoragecapacities", "volumeattachments"}, Verbs: read},
		// From 1.35 on it always looks at dynamic resources (kubernetes/autoscaler, pull request 9487).
		{Groups: []string{"resource.k8s.io"}, Resources: []string{"deviceclasses", "resourceclaims", "resourceslices"}, Verbs: read},
	}
}

// NamespaceRules are what it may do in its own namespace: say how it is, and
// hold the lease by which it leads.
func NamespaceRules() []Rule {
	return []Rule{
		{Groups: core, Resources: []string{"configmaps"}, Verbs: []string{"create", "list", "watch"}},
		{Groups: core, Resources: []string{"configmaps"}, Names: []string{"cluster-autoscaler-status"}, Verbs: []string{"delete", "get", "update"}},
		{Groups: lease, Resources: []string{"leases"}, Verbs: []string{"create"}},
		{Groups: lease, Resources: []string{"leases"}, Names: []string{name}, Verbs: []string{"get", "update"}},
	}
}

// Looks are the AWS actions that change nothing and that AWS can't scope
// (the autoscaler's README for AWS, "Full Cluster Autoscaler Features Policy",
// without managed node groups, which the platform has none of).
func Looks() []string {
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

// Changes are the AWS actions that scale a group.
func Changes() []string {
	return []string{"autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"}
}

// Scope are the tags, with their values, that a group must have for Changes:
// those that the driver puts on the groups of this cluster and no other.
func Scope(clusterName string) map[string]string {
	return map[string]string{
		"aws:ResourceTag/" + scaling.DiscoveryEnabled:              "true",
		"aws:ResourceTag/" + scaling.DiscoveryCluster(clusterName): "owned",
	}
}
