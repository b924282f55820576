package scaling

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A pod's capacity follows from the design document's target for the load and its target for the
// CPU.
func TestCapacityFollowsFromTheDesignDocumentsTargets(t *testing.T) {
	for shortName, want := range map[string]float64{"web": 100 / .7, "mca": 10 / .75, "npa": 20 / .7, "wpa": 15 / .7} {
		for _, p := range Services() {
			if p.ShortName != shortName {
				continue
			}
			prediction, ok := p.Prediction()
			require.True(t, ok, shortName)
			require.InDelta(t, want, prediction.Capacity(), 1e-9, shortName)
			load, raised := prediction.WithFloorTarget(prediction.Load)
			require.True(t, raised)
			floor := load.(PodsMetric).AverageValue
			require.InDelta(t, 0.95*want, floor.AsApproximateFloat64(), 0.002, shortName)
		}
	}
	_, ok := Profile{HPA: HPA{Metrics: []Metric{ResourceMetric{CPU, 70}}}}.Prediction()
	require.False(t, ok, "no requests are counted")
}

func TestWithFloorTargetChangesOnlyMetricsThatGrowWithTheLoad(t *testing.T) {
	web, _ := Web().Prediction()
	for i, wantRaised := range []bool{true, true, true, false} {
		before := Web().HPA.Metrics[i]
		after, gotRaised := web.WithFloorTarget(before)
		require.Equal(t, wantRaised, gotRaised, "metric %d", i)
		require.Equal(t, wantRaised, before != after, "metric %d", i)
		require.Equal(t, Web().HPA.Metrics[i], before, "the metric of the profile does not change")
	}
}
