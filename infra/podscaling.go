package main

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/podscaling"
	"github.com/progressive-framework/platform/infra/config"
)

// deployPodScaling creates the autoscalers of each service, if the stack runs the controllers that
// act on them. An autoscaler is created after its Deployment: otherwise its first events are
// errors.
func deployPodScaling(ctx *pulumi.Context, stack *config.Stack, eks *eksCluster, services *services, monitoring *observability) error {
	if monitoring == nil {
		return nil
	}
	for _, profile := range stack.Profiles() {
		_, err := podscaling.NewPodScaling(ctx, stack.Name()+"-"+profile.ShortName, &podscaling.Args{
			Namespace:     eks.namespace,
			Profile:       profile,
			PrometheusURL: monitoring.prometheusURL,
			Forecast:      newForecast(stack),
		}, eks.kubernetesProvider, pulumi.DependsOn(append(slices.Clone(monitoring.ready), services.byName[profile.ShortName])))
		if err != nil {
			return err
		}
	}
	return nil
}
