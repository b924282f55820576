package scaler

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	prometheusapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

const services = `[{"name": "web", "query": "load", "capacity": 100, "target": 0.7, "floor": 0.95, "document": {
	"Min": 3, "Max": 50,
	"Up": {"Window": 60, "Policies": [{"Percent": true, "Value": 50, "Seconds": 60}], "Tolerance": 0.1},
	"Down": {"Window": 300, "Policies": [{"Value": 2, "Seconds": 60}], "Tolerance": 0.1}}}]`

// fakePrometheus returns a load that follows a sine wave with a period of a day.
type fakePrometheus struct {
	begin     time.Time            // the time of the first point
	queryErr  error                // the error of each query, if set
	missing   func(time.Time) bool // whether a point is missing; nil: none
	calls     int                  // the number of queries
	maxPoints int                  // the largest number of points of a query
}

// QueryRange implements rangeReader.
func (p *fakePrometheus) QueryRange(_ context.Context, _ string, r prometheusapi.Range, _ ...prometheusapi.Option) (model.Value, prometheusapi.Warnings, error) {
	p.calls++
	p.maxPoints = max(p.maxPoints, int(r.End.Sub(r.Start)/r.Step)+1)
	if p.queryErr != nil {
		return nil, nil, p.queryErr
	}
	stream := &model.SampleStream{}
	for t := r.Start; !t.After(r.End); t = t.Add(r.Step) {
		if t.Before(p.begin) || p.missing != nil && p.missing(t) {
			continue
		}
		load := 1200 + 800*math.Sin(2*math.Pi*float64(t.Unix()%86400)/86400)
		stream.Values = append(stream.Values, model.SamplePair{Timestamp: model.TimeFromUnix(t.Unix()), Value: model.SampleValue(load)})
	}
	if len(stream.Values) == 0 {
		return model.Matrix{}, nil, nil
	}
	return model.Matrix{stream}, nil, nil
}

// noon is 12:00:07. At this time the step that ended at 12:00:00 can be read, because readDelay (6 s)
// has passed.
var noon = time.Date(2026, 3, 4, 12, 0, 7, 0, time.UTC)

// newScaler returns a scaler of one service with this clock, and the service's learner.
func newScaler(t *testing.T, metrics rangeReader, now *time.Time) (*Scaler, *learner) {
	t.Helper()
	parsedServices, ok := parseServices(services)
	require.True(t, ok)
	s := New(Config{Services: parsedServices}, metrics, slog.New(slog.DiscardHandler))
	s.now = func() time.Time { return *now }
	return s, s.learners["web"]
}

func TestHistoryIsReadInChunksThenStepByStep(t *testing.T) {
	now := noon
	metrics := &fakePrometheus{}
	_, l := newScaler(t, metrics, &now)
	require.Equal(t, "no history", l.status(now).AbsentReason)
	require.NoError(t, l.catchUp(t.Context(), now))
	current := l.status(now)
	require.Empty(t, current.AbsentReason)
	require.InDelta(t, 14, current.HistoryDays, 0.01)
	require.InDelta(t, 12, current.Load, 0.1, "a load of 1200, divided by the capacity of 100")
	require.InDelta(t, 12.3, current.Published, 0.8)
	require.Equal(t, 9, metrics.calls, "14 days have 80,640 steps of 15 s; one query reads at most 10,001")
	require.LessOrEqual(t, metrics.maxPoints, 11_000, "Prometheus refuses more points")

	require.NoError(t, l.catchUp(t.Context(), now.Add(5*time.Second)), "no step has ended")
	require.Equal(t, 9, metrics.calls)
	require.NoError(t, l.catchUp(t.Context(), now.Add(15*time.Second)))
	require.Equal(t, 10, metrics.calls)
}

func TestHistoryBeginsWithTheFirstLoad(t *testing.T) {
	now := noon
	_, l := newScaler(t, &fakePrometheus{begin: noon.Add(-6 * time.Hour)}, &now)
	require.NoError(t, l.catchUp(t.Context(), now))
	current := l.status(now)
	require.InDelta(t, 0.25, current.HistoryDays, 0.001)
	require.InDelta(t, current.Load/0.7, current.Published, 1e-9, "the target of the design document applies on the first day")
}

// After an outage of Prometheus' API, the learner publishes the same as a learner that saw no
// outage.
func TestOutageOfPrometheusLosesNothing(t *testing.T) {
	now := noon
	metrics := &fakePrometheus{begin: noon.Add(-30 * time.Hour)}
	_, l := newScaler(t, metrics, &now)
	require.NoError(t, l.catchUp(t.Context(), now))
	metrics.queryErr = errors.New("connection refused")
	require.Error(t, l.catchUp(t.Context(), now.Add(45*time.Second)))
	require.Empty(t, l.status(now.Add(45*time.Second)).AbsentReason)
	require.Equal(t, "stale", l.status(now.Add(3*time.Minute)).AbsentReason)
	metrics.queryErr = nil
	now = now.Add(10 * time.Minute)
	require.NoError(t, l.catchUp(t.Context(), now))

	_, withoutOutage := newScaler(t, metrics, &now)
	require.NoError(t, withoutOutage.catchUp(t.Context(), now))
	require.Equal(t, withoutOutage.status(now), l.status(now))
}

