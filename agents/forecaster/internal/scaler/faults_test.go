package scaler

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"testing"
	"time"

	prometheusapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// points is a Prometheus that returns these values, each 15 s, wherever it is asked.
type points []float64

func (p points) QueryRange(_ context.Context, _ string, r prometheusapi.Range, _ ...prometheusapi.Option) (model.Value, prometheusapi.Warnings, error) {
	stream := &model.SampleStream{}
	for i, t := 0, r.End.Add(-time.Duration(len(p)-1)*r.Step); i < len(p); i, t = i+1, t.Add(r.Step) {
		if !t.Before(r.Start) {
			stream.Values = append(stream.Values, model.SamplePair{Timestamp: model.TimeFromUnix(t.Unix()), Value: model.SampleValue(p[i])})
		}
	}
	return model.Matrix{stream}, nil, nil
}

// requireSane requires that what KEDA and Prometheus get is a number that an HPA can use.
func requireSane(t *testing.T, l *learner, now time.Time) {
	t.Helper()
	a := l.answer(now)
	for _, v := range append(a.Pods[:], a.Published, a.Load, a.Forecast, a.Overload, a.RecentOverload, a.HistoryDays) {
		require.False(t, math.IsNaN(v) || math.IsInf(v, 0) || v < 0, "%+v", a)
	}
}

// Series that no service has do not crash it, and nothing that is not a number leaves it.
func FuzzSeries(f *testing.F) {
	encode := func(values ...float64) (out []byte) {
		for _, v := range values {
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
		}
		return out
	}
	f.Add(encode(1, 2, 3), int64(15))
	f.Add(encode(math.NaN(), math.Inf(1), math.Inf(-1), -1, math.MaxFloat64, math.SmallestNonzeroFloat64), int64(-7200))
	f.Add(encode(1e300, 0, 1e300), int64(40*86400))
	f.Fuzz(func(t *testing.T, raw []byte, jump int64) {
		var values points
		for ; len(raw) >= 8 && len(values) < 40; raw = raw[8:] {
			values = append(values, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
		}
		now := noon
		_, l := newScaler(t, values, &now)
		// The history is short, so that a run is: a day takes a fifth of a second.
		l.reset(now.Add(-2 * time.Hour).Truncate(step))
		require.NoError(t, l.catchUp(t.Context(), now))
		requireSane(t, l, now)
		// The clock jumps, within an hour: any further and the history is read anew.
		now = now.Add(time.Duration(jump%3600) * time.Second)
		require.NoError(t, l.catchUp(t.Context(), now))
		requireSane(t, l, now)
	})
}

// Two days of what a broken exporter sends, so that the gate chooses and regressions are
// trained.
func TestAbsurdLoadsLeaveAUsableNumber(t *testing.T) {
	for reason, load := range map[string]func(i int) float64{
		"huge":             func(int) float64 { return 1e300 },
		"not a number":     func(int) float64 { return math.NaN() },
		"infinite":         func(int) float64 { return math.Inf(1) },
		"negative":         func(int) float64 { return -5 },
		"nothing":          func(int) float64 { return 0 },
		"alternating":      func(i int) float64 { return float64(i%2) * 1e7 },
		"every tenth gone": func(i int) float64 { return []float64{500, math.NaN()}[min(i%10/9, 1)] },
	} {
		t.Run(reason, func(t *testing.T) {
			values := make(points, 2*5760)
			for i := range values {
				values[i] = load(i)
			}
			now := noon
			_, l := newScaler(t, values, &now)
			l.reset(now.Add(-47 * time.Hour).Truncate(step))
			require.NoError(t, l.catchUp(t.Context(), now))
			requireSane(t, l, now)
		})
	}
}

type strange struct{ value model.Value }

func (s strange) QueryRange(context.Context, string, prometheusapi.Range, ...prometheusapi.Option) (model.Value, prometheusapi.Warnings, error) {
	return s.value, nil, nil
}

// A query that has several series, or another type, is an error and no load.
func TestStrangeAnswersAreErrors(t *testing.T) {
	now := noon
	for reason, value := range map[string]model.Value{
		"two series": model.Matrix{{}, {}}, "a vector": model.Vector{}, "a text": &model.String{Value: "1"}, "nothing": nil,
	} {
		_, l := newScaler(t, strange{value}, &now)
		require.Error(t, l.catchUp(t.Context(), now), reason)
		require.Equal(t, "no history", l.answer(now).Reason, reason)
	}
}

// The platform's own services (components/forecaster/forecastspec writes the file).
func TestPlatformsServicesAreAccepted(t *testing.T) {
	text, err := os.ReadFile("../../../../components/forecaster/forecastspec/testdata/services.json")
	require.NoError(t, err)
	list, ok := parseServices(string(text))
	require.True(t, ok)
	require.Len(t, list, 4)
}
