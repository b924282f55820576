package telemetry

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"
)

// Outcomes of an agent's work, as metric labels.
const (
	OutcomeOK      = "ok"
	OutcomePartial = "partial" // an agent failed, and the response names it
	OutcomeRefused = "refused" // the request was invalid or the queue was full
	OutcomeFailed  = "failed"
)

// Coordination has the metrics that the design document's dashboard "Agent
// Coordination Performance" and the MCA's HPA read.
type Coordination struct {
	// Requests is agent_coordination_requests_total by outcome. Its rate is the
	// metric agent_coordination_requests_per_second of the HPA.
	Requests *prometheus.CounterVec
	// Duration is agent_coordination_duration_seconds.
	Duration prometheus.Observer
	// Active is agent_coordination_active_sessions.
	Active prometheus.Gauge
	// AgentRequests is agent_request_duration_seconds by the agent that responded.
	AgentRequests *prometheus.HistogramVec
	// Failures is agent_request_failures_total by agent and reason. Hedges is
	// agent_request_hedges_total by agent: the requests that were sent twice.
	Failures, Hedges *prometheus.CounterVec
	registry         prometheus.Registerer
	labels           prometheus.Labels
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
		Failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "agent_request_failures_total", Help: "Requests to another agent without a good response.", ConstLabels: labels,
		}, []string{"upstream", "reason"}),
		Hedges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "agent_request_hedges_total", Help: "Requests to another agent that were sent twice.", ConstLabels: labels,
		}, []string{"upstream"}),
		registry: r, labels: labels,
	}
	depth := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "agent_coordination_queue_depth", Help: "Coordination requests that wait for a session.", ConstLabels: labels,
	}, func() float64 { return float64(queued()) })
	r.MustRegister(duration, c.Active, c.AgentRequests, c.Failures, c.Hedges, depth)
	return c
}

// breakerStates has the value of agent_breaker_state for each state of gobreaker.
var breakerStates = map[string]float64{"closed": 0, "half-open": 1, "open": 2}

// RegisterUpstream registers the metrics of another agent that this agent sends requests to.
// Each counter starts at zero. The function breaker returns the state of the circuit
// breaker: closed, half-open or open. reasons are the values of the label "reason" of
// failures.
func (c *Coordination) RegisterUpstream(name string, breaker func() string, reasons ...string) {
	c.AgentRequests.WithLabelValues(name)
	c.Hedges.WithLabelValues(name)
	for _, reason := range reasons {
		c.Failures.WithLabelValues(name, reason)
	}
	labels := prometheus.Labels{"upstream": name}
	maps.Copy(labels, c.labels)
	c.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "agent_breaker_state", Help: "State of the circuit breaker: 0 closed, 1 half-open, 2 open.", ConstLabels: labels,
	}, func() float64 { return breakerStates[breaker()] }))
}

// NewNutritionCalculations registers nutrition_calculations_total by outcome. Its
// rate is the metric nutrition_calculations_per_minute of the HPA.
func NewNutritionCalculations(r prometheus.Registerer, agent string) *prometheus.CounterVec {
	return newOutcomeCounter(r, "nutrition_calculations_total", "Calculated nutrition plans.", agent)
}

// NewWorkoutGenerations registers workout_generations_total by outcome. Its rate is
// the metric workout_generations_per_minute of the HPA.
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
