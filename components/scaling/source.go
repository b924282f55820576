package scaling

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// ScrapeInterval is how often Prometheus reads the metrics of the services. An
// autoscaler can't react faster. Prometheus' default of 1 min, and the 30 s of
// AWS's managed collectors, would be most of the time until a new pod is ready.
const ScrapeInterval = 5 * time.Second

const (
	// countable is the number of events that a rate needs. The spread of n
	// independent events is sqrt(n), so 100 events spread by the 10 % that an HPA
	// tolerates without a change.
	countable = 100
	// minWindow has four scrapes. rate() needs two, and one may fail.
	minWindow = 4 * ScrapeInterval
	// maxWindow bounds the delay: after a step of the load, a rate is only right
	// when its window is full.
	maxWindow = 30 * time.Second
)

// Source says from which series of each pod a PodsMetric is computed: Rate or
// MeanDuration.
type Source interface{ validate() error }

// Rate is the increase of a counter.
type Rate struct {
	// Counter is the name of the counter.
	Counter string
	// Where has PromQL label matchers, such as outcome!="refused". Empty means
	// all series of the counter.
	Where string
	// Per is the time unit of the metric, such as a minute.
	Per time.Duration
}

// MeanDuration is the mean of what a histogram observed, in seconds.
type MeanDuration struct {
	// Histogram is the name of the histogram, without _sum and _count.
	Histogram string
	// Where is as in Rate.
	Where string
}

// Window returns how far back the queries of the HPA's PodsMetrics look. It is
// the least time in which the smallest number of pods, at its target, counts 100
// events: at least four scrapes, at most 30 s, in whole scrapes. All metrics of
// an HPA have one window, so that they see a new pod at the same time.
func (h HPA) Window() time.Duration {
	window := minWindow
	for _, m := range h.Metrics {
		pods, ok := m.(PodsMetric)
		if !ok {
			continue
		}
		rate, ok := pods.Source.(Rate)
		if !ok {
			continue
		}
		perSecond := pods.AverageValue.AsApproximateFloat64() / rate.Per.Seconds() * float64(h.MinReplicas)
		scrapes := math.Ceil(countable / perSecond / ScrapeInterval.Seconds())
		window = max(window, time.Duration(min(scrapes, float64(maxWindow/ScrapeInterval)))*ScrapeInterval)
	}
	return window
}

func (r Rate) validate() error {
	if r.Counter == "" || r.Per <= 0 {
		return fmt.Errorf("rate of %q per %s: must have a counter and a time above zero", r.Counter, r.Per)
	}
	return nil
}

func (d MeanDuration) validate() error {
	if d.Histogram == "" {
		return errors.New("mean duration: must have a histogram")
	}
	return nil
}
