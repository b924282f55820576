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

// fixedSeries is a fake Prometheus. For any range it returns these values in steps of 15 s. The
// last value is at the end of the range.
type fixedSeries []float64

// QueryRange implements rangeReader.
func (f fixedSeries) QueryRange(_ context.Context, _ string, r prometheusapi.Range, _ ...prometheusapi.Option) (model.Value, prometheusapi.Warnings, error) {
	stream := &model.SampleStream{}
	firstTime := r.End.Add(-time.Duration(len(f)-1) * r.Step)
	for i, value := range f {
		t := firstTime.Add(time.Duration(i) * r.Step)
		if !t.Before(r.Start) {
			stream.Values = append(stream.Values, model.SamplePair{Timestamp: model.TimeFromUnix(t.Unix()), Value: model.SampleValue(value)})
		}
	}
	return model.Matrix{stream}, nil, nil
}

// requireValidNumbers requires that all published numbers are finite and not negative.
func requireValidNumbers(t *testing.T, l *learner, now time.Time) {
	t.Helper()
	s := l.status(now)
	for _, value := range append(s.Pods[:], s.Published, s.Load, s.Forecast, s.Overload, s.RecentOverload, s.HistoryDays) {
		require.False(t, math.IsNaN(value) || math.IsInf(value, 0) || value < 0, "%+v", s)
	}
}

// FuzzSeries gives random loads to the learner. The learner must not crash, and must publish only
// valid numbers.
func FuzzSeries(f *testing.F) {
	encode := func(values ...float64) (encoded []byte) {
		for _, value := range values {
			encoded = binary.LittleEndian.AppendUint64(encoded, math.Float64bits(value))
		}
		return encoded
	}
	f.Add(encode(1, 2, 3), int64(15))
	f.Add(encode(math.NaN(), math.Inf(1), math.Inf(-1), -1, math.MaxFloat64, math.SmallestNonzeroFloat64), int64(-7200))
	f.Add(encode(1e300, 0, 1e300), int64(40*86400))
	f.Fuzz(func(t *testing.T, raw []byte, jumpSeconds int64) {
		var values fixedSeries
		for ; len(raw) >= 8 && len(values) < 40; raw = raw[8:] {
			values = append(values, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
		}
		now := noon
		_, l := newScaler(t, values, &now)
		// The history has only two hours, because a day of history takes 0.2 s to compute.
		l.reset(now.Add(-2 * time.Hour).Truncate(step))
		require.NoError(t, l.catchUp(t.Context(), now))
		requireValidNumbers(t, l, now)
		// The clock jumps by at most an hour. After a longer jump the whole history is read
		// again, which takes too long here.
		now = now.Add(time.Duration(jumpSeconds%3600) * time.Second)
		require.NoError(t, l.catchUp(t.Context(), now))
		requireValidNumbers(t, l, now)
	})
}

// A broken exporter sends invalid loads for two days. This is long enough for the training of the
// regressions, and for the gate to choose a candidate.
func TestPublishedNumbersAreValidAfterInvalidLoads(t *testing.T) {
	for reason, loadAtStep := range map[string]func(i int) float64{
		"huge":         func(int) float64 { return 1e300 },
		"not a number": func(int) float64 { return math.NaN() },
		"infinite":     func(int) float64 { return math.Inf(1) },
		"negative":     func(int) float64 { return -5 },
		"zero":         func(int) float64 { return 0 },
		"alternating":  func(i int) float64 { return float64(i%2) * 1e7 },
		"every tenth missing": func(i int) float64 {
			if i%10 == 9 {
				return math.NaN()
			}
			return 500
		},
	} {
		t.Run(reason, func(t *testing.T) {
			values := make(fixedSeries, 2*5760) // a day has 5760 steps of 15 s
			for i := range values {
				values[i] = loadAtStep(i)
			}
			now := noon
			_, l := newScaler(t, values, &now)
			l.reset(now.Add(-47 * time.Hour).Truncate(step))
			require.NoError(t, l.catchUp(t.Context(), now))
			requireValidNumbers(t, l, now)
		})
	}
}

// fixedResponse is a fake Prometheus that always returns the same value.
type fixedResponse struct{ value model.Value }

// QueryRange implements rangeReader.
func (f fixedResponse) QueryRange(context.Context, string, prometheusapi.Range, ...prometheusapi.Option) (model.Value, prometheusapi.Warnings, error) {
	return f.value, nil, nil
}

// The response to a query must be a matrix with at most one series.
func TestUnexpectedResponsesOfPrometheusAreErrors(t *testing.T) {
	now := noon
	for reason, value := range map[string]model.Value{
		"two series": model.Matrix{{}, {}}, "a vector": model.Vector{}, "a string": &model.String{Value: "1"}, "nothing": nil,
	} {
		_, l := newScaler(t, fixedResponse{value}, &now)
		require.Error(t, l.catchUp(t.Context(), now), reason)
		require.Equal(t, "no history", l.status(now).AbsentReason, reason)
	}
}

// services.json contains the services of the platform. A test of components/forecaster/forecastspec
// writes it.
func TestServicesOfThePlatformAreAccepted(t *testing.T) {
	content, err := os.ReadFile("../../../../components/forecaster/forecastspec/testdata/services.json")
	require.NoError(t, err)
	parsedServices, ok := parseServices(string(content))
	require.True(t, ok)
	require.Len(t, parsedServices, 4)
}
