package scaling

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"
)

func TestWindowHasHundredEventsWithinItsLimits(t *testing.T) {
	want := map[string]time.Duration{"web": 20 * time.Second, "mca": 20 * time.Second, "npa": 30 * time.Second, "wpa": 30 * time.Second}
	for _, p := range Services() {
		require.Equal(t, want[p.ShortName], p.HPA.Window(), p.ShortName)
	}
	newHPA := func(perSecond string, pods int) HPA {
		return HPA{MinReplicas: pods, Metrics: []Metric{PodsMetric{"r", resource.MustParse(perSecond), Rate{"r_total", "", time.Second}}}}
	}
	for _, tc := range []struct {
		reason string
		hpa    HPA
		want   time.Duration
	}{
		{"4 a second of one pod: 100 in 25 s", newHPA("4", 1), 25 * time.Second},
		{"2 a second of two pods: 100 in 25 s", newHPA("2", 2), 25 * time.Second},
		{"4.5 a second: 100 in 22.2 s, which is rounded up to whole scrapes", newHPA("4.5", 1), 25 * time.Second},
		{"many events: four scrapes", newHPA("1000", 1), 20 * time.Second},
		{"few events: at most 30 s", newHPA("100m", 1), 30 * time.Second},
		{"no rate: four scrapes", HPA{MinReplicas: 1, Metrics: []Metric{ResourceMetric{CPU, 70}}}, 20 * time.Second},
	} {
		require.Equal(t, tc.want, tc.hpa.Window(), tc.reason)
	}
}

// A window is a whole number of scrapes, within the limits.
func TestWindowsAreWholeScrapes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := HPA{MinReplicas: rapid.IntRange(1, MaxReplicas).Draw(t, "pods")}
		for _, milli := range rapid.SliceOfN(rapid.Int64Range(1, 1_000_000_000), 1, 3).Draw(t, "targets") {
			per := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour}).Draw(t, "per")
			h.Metrics = append(h.Metrics, PodsMetric{"r", *resource.NewMilliQuantity(milli, resource.DecimalSI), Rate{"r_total", "", per}})
		}
		w := h.Window()
		require.Zero(t, w%ScrapeInterval)
		require.GreaterOrEqual(t, w, minWindow)
		require.LessOrEqual(t, w, maxWindow)
	})
}
