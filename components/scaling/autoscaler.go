package scaling

import (
	"fmt"
	"time"
)

// ClusterAutoscalerOptions are the settings of the Cluster Autoscaler that the
// design document sets (section "Cluster Autoscaler Configuration").
type ClusterAutoscalerOptions struct {
	// Verbosity is the log level, 0 to 10.
	Verbosity int
	// StderrThreshold is the lowest level that klog writes to standard error.
	StderrThreshold string
	// Expander names the strategy that chooses which group gets a new node.
	Expander string
	// SkipNodesWithLocalStorage keeps a node while one of its pods has an
	// emptyDir volume.
	SkipNodesWithLocalStorage bool
	// BalanceSimilarNodeGroups keeps groups of similar nodes at similar sizes.
	BalanceSimilarNodeGroups bool
	ScaleDownEnabled         bool
	// ScaleDownDelayAfterAdd is the pause before scale-down after a node was
	// added.
	ScaleDownDelayAfterAdd time.Duration
	// ScaleDownUnneededTime is the time for which a node must be unneeded before
	// the autoscaler removes it.
	ScaleDownUnneededTime time.Duration
	// ScaleDownUtilizationThreshold is a share of a node's resources: above 0,
	// at most 1. A node is unneeded when its pods request less.
	ScaleDownUtilizationThreshold float64
	// MaxNodeProvisionTime is the longest time that a new node may take to join the
	// cluster.
	MaxNodeProvisionTime time.Duration
	// MaxScaleDownParallelism is the largest number of nodes that are removed at the same time. It
	// replaces the design document's max-empty-bulk-delete, which release 1.32 removed.
	MaxScaleDownParallelism int
	// MaxGracefulTermination is the longest time that a pod may take to terminate,
	// in whole seconds.
	MaxGracefulTermination time.Duration

	Resources Resources
}

// autoscalerMemory is the request and the limit of the Cluster Autoscaler's memory. It is the value
// of kubernetes/autoscaler's example (cluster-autoscaler,
// cloudprovider/aws/examples/cluster-autoscaler-autodiscover.yaml). The design document's 300Mi is
// too little: the autoscaler needs more while it reads a cluster at its start, and the kernel would
// kill it.
const autoscalerMemory = "600Mi"

// DefaultClusterAutoscaler returns the design document's settings, with more memory.
func DefaultClusterAutoscaler() ClusterAutoscalerOptions {
	return ClusterAutoscalerOptions{
		Verbosity:                     4,
		StderrThreshold:               "info",
		Expander:                      "least-waste",
		SkipNodesWithLocalStorage:     false,
		BalanceSimilarNodeGroups:      true,
		ScaleDownEnabled:              true,
		ScaleDownDelayAfterAdd:        10 * time.Minute,
		ScaleDownUnneededTime:         10 * time.Minute,
		ScaleDownUtilizationThreshold: 0.5,
		MaxNodeProvisionTime:          15 * time.Minute,
		MaxScaleDownParallelism:       10,
		MaxGracefulTermination:        600 * time.Second,
		Resources:                     parseResources("100m", "100m", autoscalerMemory, autoscalerMemory),
	}
}

// Validate returns an error for settings with which the Cluster Autoscaler would
// not start, never remove a node, or remove a node too early.
func (o ClusterAutoscalerOptions) Validate() error {
	switch {
	case o.Expander == "":
		return fmt.Errorf("cluster autoscaler: Expander is empty: must be a strategy such as least-waste")
	case o.ScaleDownUtilizationThreshold <= 0 || o.ScaleDownUtilizationThreshold > 1:
		return fmt.Errorf("cluster autoscaler: ScaleDownUtilizationThreshold %g: must be above 0, at most 1", o.ScaleDownUtilizationThreshold)
	case o.MaxScaleDownParallelism < 1:
		return fmt.Errorf("cluster autoscaler: MaxScaleDownParallelism %d: must be at least 1", o.MaxScaleDownParallelism)
	case o.MaxGracefulTermination < TerminationGrace:
		return fmt.Errorf("cluster autoscaler: MaxGracefulTermination %s: must be at least %s, the termination grace period of the services' pods", o.MaxGracefulTermination, TerminationGrace)
	case o.ScaleDownDelayAfterAdd <= 0 || o.ScaleDownUnneededTime <= 0 || o.MaxNodeProvisionTime <= 0:
		return fmt.Errorf("cluster autoscaler: delays must be above zero: after add %s, unneeded %s, provision %s",
			o.ScaleDownDelayAfterAdd, o.ScaleDownUnneededTime, o.MaxNodeProvisionTime)
	}
	return nil
}
