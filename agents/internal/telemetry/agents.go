package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Outcomes of an agent's work, as metric labels.
const (
	OutcomeOK      = "ok"
	OutcomePartial = "partial" // an agent failed, and the response says so
	OutcomeRefused = "refused" // the request was invalid or the queue was full
	OutcomeFailed  = "failed"
)

// Coordination has the metrics that the design document's dashboard "Agent
// Coordination Performance" and the MCA's HPA read.
type Coordination struct {
	// Requests is agent_coordination_requests_total by outcome. Its rate is the
	// HPA's agent_coordination_requests_per_second.
	Requests *prometheus.CounterVec
	// Duration is agent_coordination_duration_seconds.
	Duration prometheus.Observer
	// Active is agent_coordination_active_sessions.
	Active prometheus.Gauge
	// AgentRequests is agent_request_duration_seconds by the agent that responded.
	AgentRequests *prometheus.HistogramVec
}

// NewCoordination registers the metrics of an agent, such as "mca". queued returns
// the number of its queued requests, agent_coordination_queue_depth.
func NewCoordination(r prometheus.Registerer, agent string, queued func() int) *Coordination {
	labels := prometheus.Labels{"agent": agent}
	duration := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "agent_coordination_duration_seconds", Help: "Time from a coordination request to its response.", ConstLabels: labels, Buckets: Buckets,
	})
	c := &Coordination{
		Requests: newOutcomeCounter(r, "agent_coordination_requests_total", "Coordination requests with a response.", agent),
		Duration: duration,
		Active: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "agent_coordination_active_sessions", Help: "Open coordination sessions.", ConstLabels: labels,
		}),
		AgentRequests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "agent_request_duration_seconds", Help: "Time from a request to another agent to its good response.", ConstLabels: labels, Buckets: Buckets,
		}, []string{"upstream"}),
	}
	depth := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "agent_coordination_queue_depth", Help: "Coordination requests that wait for a session.", ConstLabels: labels,
	}, func() float64 { return float64(queued()) })
	r.MustRegister(duration, c.Active, c.AgentRequests, depth)
	return c
}

// NewNutritionCalculations registers nutrition_calculations_total by outcome.
// Its rate is the HPA's nutrition_calculations_per_minute.
func NewNutritionCalculations(r prometheus.Registerer, agent string) *prometheus.CounterVec {
	return newOutcomeCounter(r, "nutrition_calculations_total", "Calculated nutrition plans.", agent)
}

// NewWorkoutGenerations registers workout_generations_total by outcome. Its
// rate is the HPA's workout_generations_per_minute.
func NewWorkoutGenerations(r prometheus.Registerer, agent string) *prometheus.CounterVec {
	return newOutcomeCounter(r, "workout_generations_total", "Generated workouts.", agent)
}

// newOutcomeCounter registers a counter by outcome. Every outcome starts at
// zero, because rate() needs a first sample.
func newOutcomeCounter(r prometheus.Registerer, name, help, agent string) *prometheus.CounterVec {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: name, Help: help, ConstLabels: prometheus.Labels{"agent": agent},
	}, []string{"outcome"})
	for _, outcome := range []string{OutcomeOK, OutcomePartial, OutcomeRefused, OutcomeFailed} {
		counter.WithLabelValues(outcome)
	}
	r.MustRegister(counter)
	return counter
}
