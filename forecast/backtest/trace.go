// Package backtest simulates autoscalers on a recorded load, step by step, and compares their
// pod-hours and their overload. `make bench-prediction` prints its report. The package owns the
// simulation: how load arrives, and how long pods take to start.
package backtest

import (
	"encoding/csv"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/forecast/autoscale"
)

// The numbers of the simulation. Every trace is scaled to them, so that figures of different
// traces can be compared.
const (
	// step is the simulation's step in seconds.
	step = autoscale.StepSeconds
	// day is the number of steps in a day.
	day = 86400 / step
	// capacity is the largest load that one pod can serve, in requests/s. The design document's
	// target of 100 requests/s is 70 % of it.
	capacity = 1000.0 / 7
	// peak is the largest usual load of every trace, in pods.
	peak = 30
	// coarseSeconds is the least time between two samples at which newTrace adds noise. Samples
	// so far apart do not have the fast changes of a real load.
	coarseSeconds = 300
	// noiseDeviation is the standard deviation of the noise as a share of the load, and
	// noiseSeconds is its correlation time.
	noiseDeviation, noiseSeconds = 0.03, 120
	// usualQuantile and maxPeakRatio define the largest usual load: the quantile of the samples,
	// but at least the largest sample divided by the ratio.
	usualQuantile, maxPeakRatio = 0.999, 1.6
)

// Trace is the load of one service.
type Trace struct {
	Name string
	// Start is the time of the first step in Unix seconds.
	Start int64
	// Load is the load of each step, in pods: 1 is the capacity of one pod.
	Load []float64
	// FirstEvaluated is the first step that is evaluated. The steps before it are history.
	FirstEvaluated int
	// Service is the service that gets the load.
	Service Service
}

// ReadTraces reads all traces of a folder in the order of their names.
func ReadTraces(folder string) ([]Trace, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.csv"))
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("traces: folder %q has no .csv file: docs/prediction.md names the public sources, TRACES=DIR names the folder", folder)
	}
	slices.Sort(files)
	var traces []Trace
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("traces: %w", err)
		}
		trace, err := ReadTrace(strings.TrimSuffix(filepath.Base(file), ".csv"), f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("trace %s: %w", file, err)
		}
		traces = append(traces, trace)
	}
	return traces, nil
}

// sample is a line of a trace's file.
type sample struct {
	unixSeconds int64
	load        float64
}

// ReadTrace reads a CSV file with the header unix_seconds,load. The times must increase, and the
// loads must be finite and at least 0. The unit of the loads does not matter.
func ReadTrace(name string, r io.Reader) (Trace, error) {
	reader := csv.NewReader(r)
	reader.FieldsPerRecord = 2
	rows, err := reader.ReadAll()
	if err != nil {
		return Trace{}, err
	}
	if len(rows) < 3 || rows[0][0] != "unix_seconds" || rows[0][1] != "load" {
		return Trace{}, errors.New("must have the header unix_seconds,load and two samples")
	}
	samples := make([]sample, 0, len(rows)-1)
	for i, row := range rows[1:] {
		unixSeconds, err := strconv.ParseInt(row[0], 10, 64)
		if err != nil {
			return Trace{}, fmt.Errorf("line %d: %w", i+2, err)
		}
		load, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return Trace{}, fmt.Errorf("line %d: %w", i+2, err)
		}
		if math.IsNaN(load) || math.IsInf(load, 0) || load < 0 || i > 0 && unixSeconds <= samples[i-1].unixSeconds {
			return Trace{}, fmt.Errorf("line %d: %s,%s: times must increase, and loads be finite and not negative", i+2, row[0], row[1])
		}
		samples = append(samples, sample{unixSeconds, load})
	}
	return newTrace(name, samples)
}

