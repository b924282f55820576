package diagnose

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"github.com/progressive-framework/platform/ops/kubeclient"
)

// objects are the cluster's objects at one time.
type objects struct {
	now          time.Time
	namespace    string
	pods         []corev1.Pod
	podsRead     bool
	usage        []metricsv1beta1.PodMetrics
	nodes        []corev1.Node
	deployments  []appsv1.Deployment
	statefulSets []appsv1.StatefulSet
	autoscalers  []autoscalingv2.HorizontalPodAutoscaler
	budgets      []policyv1.PodDisruptionBudget
	vertical     []unstructured.Unstructured
	// observers are the pods of Prometheus' namespace.
	observers []corev1.Pod
	// nodeScaler is what Cluster Autoscaler wrote into its status; "": there is none.
	nodeScaler string
	// logs are the last lines of containers that ended, by POD/CONTAINER.
	logs map[string]string
	// failures are the newest failed coordinations of mca's logs.
	failures []coordinationFailure
}

// verticalKind is the kind of VPA's objects.
var verticalKind = schema.GroupVersionResource{Group: "autoscaling.k8s.io", Version: "v1", Resource: "verticalpodautoscalers"}

// Cluster Autoscaler's status (kubernetes/autoscaler, cluster-autoscaler/clusterstate/utils/status.go).
const (
	nodeScalerNamespace = "kube-system"
	nodeScalerStatus    = "cluster-autoscaler-status"
)

// readObjects lists the objects of a namespace, and the nodes, at the same time.
func readObjects(ctx context.Context, c kubeclient.Clients, namespace string, now time.Time) (o objects, missing []Missing, absent []Absent) {
	o.now, o.namespace = now, namespace
	all := metav1.ListOptions{}
	var (
		mu sync.Mutex
		wg sync.WaitGroup
	)
	readFor := func(checks []Check, what string, list func() error) {
		wg.Go(func() {
			if err := list(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				for _, check := range checks {
					missing = append(missing, Missing{check, what, readFailure(err)})
				}
			}
		})
	}
	read := func(check Check, what string, list func() error) { readFor([]Check{check}, what, list) }
	readFor([]Check{Resources, Database, Scaling, Agents, Cache}, "pods", func() error {
		list, err := c.Kubernetes.CoreV1().Pods(namespace).List(ctx, all)
		return keep(err, func() { o.pods, o.podsRead = list.Items, true })
	})
	readFor([]Check{Database, Agents, Cache}, "pods of Prometheus", func() error {
		list, err := c.Kubernetes.CoreV1().Pods(namespace+"-prometheus").List(ctx, all)
		return keep(err, func() { o.observers = list.Items })
	})
	read(Resources, "CPU and memory of the pods (metrics.k8s.io)", func() error {
		list, err := c.Metrics.MetricsV1beta1().PodMetricses(namespace).List(ctx, all)
		return keep(err, func() { o.usage = list.Items })
	})
	readFor([]Check{Resources, Scaling}, "nodes", func() error {
		list, err := c.Kubernetes.CoreV1().Nodes().List(ctx, all)
		return keep(err, func() { o.nodes = list.Items })
	})
	read(Resources, "Deployments", func() error {
		list, err := c.Kubernetes.AppsV1().Deployments(namespace).List(ctx, all)
		return keep(err, func() { o.deployments = list.Items })
	})
	read(Database, "StatefulSets", func() error {
		list, err := c.Kubernetes.AppsV1().StatefulSets(namespace).List(ctx, all)
		return keep(err, func() { o.statefulSets = list.Items })
	})
	read(Scaling, "HorizontalPodAutoscalers", func() error {
		list, err := c.Kubernetes.AutoscalingV2().HorizontalPodAutoscalers(namespace).List(ctx, all)
		return keep(err, func() { o.autoscalers = list.Items })
	})
	read(Scaling, "PodDisruptionBudgets", func() error {
		list, err := c.Kubernetes.PolicyV1().PodDisruptionBudgets(namespace).List(ctx, all)
		return keep(err, func() { o.budgets = list.Items })
	})
	read(Scaling, "VerticalPodAutoscalers", func() error {
		list, err := c.Dynamic.Resource(verticalKind).Namespace(namespace).List(ctx, all)
		if apierrors.IsNotFound(err) {
			mu.Lock()
			defer mu.Unlock()
			absent = append(absent, Absent{Scaling, "VerticalPodAutoscalers", "the cluster does not have the kind: podScaling is off"})
			return nil
		}
		return keep(err, func() { o.vertical = list.Items })
	})
	read(Scaling, "status of Cluster Autoscaler", func() error {
		status, err := c.Kubernetes.CoreV1().ConfigMaps(nodeScalerNamespace).Get(ctx, nodeScalerStatus, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			mu.Lock()
			defer mu.Unlock()
			absent = append(absent, Absent{Scaling, "Cluster Autoscaler", "no ConfigMap " + nodeScalerNamespace + "/" + nodeScalerStatus + ": the nodes are not scaled by it"})
			return nil
		}
		return keep(err, func() { o.nodeScaler = status.Data["status"] })
	})
	wg.Wait()
	missing = append(missing, o.readLogs(ctx, c.Kubernetes)...)
	slices.SortFunc(missing, func(a, b Missing) int { return slices.Index(Checks, a.Check) - slices.Index(Checks, b.Check) })
	return o, missing, absent
}

// keep stores a list if it was read.
func keep(err error, store func()) error {
	if err == nil {
		store()
	}
	return err
}

// readFailure says whether the permission or the part is missing.
func readFailure(err error) string {
	switch {
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return "no permission: " + err.Error()
	case apierrors.IsNotFound(err):
		return "the cluster does not have it: " + err.Error()
	}
	return fmt.Sprintf("not readable: %v", err)
}
