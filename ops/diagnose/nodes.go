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

// nodeScalerSilent is the oldest accepted probe of Cluster Autoscaler. It probes the cluster every
// 10 s.
const nodeScalerSilent = 5 * time.Minute

// nodeScalerState is the status of Cluster Autoscaler 1.30 and later (kubernetes/autoscaler,
// cluster-autoscaler/clusterstate/api/types.go).
type nodeScalerState struct {
	State       string    `json:"autoscalerStatus"`
	Message     string    `json:"message"`
	ClusterWide groupWide `json:"clusterWide"`
	Groups      []struct {
		Name string `json:"name"`
		groupWide
	} `json:"nodeGroups"`
}

type groupWide struct {
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

// nodeScalerFindings judges the status that Cluster Autoscaler reports for the node groups.
func nodeScalerFindings(o objects) (list []Finding, figures []Figure) {
	if o.nodeScaler == "" {
		return nil, nil
	}
	next := "kubectl -n " + nodeScalerNamespace + " get configmap " + nodeScalerStatus + " -o yaml"
	var state nodeScalerState
	if err := yaml.Unmarshal([]byte(o.nodeScaler), &state); err != nil || state.State == "" {
		return []Finding{{
			Name: "node-scaler-unreadable", Where: "configmap/" + nodeScalerStatus, Evidence: fmt.Sprintf("%.80q", o.nodeScaler), Cause: "another version of Cluster Autoscaler wrote the status",
			Fix: "compare its image with components/autoscaler", Next: next,
		}}, nil
	}
	probe, err := time.Parse(time.RFC3339, state.ClusterWide.Health.LastProbe)
	if age := o.now.Sub(probe); err == nil && age > nodeScalerSilent {
		list = append(list, Finding{
			Name: "node-scaler-silent", Where: "deployment/cluster-autoscaler", Evidence: "its last probe of the nodes was " + age.Round(time.Second).String() + " ago", Threshold: nodeScalerSilent.String(),
			Cause: "its pod does not run, or AWS does not respond to it", Fix: "read the status and the log of its pod", Next: "kubectl -n " + nodeScalerNamespace + " logs deployment/cluster-autoscaler --tail=50",
		})
	}
	if health := state.ClusterWide.Health.Status; health != "Healthy" && health != "" {
		list = append(list, Finding{
			Name: "nodes-unhealthy", Where: "cluster", Evidence: fmt.Sprintf("Cluster Autoscaler says %s: %d of %d nodes are ready", health, state.ClusterWide.Health.Counts.Registered.Ready, state.ClusterWide.Health.Counts.Registered.Total), Threshold: "Healthy",
			Cause: "too many nodes are not ready, so Cluster Autoscaler stops scaling", Fix: "docs/runbooks/upgrade.md#a-node-does-not-end-or-is-not-drained", Next: "kubectl get nodes",
		})
	}
	for _, g := range state.Groups {
		figures = append(figures, Figure{Scaling, "group " + g.Name, fmt.Sprintf("%d of %d nodes ready, target %d, %d to %d allowed; scale up %s, scale down %s",
			g.Health.Counts.Registered.Ready, g.Health.Counts.Registered.Total, g.Health.Target, g.Health.Min, g.Health.Max, g.ScaleUp.Status, g.ScaleDown.Status)})
		if g.ScaleUp.Status == "Backoff" {
			list = append(list, Finding{
				Name: "node-group-backoff", Where: "group " + g.Name, Evidence: fmt.Sprintf("no node could be added: %s %s", g.ScaleUp.Backoff.Code, g.ScaleUp.Backoff.Message),
				Cause: "AWS has no capacity of the instance type in the zones, or a quota is reached", Fix: "add instance types to the tier, or raise the quota: docs/deploy.md", Next: next,
			})
		}
	}
	return list, figures
}

// drainTaints are the taints of a node that Cluster Autoscaler or the termination handler drains
// (kubernetes/autoscaler, cluster-autoscaler/utils/taints/taints.go).
var drainTaints = []string{"ToBeDeletedByClusterAutoscaler", "DeletionCandidateOfClusterAutoscaler", "aws-node-termination-handler/asg-lifecycle-termination", "aws-node-termination-handler/spot-itn", corev1.TaintNodeUnschedulable}

// nodeGroupFindings counts the nodes of each tier. A finding is a draining node with pods whose
// tier has no other node that takes pods.
func nodeGroupFindings(o objects) (list []Finding, figures []Figure) {
	tiers := map[string][]corev1.Node{}
	for _, node := range o.nodes {
		tier := node.Labels[scaling.NodeLabel]
		tiers[tier] = append(tiers[tier], node)
	}
	for _, tier := range slices.Sorted(maps.Keys(tiers)) {
		var stay, leave []corev1.Node
		for _, node := range tiers[tier] {
			if drains(node) {
				leave = append(leave, node)
			} else {
				stay = append(stay, node)
			}
		}
		figures = append(figures, Figure{Scaling, "nodes of tier " + tier, fmt.Sprintf("%d, of which %d drain", len(tiers[tier]), len(leave))})
		for _, node := range leave {
			pods := o.podsOn(node.Name)
			figures = append(figures, Figure{Scaling, "drain of node/" + node.Name, fmt.Sprintf("%d pods move to the other nodes of the tier (%s): %s", len(pods), cmp.Or(listed(names(stay), 10), "none"), strings.Join(pods, ", "))})
			if len(pods) > 0 && len(stay) == 0 {
				list = append(list, Finding{
					Name: "drain-without-target", Where: "node/" + node.Name, Evidence: fmt.Sprintf("%d pods must leave, and no other node of tier %q takes pods", len(pods), tier),
					Cause: "every node of the tier is cordoned or is being removed", Fix: "raise tiers.NAME.min, or uncordon a node", Next: "kubectl get nodes -L " + scaling.NodeLabel,
				})
			}
		}
	}
	return list, figures
}

// names returns the names of nodes, sorted.
func names(nodes []corev1.Node) (list []string) {
	for _, node := range nodes {
		list = append(list, node.Name)
	}
	slices.Sort(list)
	return list
}

func drains(node corev1.Node) bool {
	return node.Spec.Unschedulable || slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return slices.Contains(drainTaints, t.Key) })
}

// podsOn returns the names of the platform's running pods on a node.
func (o objects) podsOn(node string) (names []string) {
	for _, pod := range o.pods {
		if pod.Spec.NodeName == node && pod.Status.Phase == corev1.PodRunning {
			names = append(names, pod.Name)
		}
	}
	slices.Sort(names)
	return names
}
