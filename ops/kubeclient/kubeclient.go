// Package kubeclient connects an operator's command to a stack's cluster.
package kubeclient

import (
	"fmt"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	metrics "k8s.io/metrics/pkg/client/clientset/versioned"
)

// requestTimeout limits one request to the API server.
const requestTimeout = 5 * time.Second

// Clients are the typed clients of one cluster.
type Clients struct {
	Kubernetes kubernetes.Interface
	// Metrics reads the CPU and memory that metrics-server measured.
	Metrics metrics.Interface
	// Dynamic reads kinds without a typed client, such as VerticalPodAutoscaler.
	Dynamic dynamic.Interface
	// Get sends a GET to a pod.
	Get PodGet
}

// New returns clients for the current context of a kubeconfig. It sends no request. The kubeconfig
// may name a command that prints the token, as EKS' kubeconfig does.
func New(kubeconfig []byte) (Clients, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return Clients{}, fmt.Errorf("kubeconfig of the stack: %w", err)
	}
	config.Timeout, config.UserAgent = requestTimeout, "pf"
	// A diagnosis sends a few requests at the same time. client-go's default would delay them from
	// the tenth on.
	config.QPS, config.Burst = 50, 100
	return newClients(config)
}

// newClients returns clients for the API server of config.
func newClients(config *rest.Config) (c Clients, err error) {
	if c.Kubernetes, err = kubernetes.NewForConfig(config); err != nil {
		return c, err
	}
	if c.Metrics, err = metrics.NewForConfig(config); err != nil {
		return c, err
	}
	c.Get = newPodGet(config, c.Kubernetes)
	c.Dynamic, err = dynamic.NewForConfig(config)
	return c, err
}
