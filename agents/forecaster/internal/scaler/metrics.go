package scaler

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/progressive-framework/platform/forecast"
)

// Metrics of the forecaster. They are computed when they are scraped.
var (
	loadDesc      = describe("forecast_load", "Median forecast of the largest load in the next 90 s, in pods.")
	presentDesc   = describe("forecast_present_load", "Mean load of the last minute, in pods.")
	podsDesc      = describe("forecast_pods", "Pods that each quantile of the forecast asks for.", "quantile")
	publishedDesc = describe("forecast_published_pods", "Pods that the service needs, which KEDA reads. Absent while there is no forecast: KEDA's guard triggers then apply the document's target.")
	stateDesc     = describe("gate_state", "1 for the present state: learning, within_budget, least_overload, too_expensive, no history, stale.", "state")
	overloadDesc  = describe("gate_overload", "Overload of the candidate in use, as a share of the load, in the simulation.", "window")
	daysDesc      = describe("history_days", "Days of history.")
	candidateDesc = describe("candidate", "1 for the candidate in use.", "candidate")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"service"}, labels...), nil)
}

// Describe sends no descriptions: the labels of candidates change. The registry checks each scrape.
func (s *Scaler) Describe(chan<- *prometheus.Desc) {}

// Collect sends the status of each service.
func (s *Scaler) Collect(out chan<- prometheus.Metric) {
	now := s.now()
	for _, name := range s.order {
		gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{name}, labels...)...)
		}
		a := s.learners[name].answer(now)
		state := string(a.State)
		if a.Reason != "" {
			state = a.Reason
		}
		gauge(stateDesc, 1, state)
		gauge(daysDesc, a.HistoryDays)
		if a.Candidate == "" {
			continue
		}
		gauge(candidateDesc, 1, a.Candidate)
		gauge(overloadDesc, a.Overload, "2d")
		gauge(overloadDesc, a.RecentOverload, "12h")
		gauge(loadDesc, a.Forecast)
		gauge(presentDesc, a.Load)
		for i, q := range forecast.Levels {
			gauge(podsDesc, a.Pods[i], fmt.Sprintf("%.4g", q))
		}
		if a.Reason == "" {
			gauge(publishedDesc, a.Published)
		}
	}
}
