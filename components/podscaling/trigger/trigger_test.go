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

var update = flag.Bool("update", false, "write testdata/predicted.json anew")

// KEDA's keys are exact, and each expression and threshold is reviewed here.
func TestPredictedTriggers(t *testing.T) {
	all := map[string][]Trigger{}
	for _, p := range scaling.Services() {
		var err error
		all[p.Short], err = Predicted(p, "app")
		require.NoError(t, err)
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	require.NoError(t, encoder.Encode(all))
	const golden = "testdata/predicted.json"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(text.String()), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), text.String())
}

// The document's triggers keep their positions, by which KEDA names their metrics, and
// KEDA's RBAC knows ten of them.
func TestPredictedTriggersKeepTheDocumentsPositions(t *testing.T) {
	for _, p := range scaling.Services() {
		document := Document(p)
		predicted, err := Predicted(p, "app")
		require.NoError(t, err)
		require.LessOrEqual(t, len(predicted), 10)
		names := map[string]bool{}
		for i, one := range predicted {
			if i < len(document) {
				require.Equal(t, document[i].Type, one.Type)
				require.Equal(t, document[i].Name, one.Name)
			}
			if one.Name != "" {
				require.False(t, names[one.Name], "KEDA refuses two triggers of a name")
				names[one.Name] = true
			}
		}
		require.Equal(t, fmt.Sprintf("s%d-prometheus", len(document)), ForecastMetric(p))
		require.Equal(t, forecastName, predicted[len(document)].Name)
	}
	_, err := Predicted(scaling.Profile{Name: "x"}, "app")
	require.ErrorContains(t, err, "must have a rate of requests")
}

// state is a service at one time. Values are sums over its pods.
type state struct {
	pods                        int
	load, cpu, memory, duration float64
	// forecast is the pods that are published; negative: there is no forecast.
	forecast float64
}

// value returns what a trigger reads, and its target for one pod. ok is false if the
// metric has an error.
func (s state) value(t require.TestingT, p scaling.Profile, one Trigger) (value, target float64, ok bool) {
	var err error
	switch one.Type {
	case "cpu", "memory":
		target, err = strconv.ParseFloat(one.Metadata["value"], 64)
		value, target = s.cpu/p.Resources.CPURequest.AsApproximateFloat64(), target/100
		if one.Type == "memory" {
			value = s.memory / p.Resources.MemoryRequest.AsApproximateFloat64()
		}
	case Prometheus:
		target, err = strconv.ParseFloat(one.Metadata["threshold"], 64)
		name, isGuard := strings.CutSuffix(one.Name, "_guard")
		switch name {
		case forecastName:
			require.Equal(t, "false", one.Metadata["ignoreNullValues"], "no value is an error")
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
			value = 0 // ignoreNullValues
		}
	}
	require.NoError(t, err)
	return value, target, true
}

// proposal returns the pods that an HPA proposes, as computeReplicasForMetrics of
// Kubernetes' horizontal.go: the most of all metrics, and never fewer than there are
// while one has an error.
func (s state) proposal(t require.TestingT, p scaling.Profile, triggers []Trigger, tolerance float64) int {
	spec := autoscale.Fast(p.HPA.MinReplicas, p.HPA.MaxReplicas, tolerance)
	most, errors := 0, false
	for _, one := range triggers {
		value, target, ok := s.value(t, p, one)
		if !ok {
			errors = true
			continue
		}
		most = max(most, spec.Proposal(value, target, s.pods))
	}
	if errors {
		most = max(most, s.pods)
	}
	return min(max(most, spec.Min), spec.Max)
}

func states(t *rapid.T, p scaling.Profile) state {
	share := func(name string, whole float64) float64 { return whole * rapid.Float64Range(0, 60).Draw(t, name) }
	prediction, _ := p.Prediction()
	return state{
		pods: rapid.IntRange(1, 60).Draw(t, "pods"), load: share("load", prediction.Capacity()),
		cpu: share("cpu", p.Resources.CPURequest.AsApproximateFloat64()), memory: share("memory", p.Resources.MemoryRequest.AsApproximateFloat64()),
		duration: share("duration", 0.5), forecast: -1,
	}
}

// While there is no forecast, the HPA asks for no less than the document's would.
func TestSilenceIsTheDocumentsHPA(t *testing.T) {
	for _, p := range scaling.Services() {
		predicted, err := Predicted(p, "app")
		require.NoError(t, err)
		rapid.Check(t, func(t *rapid.T) {
			s := states(t, p)
			require.GreaterOrEqual(t, s.proposal(t, p, predicted, 0), s.proposal(t, p, Document(p), autoscale.DefaultTolerance))
		})
	}
}

// While there is one, the HPA asks for what it says, and for the floor in any case.
func TestForecastAboveTheFloorDecides(t *testing.T) {
	for _, p := range scaling.Services() {
		prediction, _ := p.Prediction()
		predicted, err := Predicted(p, "app")
		require.NoError(t, err)
		rapid.Check(t, func(t *rapid.T) {
			s := states(t, p)
			s.forecast = rapid.Float64Range(0, 60).Draw(t, "forecast")
			proposed := s.proposal(t, p, predicted, 0)
			bounded := func(pods float64) int {
				return min(max(int(math.Ceil(pods-1e-9)), p.HPA.MinReplicas), p.HPA.MaxReplicas)
			}
			require.GreaterOrEqual(t, proposed, bounded(s.forecast))
			require.GreaterOrEqual(t, proposed, bounded(s.load/prediction.Capacity()), "no pod has more than its capacity for long")
			// A load alone, as it is when the limits of CPU and memory are not reached.
			s.cpu, s.memory, s.duration = 0, 0, 0
			require.LessOrEqual(t, s.proposal(t, p, predicted, 0), max(bounded(s.forecast), bounded(s.load/prediction.Capacity()/0.95*1.0001)))
		})
	}
}

// The forecast simulates an HPA of this behaviour, so that the ScaledObject must have it.
func TestBehaviorIsTheSimulated(t *testing.T) {
	down, up := Fast(scaling.Web().HPA)
	require.Equal(t, Behavior{scaling.Behavior{
		StabilizationWindow: time.Minute, Select: scaling.SelectMax, Policies: []scaling.Policy{{Type: scaling.PercentPolicy, Value: 100, Period: 15 * time.Second}},
	}, "0"}, down)
	require.Equal(t, Behavior{scaling.Behavior{
		Select: scaling.SelectMax, Policies: []scaling.Policy{{Type: scaling.PercentPolicy, Value: 100, Period: 15 * time.Second}, {Type: scaling.PodsPolicy, Value: 4, Period: 15 * time.Second}},
	}, "0"}, up)
}