// newTrace returns the trace of samples. It scales them so that the largest usual load is peak, and
// interpolates between them. The requests of a step then arrive at random, with this mean.
func newTrace(name string, samples []sample) (Trace, error) {
	scale, err := computePeakScale(samples)
	if err != nil {
		return Trace{}, err
	}
	first, last := samples[0].unixSeconds, samples[len(samples)-1].unixSeconds
	days := float64(last-first) / 86400
	// A long trace is evaluated on its last 56 days, after 14 days of history.
	firstEvaluated := 3 * day
	if days > 30 {
		firstEvaluated = 14 * day
		first = max(first, last-70*86400)
	}
	trace := Trace{Name: name, Start: first, FirstEvaluated: firstEvaluated, Service: MainApplication(), Load: make([]float64, (last-first)/step)}
	if len(trace.Load) <= firstEvaluated {
		return Trace{}, fmt.Errorf("has %.1f days: must have more than 3", days)
	}
	seed := fnv.New64a()
	seed.Write([]byte(name))
	rng := rand.New(rand.NewPCG(seed.Sum64(), 0))
	fluctuation := noise{rng: rng}
	isCoarse := medianGap(samples) >= coarseSeconds
	i := 0
	for k := range trace.Load {
		stepMiddle := float64(first) + (float64(k)+0.5)*step // in Unix seconds
		for float64(samples[i+1].unixSeconds) < stepMiddle {
			i++
		}
		load := scale * interpolate(samples[i], samples[i+1], stepMiddle)
		if isCoarse {
			load *= fluctuation.nextFactor()
		}
		trace.Load[k] = drawPoisson(rng, load*capacity*step) / (capacity * step)
	}
	return trace, nil
}

// computePeakScale returns the factor by which the loads must be multiplied, so that the largest
// usual load is peak. It returns an error if all loads are zero.
func computePeakScale(samples []sample) (float64, error) {
	loads := make([]float64, len(samples))
	for i, sample := range samples {
		loads[i] = sample.load
	}
	slices.Sort(loads)
	largest := loads[len(loads)-1]
	if largest == 0 {
		return 0, errors.New("has no load")
	}
	return peak / max(quantile(loads, usualQuantile), largest/maxPeakRatio), nil
}

// medianGap returns the median time between two samples, in seconds.
func medianGap(samples []sample) int64 {
	var gaps []int64
	for i, sample := range samples[1:] {
		gaps = append(gaps, sample.unixSeconds-samples[i].unixSeconds)
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

// interpolate returns the load at a time between two samples, in Unix seconds.
func interpolate(before, after sample, unixSeconds float64) float64 {
	return before.load + (after.load-before.load)*(unixSeconds-float64(before.unixSeconds))/float64(after.unixSeconds-before.unixSeconds)
}

// noise is a random process with correlated steps: a first-order autoregression.
type noise struct {
	rng   *rand.Rand
	value float64
}

// nextFactor returns the factor of the load in the next step. Its mean is 1.
func (n *noise) nextFactor() float64 {
	correlation := math.Exp(-step / float64(noiseSeconds)) // of two consecutive steps
	n.value = correlation*n.value + noiseDeviation*math.Sqrt(1-correlation*correlation)*n.rng.NormFloat64()
	return max(0, 1+n.value)
}

// quantile returns the q-quantile of a sorted list. It interpolates between two elements.
func quantile(sorted []float64, q float64) float64 {
	position := q * float64(len(sorted)-1)
	i := min(int(position), len(sorted)-2)
	return sorted[i] + (position-float64(i))*(sorted[i+1]-sorted[i])
}

// drawPoisson returns a random number of arrivals with the Poisson distribution, by Knuth's
// algorithm. For a mean above 50 it uses the normal distribution, which is then nearly equal and
// faster.
func drawPoisson(rng *rand.Rand, mean float64) float64 {
	if mean > 50 {
		return max(0, math.Round(mean+math.Sqrt(mean)*rng.NormFloat64()))
	}
	count, product := -1.0, 1.0
	for limit := math.Exp(-mean); product > limit; count++ {
		product *= rng.Float64()
	}
	return max(0, count)
}
