package kubeclient

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PrometheusPort is the port of Prometheus' HTTP API in its pods.
const PrometheusPort = 9090

// Prometheus sends a request to the HTTP API of the Prometheus in a namespace and returns the body
// of its answer. The path is that below /api/v1/, such as query. It needs the permissions to list
// pods and to open a port-forward.
func (c Clients) Prometheus(ctx context.Context, namespace, path string, parameters url.Values) ([]byte, error) {
	pods, err := c.Kubernetes.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=prometheus"})
	if err != nil {
		return nil, fmt.Errorf("pods of Prometheus in %s: %w", namespace, err)
	}
	i := slices.IndexFunc(pods.Items, Ready)
	if i < 0 {
		return nil, fmt.Errorf("no pod of Prometheus is ready in %s", namespace)
	}
	return c.Get(ctx, namespace, pods.Items[i].Name, PrometheusPort, "/api/v1/"+path+"?"+parameters.Encode())
}

// Ready reports whether a pod is ready.
func Ready(p corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
