package nodes

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"

	"github.com/progressive-framework/platform/sandbox/layout"
)

var zones = []string{"us-east-1a", "us-east-1b", "us-east-1c"}

// fakeAPI stores nodes as the API server does. Each node becomes ready when it is listed
// for the second time.
type fakeAPI struct {
	nodes      map[string]*corev1.Node
	listed     map[string]int // how often each node was listed
	neverReady bool           // the nodes never become ready
}

func newFakeAPI() *fakeAPI {
	return &fakeAPI{nodes: map[string]*corev1.Node{}, listed: map[string]int{}}
}

func (f *fakeAPI) Create(_ context.Context, n *corev1.Node, _ metav1.CreateOptions) (*corev1.Node, error) {
	if f.nodes[n.Name] != nil {
		return nil, apierrors.NewAlreadyExists(schema.GroupResource{Resource: "nodes"}, n.Name)
	}
	n = n.DeepCopy()
	n.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}}
	f.nodes[n.Name] = n
	return n, nil
}

func (f *fakeAPI) List(_ context.Context, o metav1.ListOptions) (*corev1.NodeList, error) {
	list := &corev1.NodeList{}
	for name, n := range f.nodes {
		if n.Labels[o.LabelSelector] == "" {
			continue
		}
		if f.listed[name]++; f.listed[name] > 1 && !f.neverReady {
			n.Spec.Taints = nil
			n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		}
		list.Items = append(list.Items, *n)
	}
	return list, nil
}

func (f *fakeAPI) Delete(_ context.Context, name string, _ metav1.DeleteOptions) error {
	delete(f.nodes, name)
	return nil
}

func TestEnsureCreatesMissingNodesAndDeletesSurplusOnes(t *testing.T) {
	f := newFakeAPI()
	f.nodes["other-node"] = &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "other-node"}}
	for _, tc := range []struct {
		reason  string
		perZone int
	}{
		{"no node exists", 2}, {"more nodes", 3}, {"the same number again", 3}, {"fewer nodes", 1},
	} {
		require.NoError(t, ensureNodes(t.Context(), f, newNodes(zones, tc.perZone)), tc.reason)
		require.Len(t, f.nodes, 3*len(tiers)*tc.perZone+1, "%s: all simulated nodes, and the node that is not simulated", tc.reason)
		for name, n := range f.nodes {
			require.True(t, name == "other-node" || isUsable(n), "%s: %s", tc.reason, name)
		}
	}
}

func TestEnsureErrorHasTheNumberOfReadyNodes(t *testing.T) {
	f := newFakeAPI()
	f.neverReady = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := ensureNodes(ctx, f, newNodes(zones, 1))
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "0 of 6")
}

func TestEnsureNeedsZonesAndAtLeastOneNode(t *testing.T) {
	require.ErrorContains(t, Ensure(t.Context(), &layout.Layout{}, 1), "zones")
	require.ErrorContains(t, Ensure(t.Context(), &layout.Layout{Settings: layout.Settings{Zones: zones}}, 0), "0 per zone")
}

func TestNodesHaveTheLabelsAndCapacityOfEKS(t *testing.T) {
	nodes := newNodes(zones, 2)
	require.Len(t, nodes, 12) // 3 zones × 2 tiers × 2 nodes
	n := nodes[5]
	require.Equal(t, "simulated-us-east-1b-web-1", n.Name)
	require.Equal(t, "web", n.Labels[tierLabel])
	require.Equal(t, "us-east-1b", n.Labels[corev1.LabelTopologyZone])
	require.Equal(t, "us-east-1", n.Labels[corev1.LabelTopologyRegion])
	require.Equal(t, kwokValue, n.Annotations[kwokAnnotation], "kwok simulates it")
	require.Equal(t, int64(58), n.Status.Capacity.Pods().Value(), "as in EKS's table for m6i.xlarge")
	for name, allocatable := range n.Status.Allocatable {
		capacity := n.Status.Capacity[name]
		require.LessOrEqual(t, allocatable.Cmp(capacity), 0, "%s: allocatable is at most the capacity", name)
	}
	names := map[string]bool{}
	for _, n := range newNodes(zones, 3) {
		names[n.Name] = true
	}
	for _, n := range nodes {
		require.True(t, names[n.Name], "%s keeps its name when there are more", n.Name)
	}
}

func TestUsableNodesAreReadyAndHaveNoTaintOfNewNodes(t *testing.T) {
	ready := []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	for _, tc := range []struct {
		reason     string
		taints     []corev1.Taint
		conditions []corev1.NodeCondition
		want       bool
	}{
		{"ready", nil, ready, true},
		{"no condition yet", nil, nil, false},
		{"not ready", nil, []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown}}, false},
		{"ready, but with the taint of a new node", []corev1.Taint{{Key: corev1.TaintNodeNotReady}}, ready, false},
		{"a taint of the user does not matter", []corev1.Taint{{Key: "team"}}, ready, true},
	} {
		n := &corev1.Node{Spec: corev1.NodeSpec{Taints: tc.taints}, Status: corev1.NodeStatus{Conditions: tc.conditions}}
		require.Equal(t, tc.want, isUsable(n), tc.reason)
	}
}

func TestLoadStagesReturnsTwoNodeAndThreePodStages(t *testing.T) {
	stages, err := loadStages()
	require.NoError(t, err)
	require.Len(t, stages[internalversion.StageResourceRef{APIGroup: "v1", Kind: "Node"}], 2)
	require.Len(t, stages[internalversion.StageResourceRef{APIGroup: "v1", Kind: "Pod"}], 3)
}
