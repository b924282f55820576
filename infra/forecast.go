package main

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/forecaster"
	"github.com/progressive-framework/platform/components/keda"
	"github.com/progressive-framework/platform/components/podnetwork"
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
func metricsReaders(stack *config.Stack, kedaNamespace controller.Namespace) []podnetwork.Peer {
	readers := []podnetwork.Peer{podnetwork.AppIn(kedaNamespace.Name, keda.OperatorApp)}
	if stack.PodScaling.Forecasts() {
		readers = append(readers, podnetwork.App(forecaster.App))
	}
	return readers
}

// triggers allows KEDA's operator to query what ScaledObjects name, in the namespace of
// Prometheus.
func triggers(stack *config.Stack, observers string) []podnetwork.Rule {
	rules := []podnetwork.Rule{podnetwork.To(prometheus.Port, podnetwork.AppIn(observers, prometheus.App))}
	if stack.PodScaling.Forecasts() {
		rules = append(rules, forecaster.Calls(observers))
	}
	return rules
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
		Callers:      []podnetwork.Peer{podnetwork.AppIn(kedaNamespace.Name, keda.OperatorApp)},
		Readers:      []podnetwork.Peer{podnetwork.App(prometheus.App)},
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
