// Package manifest says how the Cluster Autoscaler runs: its image, its command
// line, and its permissions in Kubernetes and in AWS. It is pure; the resources
// are package autoscaler's.
package manifest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/scaling"
)

// MetricsPort is where it answers /metrics and /health-check (its --address).
const MetricsPort = 8085

// Image is the image of the autoscaler whose minor version is the cluster's,
// as its scheduler simulation must be.
func Image(version string) (string, error) {
	release, err := eksspec.ForVersion(version)
	if err != nil {
		return "", err
	}
	return "registry.k8s.io/autoscaling/cluster-autoscaler:" + release.ClusterAutoscaler, nil
}

// Command is the autoscaler's command line for one cluster, in the order of
// the design document.
func Command(o scaling.ClusterAutoscalerOptions, clusterName string) ([]string, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if clusterName == "" {
		return nil, fmt.Errorf("cluster autoscaler: must be given the name of its cluster")
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
		"--scale-down-delay-after-add=" + duration(o.ScaleDownDelayAfterAdd),
		"--scale-down-unneeded-time=" + duration(o.ScaleDownUnneededTime),
		"--scale-down-utilization-threshold=" + strconv.FormatFloat(o.ScaleDownUtilizationThreshold, 'f', -1, 64),
		"--max-node-provision-time=" + duration(o.MaxNodeProvisionTime),
		"--max-scale-down-parallelism=" + strconv.Itoa(o.MaxScaleDownParallelism),
		"--max-graceful-termination-sec=" + strconv.Itoa(int(o.MaxGracefulTermination.Seconds())),
	}, nil
}

// duration writes 10m0s as the document does, 10m.
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