func TestForecastIsStaleWhenLoadsAreMissing(t *testing.T) {
	now := noon
	metrics := &fakePrometheus{begin: noon.Add(-2 * time.Hour)}
	_, l := newScaler(t, metrics, &now)
	require.NoError(t, l.catchUp(t.Context(), now))
	metrics.missing = func(point time.Time) bool { return point.After(noon) }
	now = noon.Add(5 * time.Minute)
	require.NoError(t, l.catchUp(t.Context(), now))
	require.Equal(t, "stale", l.status(now).AbsentReason)
}

func TestHistoryIsReadAgainAfterAClockJump(t *testing.T) {
	for _, jump := range []time.Duration{40 * 24 * time.Hour, -time.Hour} {
		now := noon
		metrics := &fakePrometheus{begin: noon.Add(-2 * time.Hour)}
		_, l := newScaler(t, metrics, &now)
		require.NoError(t, l.catchUp(t.Context(), now))
		require.NoError(t, l.catchUp(t.Context(), now.Add(jump)))
		require.Empty(t, l.status(now.Add(jump)).AbsentReason)
		require.NoError(t, l.catchUp(t.Context(), now))
		require.Empty(t, l.status(now).AbsentReason)
		require.InDelta(t, 2.0/24, l.status(now).HistoryDays, 0.001)
	}
}

// Without a forecast, the series of the pods must be absent. KEDA would treat the value 0 as
// no load.
func TestPodsAreAbsentWithoutAForecast(t *testing.T) {
	now := noon
	s, l := newScaler(t, &fakePrometheus{begin: noon.Add(-2 * time.Hour)}, &now)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s)
	readPublished := func() (values []float64) {
		families, err := registry.Gather()
		require.NoError(t, err)
		for _, family := range families {
			if family.GetName() == "forecast_published_pods" {
				for _, m := range family.GetMetric() {
					values = append(values, m.GetGauge().GetValue())
				}
			}
		}
		return values
	}
	require.Empty(t, readPublished(), "no history")
	require.NoError(t, l.catchUp(t.Context(), now))
	require.Equal(t, []float64{l.status(now).Published}, readPublished())
	now = now.Add(45 * time.Second)
	require.Len(t, readPublished(), 1, "the last load is less than a minute old")
	now = now.Add(30 * time.Second)
	require.Empty(t, readPublished(), "the last load is more than a minute old")
}

func TestMetricsIncludeTheGateState(t *testing.T) {
	now := noon
	s, l := newScaler(t, &fakePrometheus{begin: noon.Add(-2 * time.Hour)}, &now)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s)
	expectedMetrics := func(state string) string {
		return "# HELP gate_state 1 for the present state: learning, within_budget, least_overload, too_expensive, no history, stale.\n" +
			"# TYPE gate_state gauge\ngate_state{service=\"web\",state=\"" + state + "\"} 1\n"
	}
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(expectedMetrics("no history")), "gate_state"))
	require.NoError(t, l.catchUp(t.Context(), now))
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(expectedMetrics("learning")), "gate_state"))
	for name, series := range map[string]int{"forecast_load": 1, "forecast_pods": 16, "gate_overload": 2, "history_days": 1, "candidate": 1, "forecast_published_pods": 1} {
		n, err := testutil.GatherAndCount(registry, name)
		require.NoError(t, err)
		require.Equal(t, series, n, name)
	}
	now = now.Add(5 * time.Minute)
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(expectedMetrics("stale")), "gate_state"))
	n, err := testutil.GatherAndCount(registry, "forecast_published_pods")
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestRunReturnsWhenItsContextIsCanceled(t *testing.T) {
	now := noon
	s, _ := newScaler(t, &fakePrometheus{queryErr: errors.New("unavailable")}, &now)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	cancel()
	<-done
}

func TestInvalidServicesAreRejected(t *testing.T) {
	replace := func(old, with string) string { return strings.Replace(services, old, with, 1) }
	for reason, text := range map[string]string{
		"no JSON":                  "web",
		"no service":               "[]",
		"an unknown field":         replace(`"target"`, `"taget"`),
		"text after the JSON":      services + "x",
		"no name":                  replace(`"web"`, `""`),
		"no query":                 replace(`"load"`, `""`),
		"no capacity":              replace("100", "0"),
		"a target above 1":         replace("0.7", "1.7"),
		"a floor below the target": replace("0.95", "0.5"),
		"no floor":                 replace(`"floor": 0.95, `, ""),
		"min above max":            replace(`"Min": 3`, `"Min": 60`),
		"no policies":              replace(`{"Value": 2, "Seconds": 60}`, ""),
		"a name used twice":        "[" + strings.Trim(services, "[]") + "," + strings.Trim(services, "[]") + "]",
		"more than 1000 pods":      replace(`"Max": 50`, `"Max": 5000`),
	} {
		_, ok := parseServices(text)
		require.False(t, ok, reason)
	}
}

func FuzzServices(f *testing.F) {
	f.Add(services)
	f.Fuzz(func(t *testing.T, text string) {
		parsedServices, ok := parseServices(text)
		if !ok {
			return
		}
		for _, s := range parsedServices {
			if s.validate() != nil {
				t.Fatal("an invalid service is accepted")
			}
		}
	})
}
