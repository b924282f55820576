package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/load"
)

func TestPercentilesAreTheNearestRank(t *testing.T) {
	all := []time.Duration{4, 1, 3, 2}
	require.Equal(t, time.Duration(2), percentile(all, 50))
	require.Equal(t, time.Duration(4), percentile(all, 95))
	require.Equal(t, []time.Duration{4, 1, 3, 2}, all, "the argument is not sorted")
	require.Zero(t, percentile(nil, 50))
}

func TestTableRowHasTheDurationOfEachStage(t *testing.T) {
	step := stepTimes{metric: 8 * time.Second, decision: 15 * time.Second, schedule: 15500 * time.Millisecond, start: 19 * time.Second}
	var out strings.Builder
	writeTable(&out, []result{{service: "npa", steps: []stepTimes{step}, changes: 2, changesCounted: true, sent: 100, failed: 1}}, 2*time.Minute)
	require.Contains(t, out.String(), "| npa | 1 | 8.0 s | 7.0 s | 0.5 s | 3.5 s | 19.0 s | 19.0 s | 20.0 s, 30.0 s | 60 | 100 | 1 |")
}

// Every service has a request that its metric counts, and a goal. No two requests to npa or wpa are
// equal, because a response from the cache causes no work.
func TestEveryServiceHasALoad(t *testing.T) {
	for _, p := range scaling.Services() {
		require.Contains(t, requests, p.ShortName)
		require.Contains(t, goals, p.ShortName)
		require.NotEmpty(t, findLoadMetric(p).Name, p.ShortName)
		require.Positive(t, (&service{profile: p, metric: findLoadMetric(p)}).targetRate(), p.ShortName)
	}
	for _, name := range []string{"npa", "wpa"} {
		body := func() string {
			text, err := json.Marshal(requests[name].Body(user, 0))
			require.NoError(t, err)
			return string(text)
		}
		require.NotEqual(t, body(), body(), name)
	}
}

// The target of one pod of npa is 20 calculations a minute.
func TestTargetRateAndSettleTimeOfAPod(t *testing.T) {
	s := &service{profile: scaling.NPA(), metric: findLoadMetric(scaling.NPA())}
	require.InDelta(t, 20./60, s.targetRate(), 1e-9)
	require.Equal(t, scaling.NPA().HPA.Window()+20*time.Second, s.settleTime())
	web := &service{profile: scaling.Web(), metric: findLoadMetric(scaling.Web())}
	require.Equal(t, 80*time.Second, web.settleTime(), "the window of its HPA is longer than that of its metric")
}

// The loads of all services with one pod each stay below the rate of the limiter. Above that rate,
// each request would be later than the request before.
func TestLoadsStayBelowTheLimitOfOneClient(t *testing.T) {
	limiter := newLimiter()
	require.EqualValues(t, load.MaxPerSecond(), limiter.Limit())
	require.Equal(t, 1, limiter.Burst())
	highest := 0.
	for _, p := range scaling.Services() {
		highest += stepShare * (&service{profile: p, metric: findLoadMetric(p)}).targetRate()
	}
	require.Less(t, highest, float64(limiter.Limit()), "the loads of one pod each would be late for ever")
}
