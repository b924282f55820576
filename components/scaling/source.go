package scaling

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// ScrapeInterval is the interval at which Prometheus reads the metrics of the services. An
// autoscaler can't react faster. Prometheus' default is 1 min, and AWS's managed collectors
// have 30 s. That would be most of the time until a new pod is ready.
const ScrapeInterval = 5 * time.Second

const (
	// minEvents is the number of events that a rate needs. The standard deviation of n independent
	// events is sqrt(n). For 100 events it is 10 %, the default tolerance of an HPA.
	minEvents = 100
	// minWindow has four scrapes. rate() needs two, and one may fail.
	minWindow = 4 * ScrapeInterval
	// maxWindow bounds the delay: after a step of the load, a rate is only right
	// when its window is full.
	maxWindow = 30 * time.Second
)

// Source says how the value of a PodsMetric is computed from the Prometheus series of each pod: as a
// Rate or as a MeanDuration.
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

// MeanDuration is the mean of a histogram's observations, in seconds.
type MeanDuration struct {
	// Histogram is the name of the histogram, without _sum and _count.
	Histogram string
	// Where is as in Rate.
	Where string
}

// Window returns the time window of the queries for the HPA's PodsMetrics. In one window,
// MinReplicas pods have 100 events, if each pod has exactly the load of the metric's target. The
// window is at least four scrapes, at most 30 s, and a multiple of ScrapeInterval. All metrics of
// an HPA have the same window, so that all of them include a new pod at the same time.
func (h HPA) Window() time.Duration {
	window := minWindow
	for _, m := range h.Metrics {
		podsMetric, ok := m.(PodsMetric)
		if !ok {
			continue
		}
		rate, ok := podsMetric.Source.(Rate)
		if !ok {
			continue
		}
		eventsPerSecond := podsMetric.AverageValue.AsApproximateFloat64() / rate.Per.Seconds() * float64(h.MinReplicas)
		scrapes := math.Ceil(minEvents / eventsPerSecond / ScrapeInterval.Seconds())
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
