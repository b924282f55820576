package trigger

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/forecast/autoscale"
)

var update = flag.Bool("update", false, "write testdata/predicted.json")

// The golden file shows each key, expression and threshold for a review.
func TestTriggersWithForecastEqualTheGoldenFile(t *testing.T) {
	triggersByService := map[string][]Trigger{}
	for _, p := range scaling.Services() {
		var err error
		triggersByService[p.ShortName], err = WithForecast(p, "app")
		require.NoError(t, err)
	}
	var encoded strings.Builder
	encoder := json.NewEncoder(&encoded)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	require.NoError(t, encoder.Encode(triggersByService))
	const golden = "testdata/predicted.json"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(encoded.String()), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), encoded.String())
}

// KEDA names a metric by the position of its trigger. So the design document's triggers must keep
// their positions. KEDA's RBAC rules have names for ten positions.
func TestTriggersKeepTheirPositionsWithAForecast(t *testing.T) {
	for _, p := range scaling.Services() {
		design := WithoutForecast(p)
		predicted, err := WithForecast(p, "app")
		require.NoError(t, err)
		require.LessOrEqual(t, len(predicted), 10)
		names := map[string]bool{}
		for i, tr := range predicted {
			if i < len(design) {
				require.Equal(t, design[i].Type, tr.Type)
				require.Equal(t, design[i].Name, tr.Name)
			}
			if tr.Name != "" {
				require.False(t, names[tr.Name], "KEDA refuses two triggers with the same name")
				names[tr.Name] = true
			}
		}
		require.Equal(t, fmt.Sprintf("s%d-prometheus", len(design)), ForecastMetric(p))
		require.Equal(t, forecastName, predicted[len(design)].Name)
	}
	_, err := WithForecast(scaling.Profile{Name: "x"}, "app")
	require.ErrorContains(t, err, "must have a rate of requests")
}

// state is the state of a service at one moment. load, cpu, memory and duration are sums over
// its pods.
type state struct {
	pods                        int
	load, cpu, memory, duration float64
	// forecast is the number of pods that the forecaster publishes. A negative number means
	// that there is no forecast.
	forecast float64
	// noData means that Prometheus runs and has no data, as after a restart with an empty disk.
	noData bool
}

// readTrigger returns the value that a trigger reads, and the trigger's target for one pod. ok is
// false if the trigger has an error.
func (s state) readTrigger(t require.TestingT, p scaling.Profile, tr Trigger) (value, target float64, ok bool) {
	var err error
	switch tr.Type {
	case "cpu", "memory":
		target, err = strconv.ParseFloat(tr.Metadata["value"], 64)
		value, target = s.cpu/p.Resources.CPURequest.AsApproximateFloat64(), target/100
		if tr.Type == "memory" {
			value = s.memory / p.Resources.MemoryRequest.AsApproximateFloat64()
		}
	case Prometheus:
		target, err = strconv.ParseFloat(tr.Metadata["threshold"], 64)
		if s.noData {
			require.NoError(t, err)
			return 0, target, tr.Metadata["ignoreNullValues"] == "true"
		}
		name, isGuard := strings.CutSuffix(tr.Name, "_guard")
		switch name {
		case forecastName:
			require.Equal(t, "false", tr.Metadata["ignoreNullValues"], "a missing forecast must be an error")
			return s.forecast, target, s.forecast >= 0
		case "cpu":
			value = s.cpu
		case "memory":
			value = s.memory
		case "http_request_duration_seconds":
			value = s.duration
		default:
			value = s.load
		}
		if isGuard && s.forecast >= 0 {
			value = 0 // the guard has no value, and ignoreNullValues makes KEDA use 0
		}
	}
	require.NoError(t, err)
	return value, target, true
}

// proposedPods returns the number of pods that an HPA proposes. The number is the largest proposal
// of all metrics. While a metric has an error, the number is not smaller than the current number
// (Kubernetes, pkg/controller/podautoscaler/horizontal.go, computeReplicasForMetrics).
func (s state) proposedPods(t require.TestingT, p scaling.Profile, triggers []Trigger, tolerance float64) int {
	spec := autoscale.FastSpec(p.HPA.MinReplicas, p.HPA.MaxReplicas, tolerance)
	largest, hasError := 0, false
	for _, tr := range triggers {
		value, target, ok := s.readTrigger(t, p, tr)
		if !ok {
			hasError = true
			continue
		}
		largest = max(largest, spec.Proposal(value, target, s.pods))
	}
	if hasError {
		largest = max(largest, s.pods)
	}
	return min(max(largest, spec.Min), spec.Max)
}

