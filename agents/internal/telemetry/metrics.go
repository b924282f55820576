// Package telemetry is what a service tells of itself while it runs: the
// Prometheus metrics that the seed's autoscalers and dashboards name, and
// traces. It owns names, labels and buckets; what is counted, and when, is the
// service's. Logs are httpserver's.
package telemetry

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Buckets have an edge at each of the seed's limits, so that what lies within
// one is counted and not estimated: 0.1 s between agents, 0.15 mca, 0.2
// coordination, 0.3 npa, 0.5 wpa and web; 30 and 45 are the timeouts.
var Buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .15, .2, .3, .5, .75, 1, 2.5, 5, 10, 30, 45}

// Registry returns a registry with the Go runtime's and the process' metrics.
func Registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Handler serves the registry at /metrics, to at most a few scrapers at once.
func Handler(r *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{Registry: r, MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// HTTP counts requests as http_requests_total and
// http_request_duration_seconds.
type HTTP struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// NewHTTP registers the metrics of requests.
func NewHTTP(r prometheus.Registerer) *HTTP {
	h := &HTTP{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "Requests that were answered.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "From the request's headers to the end of its answer.", Buckets: Buckets,
		}, []string{"method", "route"}),
	}
	r.MustRegister(h.requests, h.duration)
	return h
}

// Observe is an httpserver.Observer.
func (h *HTTP) Observe(r *http.Request, status int, took time.Duration) {
	method, route := method(r), route(r)
	h.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	h.duration.WithLabelValues(method, route).Observe(took.Seconds())
	describe(r, route, status)
}

// route is the pattern that matched, such as "GET /api/v1/users/profile": a
// path would be a series of its own for everything that a stranger may ask.
func route(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	return r.Pattern
}

func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	default:
		return "other"
	}
}
