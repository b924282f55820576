// Package backtest runs autoscalers over a recorded load, step by step, without hindsight, and
// compares their pod-hours and their overload. It is what `make bench-prediction` prints. It owns
// the plant: how load arrives, and how pods start.
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

// The plant's numbers. They fix the scale of every trace, so that figures compare.
const (
	// step is the simulation's step in seconds.
	step = autoscale.StepSeconds
	// day is a day in steps.
	day = 86400 / step
	// capacity is what one pod serves, in requests/s: the document's 100 are 70 % of it.
	capacity = 1000.0 / 7
	// peak is the number of pods that serve the largest usual load.
	peak = 30
	// coarse is the resolution in seconds from which a gust is added. A sample each five
	// minutes has no fast changes, and real load does.
	coarse = 300
	// gust is the standard deviation of that noise, and gustSeconds its correlation time.
	gust, gustSeconds = 0.03, 120
)

// Trace is the load of one service.
type Trace struct {
	Name string
	// Start is the time of the first step in Unix seconds.
	Start int64
	// Load is what arrives in each step, in pods: 1 is the capacity of one pod.
	Load []float64
	// From is the first step that is evaluated.
	From int
	// Service is what serves it.
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

// sample is a line of a trace.
type sample struct {
	at   int64
	load float64
}

// ReadTrace reads a CSV file with the header unix_seconds,load. Times increase, loads are finite
// and at least 0.
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
		at, err := strconv.ParseInt(row[0], 10, 64)
		if err != nil {
			return Trace{}, fmt.Errorf("line %d: %w", i+2, err)
		}
		load, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return Trace{}, fmt.Errorf("line %d: %w", i+2, err)
		}
		if math.IsNaN(load) || math.IsInf(load, 0) || load < 0 || i > 0 && at <= samples[i-1].at {
			return Trace{}, fmt.Errorf("line %d: %s,%s: times must increase, and loads be finite and not negative", i+2, row[0], row[1])
		}
		samples = append(samples, sample{at, load})
	}
	return newTrace(name, samples)
}

// newTrace scales samples to pods and makes arrivals of them.
func newTrace(name string, samples []sample) (Trace, error) {
	loads := make([]float64, len(samples))
	gaps := make([]int64, 0, len(samples))
	for i, s := range samples {
		loads[i] = s.load
		if i > 0 {
			gaps = append(gaps, s.at-samples[i-1].at)
		}
	}
	slices.Sort(loads)
	slices.Sort(gaps)
	most := loads[len(loads)-1]
	if most == 0 {
		return Trace{}, errors.New("has no load")
	}
	scale := peak / max(quantile(loads, 0.999), most/1.6)
	first, last := samples[0].at, samples[len(samples)-1].at
	days := float64(last-first) / 86400
	// A long trace is evaluated on its last 56 days, after 14 of history.
	from := 3 * day
	if days > 30 {
		from = 14 * day
		first = max(first, last-70*86400)
	}
	trace := Trace{Name: name, Start: first, From: from, Service: MainApplication(), Load: make([]float64, (last-first)/step)}
	if len(trace.Load) <= from {
		return Trace{}, fmt.Errorf("has %.1f days: must have more than 3", days)
	}
	seed := fnv.New64a()
	seed.Write([]byte(name))
	rng := rand.New(rand.NewPCG(seed.Sum64(), 0))
	noise, keep := 0.0, math.Exp(-step/float64(gustSeconds))
	i := 0
	for k := range trace.Load {
		t := float64(first) + (float64(k)+0.5)*step
		for float64(samples[i+1].at) < t {
			i++
		}
		a, b := samples[i], samples[i+1]
		load := scale * (a.load + (b.load-a.load)*(t-float64(a.at))/float64(b.at-a.at))
		if gaps[len(gaps)/2] >= coarse {
			noise = keep*noise + gust*math.Sqrt(1-keep*keep)*rng.NormFloat64()
			load *= max(0, 1+noise)
		}
		trace.Load[k] = poisson(rng, load*capacity*step) / (capacity * step)
	}
	return trace, nil
}

// quantile of a sorted list, interpolated.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-2)
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// poisson draws a number of arrivals. Above 50 the normal distribution is as good.
func poisson(rng *rand.Rand, mean float64) float64 {
	if mean > 50 {
		return max(0, math.Round(mean+math.Sqrt(mean)*rng.NormFloat64()))
	}
	count, product := -1.0, 1.0
	for limit := math.Exp(-mean); product > limit; count++ {
		product *= rng.Float64()
	}
	return max(0, count)
}
