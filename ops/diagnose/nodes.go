package diagnose

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/components/scaling"
)

// maxProbeAge is the highest accepted age of the last probe of Cluster Autoscaler. Cluster Autoscaler
// probes the cluster every 10 s.
const maxProbeAge = 5 * time.Minute

// clusterAutoscalerStatus is the status of Cluster Autoscaler 1.30 and later (kubernetes/autoscaler,
// cluster-autoscaler/clusterstate/api/types.go).
type clusterAutoscalerStatus struct {
	State       string      `json:"autoscalerStatus"`
	Message     string      `json:"message"`
	ClusterWide groupStatus `json:"clusterWide"`
	Groups      []struct {
		Name string `json:"name"`
		groupStatus
	} `json:"nodeGroups"`
}

// groupStatus is the status of one node group, or of all nodes.
type groupStatus struct {
	Health struct {
		Status string `json:"status"`
		Counts struct {
			Registered struct {
				Total int `json:"total"`
				Ready int `json:"ready"`
			} `json:"registered"`
		} `json:"nodeCounts"`
		Target    int    `json:"cloudProviderTarget"`
		Min       int    `json:"minSize"`
		Max       int    `json:"maxSize"`
		LastProbe string `json:"lastProbeTime"`
	} `json:"health"`
	ScaleUp struct {
		Status  string `json:"status"`
		Backoff struct {
			Code    string `json:"errorCode"`
			Message string `json:"errorMessage"`
		} `json:"backoffInfo"`
	} `json:"scaleUp"`
	ScaleDown struct {
		Status string `json:"status"`
	} `json:"scaleDown"`
}

// clusterAutoscalerFindings judges the status that Cluster Autoscaler reports for the node groups.
func clusterAutoscalerFindings(o objects) (findings []Finding, figures []Figure) {
	if o.clusterAutoscaler == "" {
		return nil, nil
	}
	next := "kubectl -n " + clusterAutoscalerNamespace + " get configmap " + clusterAutoscalerConfigMap + " -o yaml"
	var status clusterAutoscalerStatus
	if err := yaml.Unmarshal([]byte(o.clusterAutoscaler), &status); err != nil || status.State == "" {
		return []Finding{{
			Name: "node-scaler-unreadable", Where: "configmap/" + clusterAutoscalerConfigMap, Evidence: fmt.Sprintf("%.80q", o.clusterAutoscaler), Cause: "another version of Cluster Autoscaler wrote the status",
			Fix: "compare its image with components/autoscaler", Next: next,
		}}, nil
	}
	probe, err := time.Parse(time.RFC3339, status.ClusterWide.Health.LastProbe)
	if age := o.now.Sub(probe); err == nil && age > maxProbeAge {
		findings = append(findings, Finding{
			Name: "node-scaler-silent", Where: "deployment/cluster-autoscaler", Evidence: "its last probe of the nodes was " + age.Round(time.Second).String() + " ago", Threshold: maxProbeAge.String(),
			Cause: "its pod does not run, or AWS does not respond to it", Fix: "read the status and the log of its pod", Next: "kubectl -n " + clusterAutoscalerNamespace + " logs deployment/cluster-autoscaler --tail=50",
		})
	}
	if health := status.ClusterWide.Health.Status; health != "Healthy" && health != "" {
		findings = append(findings, Finding{
			Name: "nodes-unhealthy", Where: "cluster", Evidence: fmt.Sprintf("Cluster Autoscaler reports %s: %d of %d nodes are ready", health, status.ClusterWide.Health.Counts.Registered.Ready, status.ClusterWide.Health.Counts.Registered.Total), Threshold: "Healthy",
			Cause: "too many nodes are not ready, so Cluster Autoscaler stops scaling", Fix: "docs/runbooks/upgrade.md#a-node-does-not-end-or-is-not-drained", Next: "kubectl get nodes",
		})
	}
	for _, group := range status.Groups {
		figures = append(figures, Figure{Scaling, "group " + group.Name, fmt.Sprintf("%d of %d nodes ready, target %d, %d to %d allowed; scale up %s, scale down %s",
			group.Health.Counts.Registered.Ready, group.Health.Counts.Registered.Total, group.Health.Target, group.Health.Min, group.Health.Max, group.ScaleUp.Status, group.ScaleDown.Status)})
		if group.ScaleUp.Status == "Backoff" {
			findings = append(findings, Finding{
				Name: "node-group-backoff", Where: "group " + group.Name, Evidence: fmt.Sprintf("no node could be added: %s %s", group.ScaleUp.Backoff.Code, group.ScaleUp.Backoff.Message),
				Cause: "AWS has no capacity of the instance type in the zones, or a quota is reached", Fix: "add instance types to the tier, or raise the quota: docs/deploy.md", Next: next,
			})
		}
	}
	return findings, figures
}

