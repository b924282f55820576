package scaling

// ScaleInOwner is what removes instances from a tier, as a stack's
// configuration names it.
type ScaleInOwner string

// The owners of scale-in.
const (
	// ScaleInByClusterAutoscaler is ClusterAutoscaler, also where no owner is
	// named.
	ScaleInByClusterAutoscaler ScaleInOwner = "clusterAutoscaler"
	// ScaleInByPolicies is ScalingPolicies.
	ScaleInByPolicies ScaleInOwner = "scalingPolicies"
)

// Values lists the owners.
func (ScaleInOwner) Values() []string {
	return []string{string(ScaleInByClusterAutoscaler), string(ScaleInByPolicies)}
}

// Driver is the owner on one cluster.
func (o ScaleInOwner) Driver(clusterName string) Driver {
	if o == ScaleInByPolicies {
		return ScalingPolicies{}
	}
	return ClusterAutoscaler{ClusterName: clusterName}
}
