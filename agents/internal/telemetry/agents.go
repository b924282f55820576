package telemetry

import "github.com/prometheus/client_golang/prometheus"

// The outcomes by which work of an agent is counted.
const (
	OutcomeOK      = "ok"
	OutcomePartial = "partial" // some agent failed, and the answer says so
	OutcomeRefused = "refused" // the request was wrong or the queue full
	OutcomeFailed  = "failed"
)

// Coordination is what the seed's dashboard "Agent Coordination Performance"
// and the HPA of the MCA read.
type Coordination struct {
	// Requests is agent_coordination_requests_total by outcome; its rate is the
	// HPA's agent_coordination_requests_per_second.
	Requests *prometheus.CounterVec
	// Duration is agent_coordination_duration_seconds.
	Duration prometheus.Observer
	// Active is agent_coordination_active_sessions.
	Active prometheus.Gauge
}

// NewCoordination registers the metrics of an agent, such as "mca".
func NewCoordination(r prometheus.Registerer, agent string) *Coordination {
	labels := prometheus.Labels{"agent": agent}
	duration := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "agent_coordination_duration_seconds", Help: "From a coordination request to its answer.", ConstLabels: labels, Buckets: Buckets,
	})
	c := &Coordination{
		Requests: work(r, "agent_coordination_requests_total", "Coordination requests that were answered.", agent),
		Duration: duration,
		Active: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "agent_coordination_active_sessions", Help: "Coordination sessions that are open.", ConstLabels: labels,
		}),
	}
	r.MustRegister(duration, c.Active)
	return c
}

// NewNutritionCalculations registers nutrition_calculations_total by outcome;
// its rate is the HPA's nutrition_calculations_per_minute.
func NewNutritionCalculations(r prometheus.Registerer, agent string) *prometheus.CounterVec {
	return work(r, "nutrition_calculations_total", "Nutrition plans that were calculated.", agent)
}

// NewWorkoutGenerations registers workout_generations_total by outcome; its
// rate is the HPA's workout_generations_per_minute.
func NewWorkoutGenerations(r prometheus.Registerer, agent string) *prometheus.CounterVec {
	return work(r, "workout_generations_total", "Workouts that were generated.", agent)
}

// work is a counter by outcome that starts with every outcome at zero: a rate
// needs a first point.
func work(r prometheus.Registerer, name, help, agent string) *prometheus.CounterVec {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: name, Help: help, ConstLabels: prometheus.Labels{"agent": agent},
	}, []string{"outcome"})
	for _, outcome := range []string{OutcomeOK, OutcomePartial, OutcomeRefused, OutcomeFailed} {
		counter.WithLabelValues(outcome)
	}
	r.MustRegister(counter)
	return counter
}
