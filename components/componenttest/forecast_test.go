package componenttest

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/forecaster"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/podscaling"
	"github.com/progressive-framework/platform/components/prometheus"
	"github.com/progressive-framework/platform/components/scaling"
)

func newForecaster(change func(*forecaster.Args)) program {
	return newProgram(forecaster.NewForecaster, func(*account.Account) *forecaster.Args {
		args := &forecaster.Args{
			Namespace: existingNamespace("app-prometheus"), Image: pulumi.String("forecaster" + digest), Services: scaling.Services(),
			Readers: []podnetwork.Peer{podnetwork.App(prometheus.App)}, RequestShare: 50,
		}
		change(args)
		return args
	})
}

// Only Prometheus can connect to the forecaster. The forecaster can't reach the API server, and
// its memory limit is 64 MB.
func TestOnlyPrometheusReachesTheForecaster(t *testing.T) {
	d := deploy(t, newForecaster(func(*forecaster.Args) {}))
	pod := d.find(t, "kubernetes:apps/v1:Deployment")
	requireRestricted(t, pod, "spec.template.spec", 65532)
	pod.requireInputs(t, map[string]any{
		"spec.replicas": 1,
		"spec.template.spec.automountServiceAccountToken":                         false,
		"spec.template.spec.containers[0].image":                                  "forecaster" + digest,
		"spec.template.spec.containers[0].resources.limits.memory":                "64M",
		"spec.template.spec.containers[0].resources.requests.memory":              "24Mi",
		"spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem": true,
		"spec.template.spec.containers[0].livenessProbe.httpGet.path":             "/health",
		"spec.template.spec.containers[0].readinessProbe.httpGet.path":            "/health/ready",
		"spec.template.spec.containers[0].env[1].value":                           "http://prometheus:9090",
	})
	require.Empty(t, d.ofType(k8sService), "Prometheus scrapes the pod, so no Service is needed")
	d.find(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy").requireInputs(t, map[string]any{
		"spec.ingress[0].from[0].podSelector.matchLabels.app": "prometheus",
		"spec.ingress[0].ports[0].port":                       9090,
		"spec.ingress[1]":                                     nil,
		"spec.egress[1].to[0].podSelector.matchLabels.app":    "prometheus",
		"spec.egress[2]":                                      nil,
	})
}

func TestForecasterRefusesInvalidArgs(t *testing.T) {
	for reason, change := range map[string]func(*forecaster.Args){
		"no image":                  func(a *forecaster.Args) { a.Image = nil },
		"no service":                func(a *forecaster.Args) { a.Services = nil },
		"a share above 100 percent": func(a *forecaster.Args) { a.RequestShare = 101 },
		"a service without a request metric": func(a *forecaster.Args) {
			a.Services = []scaling.Profile{{Name: "x"}}
		},
	} {
		_, err := run(newForecaster(change))
		require.ErrorContains(t, err, "forecast", reason)
	}
}

// addForecast is a change for newPodScaling that adds a forecast.
func addForecast(a *podscaling.Args) {
	a.Forecast = &podscaling.Forecast{Namespace: "app"}
}

// The tests of package trigger check the triggers. This test checks the address of Prometheus
// in them, and the scaling behaviour.
func TestScaledObjectReadsTheForecast(t *testing.T) {
	o := deploy(t, newPodScaling(scaling.Web(), addForecast)).find(t, scaledObject)
	o.requireInputs(t, map[string]any{
		"spec.triggers[0].metadata.value":                                          "95",
		"spec.triggers[2].metadata.threshold":                                      "135.714",
		"spec.triggers[2].metadata.serverAddress":                                  "http://prometheus:9090",
		"spec.triggers[4].type":                                                    "prometheus",
		"spec.triggers[4].name":                                                    "forecast_pods",
		"spec.triggers[4].metadata.serverAddress":                                  "http://prometheus:9090",
		"spec.triggers[4].metadata.ignoreNullValues":                               "false",
		"spec.triggers[7].name":                                                    "http_requests_per_second_guard",
		"spec.triggers[7].metadata.threshold":                                      "100",
		"spec.triggers[7].metadata.serverAddress":                                  "http://prometheus:9090",
		"spec.triggers[8]":                                                         nil, // there are eight triggers
		"spec.minReplicaCount":                                                     3,
		"spec.fallback.replicas":                                                   6,
		"spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.tolerance": "0",
		"spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.stabilizationWindowSeconds": 60,
		"spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.policies[1].value":            4,
	})
}

func TestForecastNeedsItsNamespace(t *testing.T) {
	_, err := run(newPodScaling(scaling.Web(), func(a *podscaling.Args) { a.Forecast = &podscaling.Forecast{} }))
	require.ErrorContains(t, err, "must have Namespace")
}
