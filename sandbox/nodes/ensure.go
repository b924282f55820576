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

// instance is an EC2 instance type with the values of its node in EKS.
type instance struct {
	name   string
	cpu    resource.Quantity
	memory resource.Quantity
	pods   int64 // addresses of its network interfaces: interfaces × (addresses − 1) + 2
	// The amounts for pods. EKS reserves 6 % of the first core, 1 % of the second
	// and 0.5 % of the third and fourth, 255 MiB, and 11 MiB for each pod. It evicts
	// below 100 MiB (awslabs/amazon-eks-ami, kubelet defaults).
	allocatableCPU    resource.Quantity
	allocatableMemory resource.Quantity
}

// m6iXLarge has 4 vCPU, 16 GiB, 4 interfaces with 15 addresses each.
var m6iXLarge = instance{
	name: "m6i.xlarge",
	cpu:  resource.MustParse("4"), memory: resource.MustParse("16Gi"), pods: 4*(15-1) + 2,
	allocatableCPU:    resource.MustParse("3920m"),
	allocatableMemory: resource.MustParse("15391Mi"), // 16384 − 255 − 11×58 − 100
}

// readyWithin is how long the nodes may take to be ready.
const readyWithin = time.Minute

// tierLabel is the label that the platform's launch templates set on nodes and
// that its services select; tiers are its values.
const tierLabel = "progressive-framework/tier"

var tiers = []string{"web", "application"}

// Ensure creates the simulated nodes of a sandbox: perZone nodes, at least one, of
// each tier in each zone. Surplus nodes are deleted, and their pods are scheduled
// again. It returns when all nodes are ready.
func Ensure(ctx context.Context, l *layout.Layout, perZone int) error {
	if len(l.Zones) == 0 {
		return errors.New("simulated nodes: the sandbox's settings have no zones: set zones, such as us-east-1a")
	}
	if perZone < 1 {
		return fmt.Errorf("simulated nodes: %d per zone: at least one is needed", perZone)
	}
	conf, err := clientcmd.BuildConfigFromFlags("", l.Kubeconfig())
	if err != nil {
		return fmt.Errorf("simulated nodes: %w", err)
	}
	client, err := kubernetes.NewForConfig(conf)
	if err != nil {
		return fmt.Errorf("simulated nodes: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin,
		fmt.Errorf("not ready within %s; see the log of kwok", readyWithin))
	defer cancel()
	if err := ensure(ctx, client.CoreV1().Nodes(), plan(l.Zones, perZone)); err != nil {
		return fmt.Errorf("simulated nodes: %w", err)
	}
	return nil
}

// plan lists the nodes to create. A name consists of zone, tier and number, so that
// more nodes never rename existing ones.
func plan(zones []string, perZone int) []*corev1.Node {
	var nodes []*corev1.Node
	for _, zone := range zones {
		for _, tier := range tiers {
			for i := range perZone {
				nodes = append(nodes, node(zone, tier, i, m6iXLarge))
			}
		}
	}
	return nodes
}

// node returns simulated node number i of a tier in a zone.
func node(zone, tier string, i int, it instance) *corev1.Node {
	name := "simulated-" + zone + "-" + tier + "-" + strconv.Itoa(i)
	amount := func(cpu, memory resource.Quantity) corev1.ResourceList {
		return corev1.ResourceList{
			corev1.ResourceCPU:              cpu,
			corev1.ResourceMemory:           memory,
			corev1.ResourcePods:             *resource.NewQuantity(it.pods, resource.DecimalSI),
			corev1.ResourceEphemeralStorage: resource.MustParse("20Gi"), // EKS's default volume
		}
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{annotation: fake},
			Labels: map[string]string{
				label:                               "true",
				corev1.LabelHostname:                name,
				tierLabel:                           tier,
				corev1.LabelOSStable:                "linux",
				corev1.LabelArchStable:              "amd64",
				corev1.LabelInstanceTypeStable:      it.name,
				corev1.LabelTopologyZone:            zone,
				corev1.LabelTopologyRegion:          region(zone),
				"node-role.kubernetes.io/simulated": "",
			},
		},
		Status: corev1.NodeStatus{
			Capacity:    amount(it.cpu, it.memory),
			Allocatable: amount(it.allocatableCPU, it.allocatableMemory),
		},
	}
}

// region returns a zone's name without its last letter.
func region(zone string) string { return strings.TrimRight(zone, "abcdefghijklmnopqrstuvwxyz") }

// nodeAPI is the part of the node client that ensure needs.
type nodeAPI interface {
	Create(context.Context, *corev1.Node, metav1.CreateOptions) (*corev1.Node, error)
	List(context.Context, metav1.ListOptions) (*corev1.NodeList, error)
	Delete(context.Context, string, metav1.DeleteOptions) error
}

// ensure creates the missing nodes of want, deletes surplus simulated nodes, and waits
// until all nodes of want are usable.
func ensure(ctx context.Context, api nodeAPI, want []*corev1.Node) error {
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
		have, err := api.List(ctx, metav1.ListOptions{LabelSelector: label})
		if err != nil {
			return fmt.Errorf("list: %w", err)
		}
		ready := 0
		for _, n := range have.Items {
			switch {
			case !wanted[n.Name]:
				if err := api.Delete(ctx, n.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
					return fmt.Errorf("delete %s: %w", n.Name, err)
				}
			case usable(&n):
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

// usable says whether pods can be scheduled on a node: it is ready, and the
// controller manager has removed the taint of new nodes.
func usable(n *corev1.Node) bool {
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