// drainTaints are the taints of a node that Cluster Autoscaler or the termination handler drains
// (kubernetes/autoscaler, cluster-autoscaler/utils/taints/taints.go), and the taint of a cordoned
// node. A node with DeletionCandidateOfClusterAutoscaler is not drained yet and takes pods.
var drainTaints = []string{"ToBeDeletedByClusterAutoscaler", "aws-node-termination-handler/asg-lifecycle-termination", "aws-node-termination-handler/spot-itn", corev1.TaintNodeUnschedulable}

// nodeGroupFindings counts the nodes of each tier. It reports a draining node with pods if the tier
// has no other node that takes pods.
func nodeGroupFindings(o objects) (findings []Finding, figures []Figure) {
	tiers := map[string][]corev1.Node{}
	for _, node := range o.nodes {
		tier := node.Labels[scaling.NodeLabel]
		tiers[tier] = append(tiers[tier], node)
	}
	for _, tier := range slices.Sorted(maps.Keys(tiers)) {
		var remaining, draining []corev1.Node
		for _, node := range tiers[tier] {
			if isDraining(node) {
				draining = append(draining, node)
			} else {
				remaining = append(remaining, node)
			}
		}
		figures = append(figures, Figure{Scaling, "nodes of tier " + tier, fmt.Sprintf("%d, of which %d drain", len(tiers[tier]), len(draining))})
		for _, node := range draining {
			pods := o.runningPodNames(node.Name)
			figures = append(figures, Figure{Scaling, "drain of node/" + node.Name, fmt.Sprintf("%d pods move to the other nodes of the tier (%s): %s", len(pods), cmp.Or(joinNames(sortedNames(remaining), 10), "none"), strings.Join(pods, ", "))})
			if len(pods) > 0 && len(remaining) == 0 {
				findings = append(findings, Finding{
					Name: "drain-without-target", Where: "node/" + node.Name, Evidence: fmt.Sprintf("%d pods must leave, and no other node of tier %q takes pods", len(pods), tier),
					Cause: "every node of the tier is cordoned or is being removed", Fix: "raise tiers.NAME.min, or uncordon a node", Next: "kubectl get nodes -L " + scaling.NodeLabel,
				})
			}
		}
	}
	return findings, figures
}

// sortedNames returns the names of nodes, sorted.
func sortedNames(nodes []corev1.Node) (names []string) {
	for _, node := range nodes {
		names = append(names, node.Name)
	}
	slices.Sort(names)
	return names
}

// isDraining reports whether a node is cordoned or has one of drainTaints.
func isDraining(node corev1.Node) bool {
	return node.Spec.Unschedulable || slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return slices.Contains(drainTaints, t.Key) })
}

// runningPodNames returns the names of the platform's running pods on a node.
func (o objects) runningPodNames(node string) (names []string) {
	for _, pod := range o.pods {
		if pod.Spec.NodeName == node && pod.Status.Phase == corev1.PodRunning {
			names = append(names, pod.Name)
		}
	}
	slices.Sort(names)
	return names
}
