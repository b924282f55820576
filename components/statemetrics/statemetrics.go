// Package statemetrics owns kube-state-metrics, which turns the state of a
// namespace's pods, Deployments and autoscalers into series. It runs in the namespace
// of Prometheus, which is its only client.
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
	// Repository is the name of the image's repository in the stack's mirror.
	Repository = "kube-state-metrics"
	// Image is the image that the project publishes (kubernetes/kube-state-metrics,
	// examples/standard/deployment.yaml). The digest is that of the multi-platform index. Ten
	// public repositories use this digest for this version. Two of these repositories
	// also list the image for amd64 of this index.
	Image = "registry.k8s.io/kube-state-metrics/kube-state-metrics:" + Version +
		"@sha256:42cfe3723a5f058171c627537fb57a3ea0f26e4380fa18555a95cb1a1b4cfc5b"
)

// App is the value of the label app of kube-state-metrics' pod.
const App = scrape.KubeStateMetricsApp

// Args configure a StateMetrics.
type Args struct {
	// Namespace is the namespace in which kube-state-metrics runs. Watched is the namespace
	// of the objects that it reads.
	Namespace, Watched controller.Namespace
	// Image is the reference of kube-state-metrics' image.
	Image pulumi.StringInput
	// Cluster has the addresses of the API server.
	Cluster podnetwork.ClusterAddresses
	// Readers are the pods that scrape kube-state-metrics.
	Readers []podnetwork.Peer
	// RequestShare is the percentage of scaling.StateMetricsResources that the pod requests, 1
	// to 100.
	RequestShare scaling.Percent
	// NodeSelector are labels that the pod's node must have. Empty means any node.
	NodeSelector map[string]string
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Namespace.Created == nil || a.Watched.Created == nil || a.Watched.Name == "" || a.Image == nil || a.Cluster.ServiceCIDR == nil:
		return errors.New("kube-state-metrics: Namespace, Watched, Image and Cluster must be set")
	case a.RequestShare < 1 || a.RequestShare > 100:
		return fmt.Errorf("kube-state-metrics: RequestShare is %s, must be 1 to 100 %%", a.RequestShare)
	}
	return nil
}

// StateMetrics is a running kube-state-metrics.
type StateMetrics struct{ pulumi.ResourceState }

// Names of the ports. Prometheus scrapes seriesPort. On selfPort kube-state-metrics publishes its
// own metrics and its readiness.
const seriesPort, selfPort = scrape.MetricsPort, "telemetry"

// watchedKinds are the kinds of objects that kube-state-metrics reads. None of them has the value
// of a secret.
var watchedKinds = []struct{ group, resource string }{
	{"", "pods"}, {"apps", "deployments"}, {"apps", "statefulsets"}, {"autoscaling", "horizontalpodautoscalers"},
}

// vpaRule allows reading VerticalPodAutoscalers. kube-state-metrics reads these objects only after
// VPA has installed their CustomResourceDefinition.
var vpaRule = rbac.Rule{Groups: []string{"autoscaling.k8s.io"}, Resources: []string{"verticalpodautoscalers"}, Verbs: []string{"list", "watch"}}

// allowedSeries are regular expressions for the series that alerts and dashboards read. Without this
// list, kube-state-metrics would publish 40 series for each pod.
var allowedSeries = []string{
	"kube_deployment_(spec|status)_replicas.*", "kube_statefulset_(replicas|status_replicas.*)", "kube_horizontalpodautoscaler_.*",
	"kube_pod_container_resource_(requests|limits)", "kube_pod_container_status_restarts_total", "kube_pod_status_(phase|ready)",
	Recommendation,
}

// Recommendation is the series with the recommendations of VerticalPodAutoscalers, by the labels
// verticalpodautoscaler, container, resource and unit (byte or core). Before version 2.9,
// kube-state-metrics published the series with this name by default. It no longer does.
const Recommendation = "kube_verticalpodautoscaler_status_recommendation_containerrecommendations_target"

// recommendationConfig returns the configuration that publishes Recommendation
// (kubernetes/kube-state-metrics, docs/metrics/extend/customresourcestate-metrics.md).
func recommendationConfig() (string, error) {
	type object = map[string]any
	metric := func(resource, unit string) object {
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
		"metrics":          []object{metric("memory", "byte"), metric("cpu", "core")},
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
	customConfig, err := recommendationConfig()
	if err != nil {
		return nil, err
	}
	parent := pulumi.Parent(s)
	var resources []string
	var rules []rbac.Rule
	for _, kind := range watchedKinds {
		resources = append(resources, kind.resource)
		rules = append(rules, rbac.Rule{Groups: []string{kind.group}, Resources: []string{kind.resource}, Verbs: []string{"list", "watch"}})
	}
	spec := &controller.Args{
		Namespace: args.Namespace, App: App, Image: args.Image,
		ContainerArgs: []string{
			fmt.Sprintf("--port=%d", scrape.KubeStateMetricsPort), "--telemetry-port=8081",
			"--namespaces=" + args.Watched.Name,
			"--resources=" + strings.Join(resources, ","),
			"--metric-allowlist=" + strings.Join(allowedSeries, ","),
			"--custom-resource-state-config=" + customConfig,
			"--use-apiserver-cache",
		},
		Ports:        []controller.Port{{Name: seriesPort, Number: scrape.KubeStateMetricsPort, From: args.Readers}, {Name: selfPort, Number: 8081}},
		Egress:       args.Cluster.APIServerEgress(),
		Ready:        newHTTPGet("/readyz", selfPort),
		Alive:        newHTTPGet("/livez", seriesPort),
		Resources:    scaling.StateMetricsResources().WithRequests(args.RequestShare),
		NodeSelector: args.NodeSelector,
	}
	grant := &rbac.Grant{Context: ctx, Account: spec.Account(), Options: []pulumi.ResourceOption{parent}}
	binding, err := grant.InNamespace(name+"-state-of-"+args.Watched.Name, name, args.Watched.Created, append(rules, vpaRule)...)
	if err != nil {
		return nil, err
	}
	// kube-state-metrics lists the CustomResourceDefinitions to find out when VPA has installed the
	// VerticalPodAutoscaler's.
	definitions, err := grant.InCluster(name+"-kinds", name+"-kinds",
		rbac.Rule{Groups: []string{"apiextensions.k8s.io"}, Resources: []string{"customresourcedefinitions"}, Verbs: []string{"list", "watch"}})
	if err != nil {
		return nil, err
	}
	if _, err := controller.New(ctx, name, spec, []pulumi.Resource{binding, definitions}, parent); err != nil {
		return nil, err
	}
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{})
}

// newHTTPGet returns the HTTP GET of a probe: the path, and the name of the port.
func newHTTPGet(path, port string) corev1.HTTPGetActionArgs {
	return corev1.HTTPGetActionArgs{Path: pulumi.String(path), Port: pulumi.String(port)}
}
