package scaler

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/progressive-framework/platform/forecast"
)

// Metrics of the forecaster. They are computed when they are scraped.
var (
	loadDesc      = newDesc("forecast_load", "Median forecast of the largest load in the next 90 s, in pods.")
	presentDesc   = newDesc("forecast_present_load", "Mean load of the last minute, in pods.")
	podsDesc      = newDesc("forecast_pods", "Pods that each quantile of the forecast asks for.", "quantile")
	publishedDesc = newDesc("forecast_published_pods", "Pods that the service needs, which KEDA reads. Absent while there is no forecast: KEDA's guard triggers then apply the design document's target.")
	stateDesc     = newDesc("gate_state", "1 for the present state: learning, within_budget, least_overload, too_expensive, no history, stale.", "state")
	overloadDesc  = newDesc("gate_overload", "Overload of the candidate in use, as a share of the load, in the simulation.", "window")
	daysDesc      = newDesc("history_days", "Days of history.")
	candidateDesc = newDesc("candidate", "1 for the candidate in use.", "candidate")
)

// newDesc returns the description of a metric with the label "service" and these labels.
func newDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"service"}, labels...), nil)
}

// Describe sends nothing. A registry then accepts every series, and checks the series at each
// scrape instead.
func (s *Scaler) Describe(chan<- *prometheus.Desc) {}

// Collect sends the status of each service.
func (s *Scaler) Collect(out chan<- prometheus.Metric) {
	now := s.now()
	for _, name := range s.serviceNames {
		sendGauge := func(desc *prometheus.Desc, value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{name}, labels...)...)
		}
		status := s.learners[name].status(now)
		state := string(status.State)
		if status.AbsentReason != "" {
			state = status.AbsentReason
		}
		sendGauge(stateDesc, 1, state)
		sendGauge(daysDesc, status.HistoryDays)
		if status.Candidate == "" {
			continue // there is no forecast yet
		}
		sendGauge(candidateDesc, 1, status.Candidate)
		sendGauge(overloadDesc, status.Overload, "2d")
		sendGauge(overloadDesc, status.RecentOverload, "12h")
		sendGauge(loadDesc, status.Forecast)
		sendGauge(presentDesc, status.Load)
		for i, level := range forecast.Levels {
			sendGauge(podsDesc, status.Pods[i], fmt.Sprintf("%.4g", level))
		}
		if status.AbsentReason == "" {
			sendGauge(publishedDesc, status.Published)
		}
	}
}
