package scaling

import (
	"fmt"
	"slices"
)

// Owner adds and removes the instances of a group, so it owns the group's desired capacity. It is
// ClusterAutoscaler or ScalingPolicies. A group has exactly one owner, because two owners
// would undo each other's changes. PlanFor returns the settings that the group needs for
// its owner.
type Owner interface{ plan(t Tier) (Plan, error) }

// ClusterAutoscaler means that the Cluster Autoscaler of a cluster adds instances for
// pending pods, and removes instances that are not needed. The group then has no scaling
// policies. They would add instances that no pod needs, and remove instances with pods
// (kubernetes/autoscaler, cluster-autoscaler/FAQ.md, "How is Cluster Autoscaler different
// from CPU-usage-based node autoscalers?"). The alarms of the tier only notify people.
type ClusterAutoscaler struct{ ClusterName string }

// ScalingPolicies means that the group's own scaling policies add and remove instances.
type ScalingPolicies struct{}

// CapacityOwner is the name of an Owner in a stack's configuration. Empty means
// OwnedByClusterAutoscaler.
type CapacityOwner string

// The names of the owners.
const (
	OwnedByClusterAutoscaler CapacityOwner = "clusterAutoscaler"
	OwnedByPolicies          CapacityOwner = "scalingPolicies"
)

// Values lists the names.
func (CapacityOwner) Values() []string {
	return []string{string(OwnedByClusterAutoscaler), string(OwnedByPolicies)}
}

// Owner returns the Owner with the name o, for the Auto Scaling groups of one cluster.
func (o CapacityOwner) Owner(clusterName string) Owner {
	if o == OwnedByPolicies {
		return ScalingPolicies{}
	}
	return ClusterAutoscaler{ClusterName: clusterName}
}

// Plan is the configuration of a tier's group that follows from its owner.
type Plan struct {
	// DiscoveryTags are the tags by which the Cluster Autoscaler finds the
	// group. Without them it never changes the group. They are tags of the group
	// and not of its instances.
	DiscoveryTags map[string]string
	// Policies are the scaling policies of the group. They are nil if the Cluster Autoscaler
	// owns the capacity, so that nothing else can change it.
	Policies map[Direction]SimpleScalingPolicy
	// Alarms are the alarms to create. An alarm starts the policy of its direction. If there
	// is no such policy, it notifies people.
	Alarms []Alarm
	// Suspended are the Auto Scaling processes that the group suspends. They would remove
	// instances that the owner keeps.
	Suspended []string
}

const (
	// discoveryPrefix is the prefix of every tag of the Cluster Autoscaler (its
	// README for AWS, "Auto-Discovery Setup").
	discoveryPrefix = "k8s.io/cluster-autoscaler/"
	// DiscoveryEnabled is the first discovery tag of the design document
	// (section "Cluster Autoscaler Configuration").
	DiscoveryEnabled = discoveryPrefix + "enabled"
	// DiscoveryPlatform is the second discovery tag of the design document.
	DiscoveryPlatform = discoveryPrefix + "progressive-framework-v5"
)

// DiscoveryCluster returns the discovery tag of one cluster's groups. The design document's two
// tags are the same in every environment. Without this third tag, the autoscaler of one cluster
// would scale the groups of all clusters.
func DiscoveryCluster(clusterName string) string { return discoveryPrefix + clusterName }

// PlanFor returns the plan of a tier with its capacity owner. It returns an
// error for an invalid tier, a nil owner, and a ClusterAutoscaler without a
// ClusterName.
func PlanFor(t Tier, owner Owner) (Plan, error) {
	if err := t.Validate(); err != nil {
		return Plan{}, err
	}
	if owner == nil {
		return Plan{}, fmt.Errorf("tier %s: capacity owner is nil: must be ClusterAutoscaler or ScalingPolicies", t.Name)
	}
	return owner.plan(t)
}

// plan returns the discovery tags, and the alarms for high load. It returns no steps.
func (c ClusterAutoscaler) plan(t Tier) (Plan, error) {
	if c.ClusterName == "" {
		return Plan{}, fmt.Errorf("tier %s: ClusterName of its ClusterAutoscaler is empty: must be the name of the EKS cluster", t.Name)
	}
	tags := map[string]string{
		DiscoveryEnabled:                "true",
		DiscoveryPlatform:               "owned",
		DiscoveryCluster(c.ClusterName): "owned",
	}
	// From these tags the autoscaler reads the labels and taints of the nodes of an empty group.
	for k, v := range t.Labels {
		tags[discoveryPrefix+"node-template/label/"+k] = v
	}
	for _, taint := range t.Taints {
		tags[discoveryPrefix+"node-template/taint/"+taint.Key] = taint.Value + ":" + taint.Effect
	}
	return Plan{
		DiscoveryTags: tags,
		// An alarm for low load would only notify people, and the autoscaler already
		// removes the instances.
		Alarms: slices.DeleteFunc(slices.Clone(t.Alarms), func(a Alarm) bool { return a.Direction == In }),
		// AZRebalance terminates instances to balance the zones, and does not
		// drain them (the Cluster Autoscaler's README for AWS, "Common Notes and
		// Gotchas").
		Suspended: []string{"AZRebalance"},
	}, nil
}

// plan returns the tier's steps and alarms.
func (ScalingPolicies) plan(t Tier) (Plan, error) {
	return Plan{Policies: map[Direction]SimpleScalingPolicy{Out: t.ScaleOut, In: t.ScaleIn}, Alarms: t.Alarms}, nil
}
