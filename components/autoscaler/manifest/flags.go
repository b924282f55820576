// Package manifest owns the image of the Cluster Autoscaler, its command line,
// and its permissions in Kubernetes and AWS. It imports no SDK. The resources are in
// package autoscaler.
package manifest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/scaling"
)

// MetricsPort is the port of /metrics and /health-check (flag --address).
const MetricsPort = 8085

// Image returns the image of the autoscaler for a Kubernetes minor version. The autoscaler must
// have the cluster's minor version, because the autoscaler simulates the cluster's scheduler.
func Image(version string) (string, error) {
	release, err := eksspec.ForVersion(version)
	if err != nil {
		return "", err
	}
	return "registry.k8s.io/autoscaling/cluster-autoscaler:" + release.ClusterAutoscaler, nil
}

// Command returns the autoscaler's command line for one cluster. The flags are in
// the order of the design document.
func Command(o scaling.ClusterAutoscalerOptions, clusterName string) ([]string, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if clusterName == "" {
		return nil, fmt.Errorf("cluster autoscaler: clusterName is empty: must be the name of the EKS cluster")
	}
	tags := []string{scaling.DiscoveryEnabled, scaling.DiscoveryPlatform, scaling.DiscoveryCluster(clusterName)}
	return []string{
		"./cluster-autoscaler",
		"--v=" + strconv.Itoa(o.Verbosity),
		"--stderrthreshold=" + o.StderrThreshold,
		"--cloud-provider=aws",
		"--skip-nodes-with-local-storage=" + strconv.FormatBool(o.SkipNodesWithLocalStorage),
		"--expander=" + o.Expander,
		"--node-group-auto-discovery=asg:tag=" + strings.Join(tags, ","),
		"--balance-similar-node-groups=" + strconv.FormatBool(o.BalanceSimilarNodeGroups),
		"--scale-down-enabled=" + strconv.FormatBool(o.ScaleDownEnabled),
		"--scale-down-delay-after-add=" + formatDuration(o.ScaleDownDelayAfterAdd),
		"--scale-down-unneeded-time=" + formatDuration(o.ScaleDownUnneededTime),
		"--scale-down-utilization-threshold=" + strconv.FormatFloat(o.ScaleDownUtilizationThreshold, 'f', -1, 64),
		"--max-node-provision-time=" + formatDuration(o.MaxNodeProvisionTime),
		"--max-scale-down-parallelism=" + strconv.Itoa(o.MaxScaleDownParallelism),
		"--max-graceful-termination-sec=" + strconv.Itoa(int(o.MaxGracefulTermination.Seconds())),
	}, nil
}

// formatDuration formats a duration without zero units, such as 10m instead of 10m0s, as in the
// design document.
func formatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
