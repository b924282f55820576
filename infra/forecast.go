package main

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/forecaster"
	"github.com/progressive-framework/platform/components/keda"
	"github.com/progressive-framework/platform/components/podscaling"
	"github.com/progressive-framework/platform/components/podscaling/trigger"
	"github.com/progressive-framework/platform/components/prometheus"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/infra/config"
)

// forecastMetrics are the metrics of the forecaster that HPAs read.
func forecastMetrics(stack *config.Stack) []string {
	if stack.PodScaling.Predictive != config.PredictiveOn {
		return nil
	}
	return []string{trigger.ForecastMetric}
}

// metricsReaders are the pods that may send queries to Prometheus.
func metricsReaders(stack *config.Stack, kedaNamespace controller.Namespace) []controller.Client {
	readers := []controller.Client{{Namespace: kedaNamespace.Name, App: keda.OperatorApp}}
	if stack.PodScaling.Forecasts() {
		readers = append(readers, controller.Client{App: forecaster.App})
	}
	return readers
}

// deployForecaster builds the forecaster's image and runs it. It returns what its
// ScaledObjects need; nil: the stack predicts nothing.
func deployForecaster(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, nodes *nodes, observers, kedaNamespace controller.Namespace, server *prometheus.Prometheus) ([]pulumi.Resource, error) {
	if !stack.PodScaling.Forecasts() {
		return nil, nil
	}
	image, err := newImage(ctx, stack, base, config.ForecasterImage, forecaster.Program)
	if err != nil {
		return nil, err
	}
	created, err := forecaster.NewForecaster(ctx, stack.Name()+"-"+forecaster.App, &forecaster.Args{
		Namespace:    observers,
		Image:        image,
		Services:     stack.Profiles(),
		Callers:      []controller.Client{{Namespace: kedaNamespace.Name, App: keda.OperatorApp}},
		Readers:      []controller.Client{{App: prometheus.App}},
		RequestShare: scaling.Percent(stack.Cluster.RequestPercent),
	}, eks.inCluster, pulumi.DependsOn(slices.Concat(server.Settled, nodes.ready)))
	if err != nil {
		return nil, err
	}
	return created.Settled, nil
}

// forecastOf is the forecast that decides about a service's number of pods; nil: none
// does.
func forecastOf(stack *config.Stack) *podscaling.Forecast {
	if stack.PodScaling.Predictive != config.PredictiveOn {
		return nil
	}
	return &podscaling.Forecast{Address: pulumi.String(forecaster.Address(prometheusNamespace(stack))), Namespace: stack.Name()}
}
