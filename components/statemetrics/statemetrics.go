// Package statemetrics owns kube-state-metrics, which turns the state of a
// namespace's pods, Deployments and autoscalers into series. It runs in the namespace
// of Prometheus, the only one that reads it.
package statemetrics

import (
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
	// examples/standard/deployment.yaml). No public source of its digest was found, so
	// it has an exact version only.
	Image = "registry.k8s.io/kube-state-metrics/kube-state-metrics:" + Version
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
	// RequestShare is the share of its requests that it asks for, 1 to 100 %.
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

// series are the series that alerts and dashboards read, as regular expressions. All
// series of a pod would be 40.
var series = []string{
	"kube_deployment_(spec|status)_replicas.*", "kube_statefulset_(replicas|status_replicas.*)", "kube_horizontalpodautoscaler_.*",
	"kube_pod_container_resource_(requests|limits)", "kube_pod_container_status_restarts_total", "kube_pod_status_(phase|ready)",
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
	binding, err := to.InNamespace(name+"-state-of-"+args.Watched.Name, name, args.Watched.Created, rules...)
	if err != nil {
		return nil, err
	}
	if _, err := controller.New(ctx, name, spec, []pulumi.Resource{binding}, parent); err != nil {
		return nil, err
	}
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{})
}

func probe(path, port string) corev1.HTTPGetActionArgs {
	return corev1.HTTPGetActionArgs{Path: pulumi.String(path), Port: pulumi.String(port)}
}
