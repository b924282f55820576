package nodes

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// instanceType is an EC2 instance type with the capacity of its node in EKS.
type instanceType struct {
	name   string
	cpu    resource.Quantity
	memory resource.Quantity
	pods   int64 // the VPC CNI's limit: network interfaces × (addresses of each − 1) + 2
	// The allocatable amounts are available to pods. EKS reserves 6 % of the first core, 1 % of
	// the second core and 0.5 % of the third and fourth core. It reserves 255 MiB of memory, 11
	// MiB for each pod, and the 100 MiB below which the kubelet evicts pods. Source: kubelet
	// defaults in the repository awslabs/amazon-eks-ami.
	allocatableCPU    resource.Quantity
	allocatableMemory resource.Quantity
}

// m6iXLarge has 4 vCPU, 16 GiB of memory, and 4 network interfaces with 15 addresses each.
var m6iXLarge = instanceType{
	name: "m6i.xlarge",
	cpu:  resource.MustParse("4"), memory: resource.MustParse("16Gi"), pods: 4*(15-1) + 2,
	allocatableCPU:    resource.MustParse("3920m"),
	allocatableMemory: resource.MustParse("15391Mi"), // 16384 − 255 − 11×58 − 100
}

// readyTimeout is how long the nodes may take to be ready.
const readyTimeout = time.Minute

// tierLabel is a label of nodes. The platform's launch templates set it, and the node
// selectors of its services use it.
const tierLabel = "progressive-framework/tier"

// tiers are the values of tierLabel.
var tiers = []string{"web", "application"}

// Ensure creates the simulated nodes of a sandbox: perZone nodes of each tier in each zone.
// perZone must be at least 1. Surplus nodes are deleted, and their pods are scheduled
// again. Ensure returns when all nodes are ready.
func Ensure(ctx context.Context, l *layout.Layout, perZone int) error {
	if len(l.Zones) == 0 {
		return errors.New("simulated nodes: the sandbox's settings have no zones: set zones, such as us-east-1a")
	}
	if perZone < 1 {
		return fmt.Errorf("simulated nodes: %d per zone: at least one is needed", perZone)
	}
	config, err := clientcmd.BuildConfigFromFlags("", l.Kubeconfig())
	if err != nil {
		return fmt.Errorf("simulated nodes: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("simulated nodes: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout,
		fmt.Errorf("not ready within %s; see the log of kwok", readyTimeout))
	defer cancel()
	if err := ensureNodes(ctx, client.CoreV1().Nodes(), newNodes(l.Zones, perZone)); err != nil {
		return fmt.Errorf("simulated nodes: %w", err)
	}
	return nil
}

// newNodes returns the nodes to create. The name of a node consists of its zone, tier and
// number, so a larger perZone changes no name.
func newNodes(zones []string, perZone int) []*corev1.Node {
	var nodes []*corev1.Node
	for _, zone := range zones {
		for _, tier := range tiers {
			for i := range perZone {
				nodes = append(nodes, newNode(zone, tier, i, m6iXLarge))
			}
		}
	}
	return nodes
}

// newNode returns the simulated node with a number in a tier and zone.
func newNode(zone, tier string, number int, instance instanceType) *corev1.Node {
	name := "simulated-" + zone + "-" + tier + "-" + strconv.Itoa(number)
	resources := func(cpu, memory resource.Quantity) corev1.ResourceList {
		return corev1.ResourceList{
			corev1.ResourceCPU:              cpu,
			corev1.ResourceMemory:           memory,
			corev1.ResourcePods:             *resource.NewQuantity(instance.pods, resource.DecimalSI),
			corev1.ResourceEphemeralStorage: resource.MustParse("20Gi"), // EKS's default volume
		}
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{kwokAnnotation: kwokValue},
			Labels: map[string]string{
				simulatedLabel:                      "true",
				corev1.LabelHostname:                name,
				tierLabel:                           tier,
				corev1.LabelOSStable:                "linux",
				corev1.LabelArchStable:              "amd64",
				corev1.LabelInstanceTypeStable:      instance.name,
				corev1.LabelTopologyZone:            zone,
				corev1.LabelTopologyRegion:          region(zone),
				"node-role.kubernetes.io/simulated": "",
			},
		},
		Status: corev1.NodeStatus{
			Capacity:    resources(instance.cpu, instance.memory),
			Allocatable: resources(instance.allocatableCPU, instance.allocatableMemory),
		},
	}
}

// region returns the region of a zone, which is the zone's name without its last letter.
func region(zone string) string { return strings.TrimRight(zone, "abcdefghijklmnopqrstuvwxyz") }

// nodeAPI is the part of the node client that ensureNodes needs.
type nodeAPI interface {
	Create(context.Context, *corev1.Node, metav1.CreateOptions) (*corev1.Node, error)
	List(context.Context, metav1.ListOptions) (*corev1.NodeList, error)
	Delete(context.Context, string, metav1.DeleteOptions) error
}

// ensureNodes creates the missing nodes of want, deletes surplus simulated nodes, and waits
// until all nodes of want are usable.
func ensureNodes(ctx context.Context, api nodeAPI, want []*corev1.Node) error {
	wanted := map[string]bool{}
	for _, n := range want {
		wanted[n.Name] = true
		if _, err := api.Create(ctx, n, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create %s: %w", n.Name, err)
		}
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		existing, err := api.List(ctx, metav1.ListOptions{LabelSelector: simulatedLabel})
		if err != nil {
			return fmt.Errorf("list: %w", err)
		}
		ready := 0
		for _, n := range existing.Items {
			switch {
			case !wanted[n.Name]:
				if err := api.Delete(ctx, n.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
					return fmt.Errorf("delete %s: %w", n.Name, err)
				}
			case isUsable(&n):
				ready++
			}
		}
		if ready == len(want) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d: %w", ready, len(want), context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// isUsable reports whether pods can be scheduled on a node. The node must be ready, and
// the controller manager must have removed the taint of a new node.
func isUsable(n *corev1.Node) bool {
	for _, t := range n.Spec.Taints {
		if t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable {
			return false
		}
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
