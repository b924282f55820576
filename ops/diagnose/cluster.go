package diagnose

import (
	"context"
	"errors"
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

// objects is a snapshot of the cluster's objects.
type objects struct {
	now       time.Time
	namespace string
	// databaseHost is the host of PostgreSQL, for commands that a person runs.
	databaseHost string
	pods         []corev1.Pod
	podsRead     bool
	usage        []metricsv1beta1.PodMetrics
	// throttled has the share of throttled CPU periods of each container above maxThrottled.
	throttled             map[containerName]float64
	usageRead             bool
	nodes                 []corev1.Node
	deployments           []appsv1.Deployment
	statefulSets          []appsv1.StatefulSet
	horizontalAutoscalers []autoscalingv2.HorizontalPodAutoscaler
	disruptionBudgets     []policyv1.PodDisruptionBudget
	// verticalAutoscalers are the VerticalPodAutoscalers.
	verticalAutoscalers []unstructured.Unstructured
	// clusterAutoscaler is the status that Cluster Autoscaler wrote to its ConfigMap. It is empty if
	// there is no status.
	clusterAutoscaler string
	// logs has the last log lines of each container that ended, by POD/CONTAINER.
	logs map[string]string
	// failures are the newest failed coordinations in mca's logs.
	failures []coordinationFailure
}

// vpaResource is the API resource of VerticalPodAutoscalers.
var vpaResource = schema.GroupVersionResource{Group: "autoscaling.k8s.io", Version: "v1", Resource: "verticalpodautoscalers"}

// The ConfigMap with Cluster Autoscaler's status (kubernetes/autoscaler,
// cluster-autoscaler/clusterstate/utils/status.go).
const (
	clusterAutoscalerNamespace = "kube-system"
	clusterAutoscalerConfigMap = "cluster-autoscaler-status"
)

// readObjects lists the objects of a namespace and all nodes. The requests run concurrently. missing
// has each list that could not be read, with the reason. absent has what the cluster does not have.
func readObjects(ctx context.Context, c kubeclient.Clients, namespace string, now time.Time) (o objects, missing []Missing, absent []Absent) {
	o.now, o.namespace = now, namespace
	listOptions := metav1.ListOptions{}
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
					missing = append(missing, Missing{check, what, describeReadError(err)})
				}
			}
		})
	}
	read := func(check Check, what string, list func() error) { readFor([]Check{check}, what, list) }
	readFor([]Check{Resources, Database, Scaling, Agents, Cache}, "pods", func() error {
		list, err := c.Kubernetes.CoreV1().Pods(namespace).List(ctx, listOptions)
		return storeIfNoError(err, func() { o.pods, o.podsRead = list.Items, true })
	})
	read(Resources, "CPU and memory of the pods (metrics.k8s.io)", func() error {
		list, err := c.Metrics.MetricsV1beta1().PodMetricses(namespace).List(ctx, listOptions)
		return storeIfNoError(err, func() { o.usage, o.usageRead = list.Items, true })
	})
	read(Resources, "throttled CPU periods in Prometheus", func() (err error) {
		o.throttled, err = readThrottled(ctx, c.Prometheus(namespace), namespace)
		if errors.Is(err, kubeclient.ErrNoPrometheus) {
			mu.Lock()
			defer mu.Unlock()
			absent = append(absent, Absent{Resources, "throttled CPU periods", fmt.Sprintf("%v, because podScaling is off", err)})
			return nil
		}
		return err
	})
	readFor([]Check{Resources, Scaling}, "nodes", func() error {
		list, err := c.Kubernetes.CoreV1().Nodes().List(ctx, listOptions)
		return storeIfNoError(err, func() { o.nodes = list.Items })
	})
	read(Resources, "Deployments", func() error {
		list, err := c.Kubernetes.AppsV1().Deployments(namespace).List(ctx, listOptions)
		return storeIfNoError(err, func() { o.deployments = list.Items })
	})
	read(Database, "StatefulSets", func() error {
		list, err := c.Kubernetes.AppsV1().StatefulSets(namespace).List(ctx, listOptions)
		return storeIfNoError(err, func() { o.statefulSets = list.Items })
	})
	read(Scaling, "HorizontalPodAutoscalers", func() error {
		list, err := c.Kubernetes.AutoscalingV2().HorizontalPodAutoscalers(namespace).List(ctx, listOptions)
		return storeIfNoError(err, func() { o.horizontalAutoscalers = list.Items })
	})
	read(Scaling, "PodDisruptionBudgets", func() error {
		list, err := c.Kubernetes.PolicyV1().PodDisruptionBudgets(namespace).List(ctx, listOptions)
		return storeIfNoError(err, func() { o.disruptionBudgets = list.Items })
	})
	read(Scaling, "VerticalPodAutoscalers", func() error {
		list, err := c.Dynamic.Resource(vpaResource).Namespace(namespace).List(ctx, listOptions)
		if apierrors.IsNotFound(err) {
			mu.Lock()
			defer mu.Unlock()
			absent = append(absent, Absent{Scaling, "VerticalPodAutoscalers", "the cluster does not have the kind: podScaling is off"})
			return nil
		}
		return storeIfNoError(err, func() { o.verticalAutoscalers = list.Items })
	})
	read(Scaling, "status of Cluster Autoscaler", func() error {
		status, err := c.Kubernetes.CoreV1().ConfigMaps(clusterAutoscalerNamespace).Get(ctx, clusterAutoscalerConfigMap, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			mu.Lock()
			defer mu.Unlock()
			absent = append(absent, Absent{Scaling, "Cluster Autoscaler", "no ConfigMap " + clusterAutoscalerNamespace + "/" + clusterAutoscalerConfigMap + ": the nodes are not scaled by it"})
			return nil
		}
		return storeIfNoError(err, func() { o.clusterAutoscaler = status.Data["status"] })
	})
	wg.Wait()
	missing = append(missing, o.podsWithoutUsage()...)
	missing = append(missing, o.readLogs(ctx, c.Kubernetes)...)
	slices.SortFunc(missing, func(a, b Missing) int { return slices.Index(Checks, a.Check) - slices.Index(Checks, b.Check) })
	return o, missing, absent
}

// storeIfNoError calls store if err is nil, and returns err.
func storeIfNoError(err error, store func()) error {
	if err == nil {
		store()
	}
	return err
}

// describeReadError returns a text for an error: no permission, no such object, or another error.
func describeReadError(err error) string {
	switch {
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return "no permission: " + err.Error()
	case apierrors.IsNotFound(err):
		return "the cluster does not have it: " + err.Error()
	}
	return fmt.Sprintf("not readable: %v", err)
}
