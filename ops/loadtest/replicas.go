package loadtest

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/kubeclient"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// replicaInterval is the time between two readings of the Deployments.
const replicaInterval = 2 * time.Second

// Replicas is the number of pods of a service at one time.
type Replicas struct {
	// Second is the time since the start of the load.
	Second float64 `json:"second"`
	// Wanted is the number of pods in the Deployment's specification, which an autoscaler may have
	// set.
	Wanted int32 `json:"wanted"`
	Ready  int32 `json:"ready"`
}

// replicaReader reads the wanted and the ready pods by service. It is nil if there is no cluster.
type replicaReader func(context.Context) (map[string]Replicas, error)

// readReplicas returns a reader for the stack's cluster. It returns nil without a kubeconfig,
// because a platform given by --url has none.
func readReplicas(stack stackoutput.Outputs) replicaReader {
	kubeconfig := stack.KubeconfigFile()
	if len(kubeconfig) == 0 || stack.Namespace == "" {
		return nil
	}
	clients, err := kubeclient.New(kubeconfig)
	if err != nil {
		return func(context.Context) (map[string]Replicas, error) { return nil, err }
	}
	return deploymentReplicas(clients.Kubernetes, stack.Namespace)
}

func deploymentReplicas(client kubernetes.Interface, namespace string) replicaReader {
	return func(ctx context.Context) (map[string]Replicas, error) {
		list, err := client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		found := map[string]Replicas{}
		for _, service := range scaling.Services() {
			for _, d := range list.Items {
				if d.Name == service.Name && d.Spec.Replicas != nil {
					found[service.Short] = Replicas{Wanted: *d.Spec.Replicas, Ready: d.Status.ReadyReplicas}
				}
			}
		}
		return found, nil
	}
}

// replicaHistory has the numbers of pods that were read during a load.
type replicaHistory struct {
	services map[string][]Replicas
	err      error // the last failure
}

// record reads the numbers of pods until ctx ends.
func (h *replicaHistory) record(ctx context.Context, read replicaReader) {
	h.services = map[string][]Replicas{}
	start := time.Now()
	for {
		now := time.Since(start).Seconds()
		replicas, err := read(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			h.err = err
		}
		for name, r := range replicas {
			r.Second = now
			h.services[name] = append(h.services[name], r)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(replicaInterval):
		}
	}
}
