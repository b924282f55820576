package scaling

import (
	"fmt"
	"time"
)

// ClusterAutoscalerOptions are the settings of the Cluster Autoscaler that the
// design document gives (section "Cluster Autoscaler Configuration").
type ClusterAutoscalerOptions struct {
	// Verbosity is the log level, 0 to 10.
	Verbosity int
	// StderrThreshold is the level from which klog writes to standard error.
	StderrThreshold string
	// Expander chooses the group that grows.
	Expander string
	// SkipNodesWithLocalStorage keeps nodes whose pods have an emptyDir.
	SkipNodesWithLocalStorage bool
	// BalanceSimilarNodeGroups evens out groups of the same shape.
	BalanceSimilarNodeGroups bool
	ScaleDownEnabled         bool
	// ScaleDownDelayAfterAdd is the pause after a node was added.
	ScaleDownDelayAfterAdd time.Duration
	// ScaleDownUnneededTime is how long a node must have been unneeded.
	ScaleDownUnneededTime time.Duration
	// ScaleDownUtilizationThreshold is the share of a node's resources that
	// pods request, below which it is unneeded: above 0, at most 1.
	ScaleDownUtilizationThreshold float64
	// MaxNodeProvisionTime is how long a new node may take.
	MaxNodeProvisionTime time.Duration
	// MaxScaleDownParallelism is how many nodes may go at once: the document's
	// max-empty-bulk-delete, which release 1.32 put an end to.
	MaxScaleDownParallelism int
	// MaxGracefulTermination is how long a pod may take to end, in whole
	// seconds.
	MaxGracefulTermination time.Duration

	Resources Resources
}

// DefaultClusterAutoscaler gives the document's settings.
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
		Resources:                     resources("100m", "100m", "300Mi", "300Mi"),
	}
}

// Validate refuses settings that the Cluster Autoscaler would not start with,
// or would act on in a way that nobody means.
func (o ClusterAutoscalerOptions) Validate() error {
	switch {
	case o.Expander == "":
		return fmt.Errorf("cluster autoscaler: Expander must not be empty")
	case o.ScaleDownUtilizationThreshold <= 0 || o.ScaleDownUtilizationThreshold > 1:
		return fmt.Errorf("cluster autoscaler: ScaleDownUtilizationThreshold %g: must be above 0, at most 1", o.ScaleDownUtilizationThreshold)
	case o.MaxScaleDownParallelism < 1:
		return fmt.Errorf("cluster autoscaler: MaxScaleDownParallelism %d: must be at least 1", o.MaxScaleDownParallelism)
	case o.MaxGracefulTermination < TerminationGrace:
		return fmt.Errorf("cluster autoscaler: MaxGracefulTermination %s: must leave the services' pods their %s", o.MaxGracefulTermination, TerminationGrace)
	case o.ScaleDownDelayAfterAdd <= 0 || o.ScaleDownUnneededTime <= 0 || o.MaxNodeProvisionTime <= 0:
		return fmt.Errorf("cluster autoscaler: delays must be above zero: after add %s, unneeded %s, provision %s",
			o.ScaleDownDelayAfterAdd, o.ScaleDownUnneededTime, o.MaxNodeProvisionTime)
	}
	return nil
}
