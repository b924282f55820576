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
	// Metrics reads what metrics-server has measured.
	Metrics metrics.Interface
	// Dynamic reads kinds that operators add, such as VerticalPodAutoscaler.
	Dynamic dynamic.Interface
	// Get reads a page of a pod.
	Get PodGet
}

// New returns clients for the current context of a kubeconfig. Nothing is sent
// yet. The kubeconfig may run a command for its token, as that of EKS does.
func New(kubeconfig []byte) (Clients, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return Clients{}, fmt.Errorf("kubeconfig of the stack: %w", err)
	}
	config.Timeout, config.UserAgent = requestTimeout, "pf"
	// A diagnosis sends its few requests at once; client-go's default delays from
	// the tenth on.
	config.QPS, config.Burst = 50, 100
	return newClients(config)
}

func newClients(config *rest.Config) (c Clients, err error) {
	if c.Kubernetes, err = kubernetes.NewForConfig(config); err != nil {
		return c, err
	}
	if c.Metrics, err = metrics.NewForConfig(config); err != nil {
		return c, err
	}
	c.Get = forward(config, c.Kubernetes)
	c.Dynamic, err = dynamic.NewForConfig(config)
	return c, err
}