// drawState returns a random state without a forecast.
func drawState(t *rapid.T, p scaling.Profile) state {
	drawSum := func(name string, perPod float64) float64 { return perPod * rapid.Float64Range(0, 60).Draw(t, name) }
	prediction, _ := p.Prediction()
	return state{
		pods: rapid.IntRange(1, 60).Draw(t, "pods"), load: drawSum("load", prediction.Capacity()),
		cpu: drawSum("cpu", p.Resources.CPURequest.AsApproximateFloat64()), memory: drawSum("memory", p.Resources.MemoryRequest.AsApproximateFloat64()),
		duration: drawSum("duration", 0.5), forecast: -1,
	}
}

// While there is no forecast, the HPA proposes at least as many pods as the design document's HPA.
func TestWithoutAForecastTheHPAProposesNoFewerPods(t *testing.T) {
	for _, p := range scaling.Services() {
		predicted, err := WithForecast(p, "app")
		require.NoError(t, err)
		rapid.Check(t, func(t *rapid.T) {
			s := drawState(t, p)
			require.GreaterOrEqual(t, s.proposedPods(t, p, predicted, 0), s.proposedPods(t, p, WithoutForecast(p), autoscale.DefaultTolerance))
		})
	}
}

// While Prometheus has no data, the HPA still adds the pods that the CPU needs, because it reads
// the CPU from metrics-server. The HPA removes no pod.
func TestCPUAddsPodsWhilePrometheusHasNoData(t *testing.T) {
	for _, p := range scaling.Services() {
		predicted, err := WithForecast(p, "app")
		require.NoError(t, err)
		rapid.Check(t, func(t *rapid.T) {
			s := drawState(t, p)
			s.noData = true
			needed := int(math.Ceil(s.cpu/p.Resources.CPURequest.AsApproximateFloat64() - 1e-9)) // no pod uses more than its request; 1e-9 allows for rounding
			clamp := func(pods int) int { return min(max(pods, p.HPA.MinReplicas), p.HPA.MaxReplicas) }
			idle := s
			idle.cpu, idle.memory = 0, 0
			for tolerance, triggers := range map[float64][]Trigger{autoscale.DefaultTolerance: WithoutForecast(p), 0: predicted} {
				require.GreaterOrEqual(t, s.proposedPods(t, p, triggers, tolerance), clamp(max(s.pods, needed)))
				require.Equal(t, clamp(s.pods), idle.proposedPods(t, p, triggers, tolerance), "only CPU and memory count")
			}
		})
	}
}

// With a forecast, the HPA proposes the larger of two numbers. One is the forecast. The other is the
// number of pods that the current load needs at the target PredictionFloor.
func TestForecastAndPresentLoadDecideTheProposal(t *testing.T) {
	for _, p := range scaling.Services() {
		prediction, _ := p.Prediction()
		predicted, err := WithForecast(p, "app")
		require.NoError(t, err)
		rapid.Check(t, func(t *rapid.T) {
			s := drawState(t, p)
			s.forecast = rapid.Float64Range(0, 60).Draw(t, "forecast")
			proposed := s.proposedPods(t, p, predicted, 0)
			clamp := func(pods float64) int {
				return min(max(int(math.Ceil(pods-1e-9)), p.HPA.MinReplicas), p.HPA.MaxReplicas)
			}
			require.GreaterOrEqual(t, proposed, clamp(s.forecast))
			require.GreaterOrEqual(t, proposed, clamp(s.load/prediction.Capacity()), "the pods' capacity is at least the current load")
			// Without CPU, memory and duration, only the forecast and the load decide. 0.95 is
			// PredictionFloor, and 1.0001 allows for rounding.
			s.cpu, s.memory, s.duration = 0, 0, 0
			require.LessOrEqual(t, s.proposedPods(t, p, predicted, 0), max(clamp(s.forecast), clamp(s.load/prediction.Capacity()/0.95*1.0001)))
		})
	}
}

// The forecaster simulates an HPA with this behaviour. So the ScaledObject must have the same
// behaviour.
func TestForecastBehaviorEqualsTheSimulatedBehavior(t *testing.T) {
	down, up := ForecastBehavior(scaling.Web().HPA)
	require.Equal(t, Behavior{scaling.Behavior{
		StabilizationWindow: time.Minute, Select: scaling.SelectMax, Policies: []scaling.Policy{{Type: scaling.PercentPolicy, Value: 100, Period: 15 * time.Second}},
	}, "0"}, down)
	require.Equal(t, Behavior{scaling.Behavior{
		Select: scaling.SelectMax, Policies: []scaling.Policy{{Type: scaling.PercentPolicy, Value: 100, Period: 15 * time.Second}, {Type: scaling.PodsPolicy, Value: 4, Period: 15 * time.Second}},
	}, "0"}, up)
}
