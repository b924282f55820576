package scaling

import (
	"fmt"
	"slices"
)

// Driver is who takes instances away from a group: ClusterAutoscaler or
// ScalingPolicies. A group has exactly one, because two would undo each
// other's work; what each needs follows from it, in Plan.
type Driver interface{ plan(t Tier) (Plan, error) }

// ClusterAutoscaler leaves the group to the Cluster Autoscaler of a cluster.
// The scaling policies that add instances stay wired, as headroom for bursts.
type ClusterAutoscaler struct{ ClusterName string }

// ScalingPolicies leaves the group to its own scaling policies.
type ScalingPolicies struct{}

// Plan is what a driver makes of a tier.
type Plan struct {
	// DiscoveryTags are those by which the Cluster Autoscaler finds the group;
	// none: it never touches it. They are the group's own, not its instances'.
	DiscoveryTags map[string]string
	// Alarms are those that take a step. A step that none takes stays unwired.
	Alarms []Alarm
	// Suspended are the group's processes that would take instances away
	// beside its driver.
	Suspended []string
}

const (
	// discoveryPrefix begins the tags of the Cluster Autoscaler (its README
	// for AWS, "Auto-Discovery Setup").
	discoveryPrefix = "k8s.io/cluster-autoscaler/"
	// DiscoveryEnabled is a discovery tag of the design document (section
	// "Cluster Autoscaler Configuration").
	DiscoveryEnabled = discoveryPrefix + "enabled"
	// DiscoveryPlatform is its other one.
	DiscoveryPlatform = discoveryPrefix + "progressive-framework-v5"
)

// DiscoveryCluster is the tag of one cluster's groups. The document's two tags
// are the same in every environment: without this one the autoscaler of one
// cluster would scale the groups of all.
func DiscoveryCluster(clusterName string) string { return discoveryPrefix + clusterName }

// PlanFor says what a driver makes of a tier. It refuses a tier that is wrong
// in itself, one without a driver, and a driver without a cluster.
func PlanFor(t Tier, d Driver) (Plan, error) {
	if err := t.Validate(); err != nil {
		return Plan{}, err
	}
	if d == nil {
		return Plan{}, fmt.Errorf("tier %s: must have a driver, ClusterAutoscaler or ScalingPolicies", t.Name)
	}
	return d.plan(t)
}

func (c ClusterAutoscaler) plan(t Tier) (Plan, error) {
	if c.ClusterName == "" {
		return Plan{}, fmt.Errorf("tier %s: its ClusterAutoscaler must name its cluster", t.Name)
	}
	tags := map[string]string{
		DiscoveryEnabled:                "true",
		DiscoveryPlatform:               "owned",
		DiscoveryCluster(c.ClusterName): "owned",
	}
	// What a node of an empty group would look like.
	for k, v := range t.Labels {
		tags[discoveryPrefix+"node-template/label/"+k] = v
	}
	for _, taint := range t.Taints {
		tags[discoveryPrefix+"node-template/taint/"+taint.Key] = taint.Value + ":" + taint.Effect
	}
	return Plan{
		DiscoveryTags: tags,
		Alarms:        slices.DeleteFunc(slices.Clone(t.Alarms), func(a Alarm) bool { return a.Takes == In }),
		// It ends instances to even out the zones, and drains none of them
		// (the Cluster Autoscaler's README for AWS, "Common Notes and Gotchas").
		Suspended: []string{"AZRebalance"},
	}, nil
}

func (ScalingPolicies) plan(t Tier) (Plan, error) { return Plan{Alarms: t.Alarms}, nil }
