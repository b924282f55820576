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
	// Desired is the number of pods in the specification of the Deployment. An autoscaler may have set
	// this number.
	Desired int32 `json:"wanted"`
	Ready   int32 `json:"ready"`
}

// Bounds are the smallest and the largest number of pods that the autoscaler of a service allows.
type Bounds struct {
	Min int32 `json:"min"`
	Max int32 `json:"max"`
}

// cluster reads the pods of the services and their autoscalers. err is set if the kubeconfig is
// not usable.
type cluster struct {
	client    kubernetes.Interface
	namespace string
	err       error
}

// newCluster returns the stack's cluster. It returns nil if the outputs have no kubeconfig.
func newCluster(stack stackoutput.Outputs) *cluster {
	kubeconfig := stack.KubeconfigContent()
	if len(kubeconfig) == 0 || stack.Namespace == "" {
		return nil
	}
	clients, err := kubeclient.New(kubeconfig)
	return &cluster{clients.Kubernetes, stack.Namespace, err}
}

// readReplicas returns the desired and the ready number of pods by service.
func (c *cluster) readReplicas(ctx context.Context) (map[string]Replicas, error) {
	if c.err != nil {
		return nil, c.err
	}
	list, err := c.client.AppsV1().Deployments(c.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	found := map[string]Replicas{}
	for _, service := range scaling.Services() {
		for _, d := range list.Items {
			if d.Name == service.Name && d.Spec.Replicas != nil {
				found[service.ShortName] = Replicas{Desired: *d.Spec.Replicas, Ready: d.Status.ReadyReplicas}
			}
		}
	}
	return found, nil
}

// readBounds returns the bounds of each service that has an autoscaler.
func (c *cluster) readBounds(ctx context.Context) (map[string]Bounds, error) {
	if c.err != nil {
		return nil, c.err
	}
	list, err := c.client.AutoscalingV2().HorizontalPodAutoscalers(c.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	found := map[string]Bounds{}
	for _, service := range scaling.Services() {
		for _, hpa := range list.Items {
			if hpa.Spec.ScaleTargetRef.Kind == "Deployment" && hpa.Spec.ScaleTargetRef.Name == service.Name {
				minimum := int32(1) // the default of Kubernetes
				if hpa.Spec.MinReplicas != nil {
					minimum = *hpa.Spec.MinReplicas
				}
				found[service.ShortName] = Bounds{minimum, hpa.Spec.MaxReplicas}
			}
		}
	}
	return found, nil
}

// replicaHistory has the numbers of pods that were read during a load, and the bounds at its start.
type replicaHistory struct {
	replicas               map[string][]Replicas // by service
	bounds                 map[string]Bounds     // by service
	replicasErr, boundsErr error                 // replicasErr is the error of the last failed reading
}

// notes returns a text for each list that could not be read.
func (h *replicaHistory) notes() (list []string) {
	if h.replicasErr != nil {
		list = append(list, "replicas were not read: "+h.replicasErr.Error())
	}
	if h.boundsErr != nil {
		list = append(list, "bounds of the autoscalers were not read: "+h.boundsErr.Error())
	}
	return list
}

// record reads the bounds once, and the numbers of pods every replicaInterval until ctx ends.
func (h *replicaHistory) record(ctx context.Context, c *cluster) {
	h.replicas = map[string][]Replicas{}
	start := time.Now()
	bounds, err := c.readBounds(ctx)
	if ctx.Err() != nil {
		return
	}
	h.bounds, h.boundsErr = bounds, err
	for {
		elapsed := time.Since(start).Seconds()
		replicas, err := c.readReplicas(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			h.replicasErr = err
		}
		for name, r := range replicas {
			r.Second = elapsed
			h.replicas[name] = append(h.replicas[name], r)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(replicaInterval):
		}
	}
}
