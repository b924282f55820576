// Package forecaster owns the pod of agents/forecaster, which publishes the number of pods
// that each service will need. The forecaster runs in the namespace of Prometheus and
// reads the loads from Prometheus. Prometheus scrapes the forecasts, and KEDA reads them
// from Prometheus. So the forecaster has no Service and no other caller.
//
// The forecaster is one pod without leader election. Its forecasts depend only on the
// loads in Prometheus. A new pod reads two weeks of loads within seconds, and continues
// with the same numbers. Two pods would publish the same numbers and cost twice.
//
// While no forecaster publishes, the HPA removes no pod. It adds pods only at the high target
// scaling.PredictionFloor. Within two minutes the guard triggers apply the design document's
// targets again (components/podscaling/trigger).
package forecaster

import (
	"errors"
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/forecaster/forecastspec"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/prometheus"
	"github.com/progressive-framework/platform/components/prometheus/scrape"
	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// App is the value of the label app of the forecaster's pod.
	App = scrape.ForecasterApp
	// Program is the Go main package of the forecaster's image.
	Program = "github.com/progressive-framework/platform/agents/forecaster"

	probePort = 8000
)

// Args configure a Forecaster.
type Args struct {
	// Namespace is the namespace of Prometheus.
	Namespace controller.Namespace
	// Image is the reference of the forecaster's image.
	Image pulumi.StringInput
	// Services are the services to forecast, with the stack's numbers of pods.
	Services []scaling.Profile
	// Readers are the pods that scrape the forecaster.
	Readers []podnetwork.Peer
	// RequestShare is the percentage of scaling.ForecasterResources that the pod
	// requests, 1 to 100.
	RequestShare scaling.Percent
	// NodeSelector are labels that the pod's node must have. Empty means any node.
	NodeSelector map[string]string
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Namespace.Created == nil || a.Namespace.Name == "" || a.Image == nil || len(a.Services) == 0:
		return errors.New("forecaster: Namespace, Image and Services must be set")
	case a.RequestShare < 1 || a.RequestShare > 100:
		return fmt.Errorf("forecaster: RequestShare is %s, must be 1 to 100 %%", a.RequestShare)
	}
	return nil
}

// Forecaster is a running forecaster.
type Forecaster struct {
	pulumi.ResourceState
}

// NewForecaster creates the forecaster.
func NewForecaster(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Forecaster, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	services, err := forecastspec.JSON(args.Services)
	if err != nil {
		return nil, err
	}
	f := &Forecaster{}
	if err := ctx.RegisterComponentResource("progressive:forecaster:Forecaster", name, f, opts...); err != nil {
		return nil, fmt.Errorf("forecaster %s: %w", name, err)
	}
	if _, err := controller.New(ctx, name, &controller.Args{
		Namespace: args.Namespace, App: App, Image: args.Image, Tokenless: true,
		Env: []scaling.EnvVar{
			{Name: "SERVICES", Value: services},
			{Name: "PROMETHEUS_URL", Value: fmt.Sprintf("http://%s:%d", prometheus.App, prometheus.Port)},
			{Name: "LISTEN_ADDRESS", Value: fmt.Sprintf(":%d", probePort)},
			{Name: "METRICS_ADDRESS", Value: fmt.Sprintf(":%d", scaling.MetricsPort)},
		},
		Ports: []controller.Port{
			{Name: scrape.MetricsPort, Number: scaling.MetricsPort, From: args.Readers},
			{Name: "http", Number: probePort},
		},
		Egress: []podnetwork.Rule{podnetwork.DNSEgress(), podnetwork.TCPRule(prometheus.Port, podnetwork.App(prometheus.App))},
		Ready:  newHTTPGet("/health/ready"), Alive: newHTTPGet("/health"),
		Resources:    scaling.ForecasterResources().WithRequests(args.RequestShare),
		NodeSelector: args.NodeSelector,
	}, nil, pulumi.Parent(f)); err != nil {
		return nil, err
	}
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{})
}

// newHTTPGet returns the HTTP GET of a probe, which gets the path from the forecaster's HTTP port.
func newHTTPGet(path string) corev1.HTTPGetActionArgs {
	return corev1.HTTPGetActionArgs{Path: pulumi.String(path), Port: pulumi.String("http")}
}
