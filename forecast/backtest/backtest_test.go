package backtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newWaveTrace returns a trace of this many days: a daily sine wave with noise, and a burst in the
// first 8 minutes of each hour.
func newWaveTrace(t *testing.T, name string, days int) Trace {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 1))
	var b strings.Builder
	b.WriteString("unix_seconds,load\n")
	for i := range days * 1440 {
		load := 1000 + 600*math.Sin(2*math.Pi*float64(i)/1440) + 20*rng.NormFloat64()
		if i%60 < 8 {
			load *= 1.5
		}
		fmt.Fprintf(&b, "%d,%.4g\n", 1_700_000_000+60*i, load)
	}
	trace, err := ReadTrace(name, strings.NewReader(b.String()))
	require.NoError(t, err)
	return trace
}

func TestTraceIsScaledToThePeak(t *testing.T) {
	trace := newWaveTrace(t, "wave", 4)
	require.Len(t, trace.Load, 4*day-60/step)
	require.Equal(t, 3*day, trace.FirstEvaluated)
	largest, sum := 0.0, 0.0
	for _, l := range trace.Load {
		largest, sum = max(largest, l), sum+l
	}
	require.InDelta(t, peak, largest, 1.5)
	require.Less(t, sum/float64(len(trace.Load)), 0.7*peak)
}

func TestWrongTracesAreRefused(t *testing.T) {
	for _, tc := range []struct{ text, err string }{
		{"", "header"},
		{"time,load\n1,2\n2,3\n", "header"},
		{"unix_seconds,load\n1,2\n1,3\n", "line 3"},
		{"unix_seconds,load\n1,2\n2,-3\n", "line 3"},
		{"unix_seconds,load\n1,2\n2,NaN\n", "line 3"},
		{"unix_seconds,load\n1,2\nx,3\n", "line 3"},
		{"unix_seconds,load\n1,0\n900000,0\n", "no load"},
		{"unix_seconds,load\n0,1\n86400,1\n", "1.0 days"},
	} {
		_, err := ReadTrace("wrong", strings.NewReader(tc.text))
		require.ErrorContains(t, err, tc.err, tc.text)
	}
	_, err := ReadTraces(t.TempDir())
	require.ErrorContains(t, err, "TRACES=DIR")
}

// On a load that repeats, the predictive scaler needs fewer pods than the design document's HPA. A
// second run prints the same report.
func TestPredictiveSavesPodsOnARepeatingLoad(t *testing.T) {
	traces := []Trace{newWaveTrace(t, "a", 6), newWaveTrace(t, "b", 6)}
	report := Run(traces, 2)
	for _, trace := range report.Traces {
		predicted, document, perfect := trace.Results[Predictive], trace.Results[Document], trace.Results[Perfect]
		require.Less(t, predicted.PodHours, 0.9*document.PodHours)
		require.LessOrEqual(t, predicted.OverloadShare, acceptedOverload)
		require.Less(t, perfect.PodHours, predicted.PodHours)
		require.Zero(t, perfect.OverloadShare)
		require.GreaterOrEqual(t, perfect.IdealRatio, 1.0)
	}
	require.True(t, report.RerunIdentical)
	require.True(t, report.NoLookahead)
	require.Equal(t, 2, report.NotWorse)
	require.InDelta(t, 1-report.Traces[0].Results[Predictive].PodHours/report.Traces[0].Results[Document].PodHours, report.SavingVsDocument.Mean, 0.02)

	require.GreaterOrEqual(t, report.SavingVsHindsightDefaultTolerance.Mean, report.SavingVsHindsight.Mean, "with the default tolerance, hindsight has fewer settings to choose from")
	require.Greater(t, report.PerfectVsTuned.Mean, report.SavingVsTuned.Mean)
	require.GreaterOrEqual(t, report.SavingVsFirstTuned.Mean, report.SavingVsTuned.Mean, "the tuned HPA is the cheapest")

	var first, second strings.Builder
	require.NoError(t, report.Print(&first))
	require.NoError(t, Run(traces, 1).Print(&second))
	require.Equal(t, first.String(), second.String())
	require.Contains(t, first.String(), "| saving_vs_doc |")
}

// MeasuredTrace does not scale the load, and the simulation keeps the number of pods within the
// bounds of the measured service.
func TestMeasuredLoadIsNotScaled(t *testing.T) {
	service := MainApplication()
	service.Document.Min, service.Document.Max = 2, 8
	loads := make([]float64, 4*day)
	for k := range loads {
		loads[k] = 1 + 5*float64(k/240%24)/24 // six pods at the end of each day
	}
	for k := day; k < day+20; k++ {
		loads[k] = math.NaN()
	}
	start := time.Unix(1_700_000_000, 0)
	trace, err := MeasuredTrace("web", start, loads, service)
	require.NoError(t, err)
	require.InDelta(t, loads[day-1], trace.Load[day+19], 0, "a missing step repeats the step before it")
	require.InDelta(t, loads[2*day], trace.Load[2*day], 0)
	document := Simulate(Document, trace).PodHours
	require.InDelta(t, 24*3.5/0.7, document, 10, "a day at 70 % of a mean load of 3.5 pods, rounded up")
	require.Less(t, Simulate(Predictive, trace).PodHours, document)
	trace.FirstEvaluated = len(trace.Load) - 240
	require.Less(t, Simulate(Document, trace).PodHours, 9.0, "an hour of at most 8 pods")

	_, err = MeasuredTrace("web", start, loads[:2*day], service)
	require.ErrorContains(t, err, "2.0 days")
	_, err = MeasuredTrace("web", start, make([]float64, 4*day), service)
	require.ErrorContains(t, err, "no load")
}

func TestOverloadAtEqualCostInterpolates(t *testing.T) {
	results := []Result{{PodHours: 200, OverloadShare: 0}, {PodHours: 150, OverloadShare: 0.0001}, {PodHours: 100, OverloadShare: 0.01}}
	require.InDelta(t, 0.001, overloadAtCost(results, 125), 1e-9)
	require.True(t, math.IsNaN(overloadAtCost(results, 175)), "one of the two results has no overload, so its logarithm is undefined")
	require.True(t, math.IsNaN(overloadAtCost(results, 50)), "every result costs more than 50 pod-hours")
}

// A timeline shows the same simulation as the figures of the report.
func TestTimelineMatchesTheSimulation(t *testing.T) {
	trace := newWaveTrace(t, "wave", 4)
	timeline := NewTimeline(trace, 100)
	require.LessOrEqual(t, len(timeline.Days), 100)
	require.InDelta(t, 3, timeline.Days[0], 0)
	want := runDocument(trace)
	sum, load := 0.0, 0.0
	for i, share := range timeline.Overload[Document] {
		sum += share * timeline.Load[i]
		load += timeline.Load[i]
		require.GreaterOrEqual(t, timeline.High[i], timeline.Median[i])
		require.GreaterOrEqual(t, timeline.Pods[Predictive][i], float64(trace.Service.Document.Min))
	}
	require.InDelta(t, want.OverloadShare, sum/load, 0.1*want.OverloadShare+1e-6, "all parts but the last have the same length")
}
