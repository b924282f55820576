// Package statemetrics owns kube-state-metrics, which turns the state of a
// namespace's pods, Deployments and autoscalers into series. It runs in the namespace
// of Prometheus, the only one that reads it.
package statemetrics

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/prometheus/scrape"
	"github.com/progressive-framework/platform/components/rbac"
	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// Version is kube-state-metrics' release.
	Version = "v2.20.0"
	// Repository is the repository of its image below a mirror.
	Repository = "kube-state-metrics"
	// Image is upstream's image (kubernetes/kube-state-metrics,
	// examples/standard/deployment.yaml), by the digest of the index that ten public
	// repositories have for this version. Two of them also list the image for amd64 in it.
	Image = "registry.k8s.io/kube-state-metrics/kube-state-metrics:" + Version +
		"@sha256:42cfe3723a5f058171c627537fb57a3ea0f26e4380fa18555a95cb1a1b4cfc5b"
)

// App is the value of the label app of its pod.
const App = scrape.StateApp

// Args configure a StateMetrics.
type Args struct {
	// Namespace is where it runs, and Watched whose objects it reads.
	Namespace, Watched controller.Namespace
	// Image is the reference of its image.
	Image pulumi.StringInput
	// Cluster has the addresses of the API server.
	Cluster podnetwork.Cluster
	// Readers are the pods that scrape it.
	Readers []podnetwork.Peer
	// RequestShare is the size of the pods' resource requests in percent of the usual ones, 1 to 100.
	RequestShare scaling.Percent
	// NodeSelector are labels that its nodes must have. Empty means any node.
	NodeSelector map[string]string
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Namespace.Created == nil || a.Watched.Created == nil || a.Watched.Name == "" || a.Image == nil || a.Cluster.Services == nil:
		return errors.New("kube-state-metrics: Namespace, Watched, Image and Cluster must be set")
	case a.RequestShare < 1 || a.RequestShare > 100:
		return fmt.Errorf("kube-state-metrics: RequestShare is %s, must be 1 to 100 %%", a.RequestShare)
	}
	return nil
}

// StateMetrics is a running kube-state-metrics.
type StateMetrics struct{ pulumi.ResourceState }

// Names of the ports. Prometheus scrapes the one of series.
const seriesPort, selfPort = scrape.MetricsPort, "telemetry"

// watched are the kinds that it reads. None has a secret's value.
var watched = []struct{ group, resource string }{
	{"", "pods"}, {"apps", "deployments"}, {"apps", "statefulsets"}, {"autoscaling", "horizontalpodautoscalers"},
}

// vpas are read too, but only once VPA has installed their kind.
var vpas = rbac.Rule{Groups: []string{"autoscaling.k8s.io"}, Resources: []string{"verticalpodautoscalers"}, Verbs: []string{"list", "watch"}}

// series are the series that alerts and dashboards read, as regular expressions. All
// series of a pod would be 40.
var series = []string{
	"kube_deployment_(spec|status)_replicas.*", "kube_statefulset_(replicas|status_replicas.*)", "kube_horizontalpodautoscaler_.*",
	"kube_pod_container_resource_(requests|limits)", "kube_pod_container_status_restarts_total", "kube_pod_status_(phase|ready)",
	Recommendation,
}

// Recommendation is the series with what a VerticalPodAutoscaler recommends, by the labels
// verticalpodautoscaler, container, resource and unit (byte or core). It has the name that
// kube-state-metrics gave it until 2.9, which left the kind out.
const Recommendation = "kube_verticalpodautoscaler_status_recommendation_containerrecommendations_target"

// recommendations is the configuration of Recommendation
// (docs/metrics/extend/customresourcestate-metrics.md).
func recommendations() (string, error) {
	type object = map[string]any
	series := func(resource, unit string) object {
		return object{
			"name": strings.TrimPrefix(Recommendation, "kube_"), "help": "Target of the recommender",
			"commonLabels": object{"resource": resource, "unit": unit},
			"each": object{"type": "Gauge", "gauge": object{
				"path":           []string{"status", "recommendation", "containerRecommendations"},
				"labelsFromPath": object{"container": []string{"containerName"}},
				"valueFrom":      []string{"target", resource},
			}},
		}
	}
	text, err := json.Marshal(object{"kind": "CustomResourceStateMetrics", "spec": object{"resources": []object{{
		"groupVersionKind": object{"group": "autoscaling.k8s.io", "version": "v1", "kind": "VerticalPodAutoscaler"},
		"metricNamePrefix": "kube",
		"labelsFromPath":   object{"verticalpodautoscaler": []string{"metadata", "name"}, "namespace": []string{"metadata", "namespace"}},
		"metrics":          []object{series("memory", "byte"), series("cpu", "core")},
	}}}})
	if err != nil {
		return "", fmt.Errorf("series of VerticalPodAutoscalers: %w", err)
	}
	return string(text), nil
}

// NewStateMetrics creates kube-state-metrics.
func NewStateMetrics(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*StateMetrics, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &StateMetrics{}
	if err := ctx.RegisterComponentResource("progressive:statemetrics:StateMetrics", name, s, opts...); err != nil {
		return nil, fmt.Errorf("kube-state-metrics %s: %w", name, err)
	}
	custom, err := recommendations()
	if err != nil {
		return nil, err
	}
	parent := pulumi.Parent(s)
	var resources []string
	var rules []rbac.Rule
	for _, kind := range watched {
		resources = append(resources, kind.resource)
		rules = append(rules, rbac.Rule{Groups: []string{kind.group}, Resources: []string{kind.resource}, Verbs: []string{"list", "watch"}})
	}
	spec := &controller.Args{
		Namespace: args.Namespace, App: App, Image: args.Image,
		Command: []string{
			fmt.Sprintf("--port=%d", scrape.StatePort), "--telemetry-port=8081",
			"--namespaces=" + args.Watched.Name,
			"--resources=" + strings.Join(resources, ","),
			"--metric-allowlist=" + strings.Join(series, ","),
			"--custom-resource-state-config=" + custom,
			"--use-apiserver-cache",
		},
		Ports:        []controller.Port{{Name: seriesPort, Number: scrape.StatePort, From: args.Readers}, {Name: selfPort, Number: 8081}},
		Egress:       args.Cluster.API(),
		Ready:        probe("/readyz", selfPort),
		Alive:        probe("/livez", seriesPort),
		Resources:    scaling.StateMetricsResources().WithRequests(args.RequestShare),
		NodeSelector: args.NodeSelector,
	}
	to := &rbac.Grant{Context: ctx, Account: spec.Account(), Options: []pulumi.ResourceOption{parent}}
	binding, err := to.InNamespace(name+"-state-of-"+args.Watched.Name, name, args.Watched.Created, append(rules, vpas)...)
	if err != nil {
		return nil, err
	}
	// It finds the kind when VPA is installed, and no sooner.
	definitions, err := to.InCluster(name+"-kinds", name+"-kinds",
		rbac.Rule{Groups: []string{"apiextensions.k8s.io"}, Resources: []string{"customresourcedefinitions"}, Verbs: []string{"list", "watch"}})
	if err != nil {
		return nil, err
	}
	if _, err := controller.New(ctx, name, spec, []pulumi.Resource{binding, definitions}, parent); err != nil {
		return nil, err
	}
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{})
}

func probe(path, port string) corev1.HTTPGetActionArgs {
	return corev1.HTTPGetActionArgs{Path: pulumi.String(path), Port: pulumi.String(port)}
}
