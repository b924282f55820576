package main

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/forecaster"
	"github.com/progressive-framework/platform/components/keda"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/podscaling"
	"github.com/progressive-framework/platform/components/prometheus"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/infra/config"
)

// prometheusClients returns the pods that may send queries to Prometheus.
func prometheusClients(stack *config.Stack, kedaNamespace controller.Namespace) []podnetwork.Peer {
	peers := []podnetwork.Peer{podnetwork.AppIn(kedaNamespace.Name, keda.OperatorApp)}
	if stack.PodScaling.RunsForecaster() {
		peers = append(peers, podnetwork.App(forecaster.App))
	}
	return peers
}

// egressToPrometheus returns the network policy rule that lets KEDA's operator send the queries of
// ScaledObjects to Prometheus. promNamespace is the name of Prometheus's namespace.
func egressToPrometheus(promNamespace string) []podnetwork.Rule {
	return []podnetwork.Rule{podnetwork.TCPRule(prometheus.Port, podnetwork.AppIn(promNamespace, prometheus.App))}
}

// deployForecaster builds the forecaster's image and runs it, if the stack has a forecaster. No
// ScaledObject depends on the forecaster. Until the forecaster publishes forecasts, the guard
// triggers scale the pods as the HPA of the design document does.
func deployForecaster(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, nodes *nodes, promNamespace controller.Namespace, server *prometheus.Prometheus) error {
	if !stack.PodScaling.RunsForecaster() {
		return nil
	}
	image, err := newImage(ctx, stack, base, config.ForecasterImage, forecaster.Program)
	if err != nil {
		return err
	}
	created, err := forecaster.NewForecaster(ctx, stack.Name()+"-"+forecaster.App, &forecaster.Args{
		Namespace:    promNamespace,
		Image:        image,
		Services:     stack.Profiles(),
		Readers:      []podnetwork.Peer{podnetwork.App(prometheus.App)},
		RequestShare: scaling.Percent(stack.Cluster.RequestPercent),
	}, eks.kubernetesProvider, pulumi.DependsOn(slices.Concat(server.Ready, nodes.ready)))
	base.workloads = append(base.workloads, created)
	return err
}

// newForecast returns the forecast that determines the number of pods of each service. It returns
// nil if no forecast determines them.
func newForecast(stack *config.Stack) *podscaling.Forecast {
	if stack.PodScaling.Predictive != config.PredictiveOn {
		return nil
	}
	return &podscaling.Forecast{Namespace: stack.Name()}
}
