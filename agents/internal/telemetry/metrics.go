// Package telemetry has a service's Prometheus metrics and traces. The design
// document's autoscalers and dashboards read the metrics. This package owns names,
// labels and buckets. Services decide what they count. Package httpserver owns the
// logs.
package telemetry

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Buckets are the upper bounds of histogram buckets in seconds. Each limit of the design
// document is one of them, so that the number of slower requests is exact. The limits are
// 0.1 between agents, 0.15 for mca, 0.2 for a coordination, 0.3 for npa, and 0.5 for wpa
// and web. 30 and 45 are timeouts of the design document.
var Buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .15, .2, .3, .5, .75, 1, 2.5, 5, 10, 30, 45}

// NewRegistry returns a registry with the metrics of the Go runtime and the
// process.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Handler serves the registry's metrics to at most four scrapers at a time.
func Handler(r *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{Registry: r, MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// HTTP has http_requests_total and http_request_duration_seconds.
type HTTP struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// NewHTTP registers the metrics of requests.
func NewHTTP(r prometheus.Registerer) *HTTP {
	h := &HTTP{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "Requests with a response.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "Time from the request's headers to the end of the response.", Buckets: Buckets,
		}, []string{"method", "route"}),
	}
	r.MustRegister(h.requests, h.duration)
	return h
}

// CountRequest counts a request, and annotates its span. It is an httpserver.RequestHook.
func (h *HTTP) CountRequest(r *http.Request, status int, duration time.Duration) {
	method, route := methodLabel(r), routeLabel(r)
	h.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	h.duration.WithLabelValues(method, route).Observe(duration.Seconds())
	annotateSpan(r, route, status)
}

// routeLabel returns the pattern that matched the request, such as "GET
// /api/v1/users/profile". The path itself must not be a label: a client could add a
// time series with each new path.
func routeLabel(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	return r.Pattern
}

// methodLabel returns the request's method, or "other" for an unknown one. Otherwise a
// client could add a time series with each new method.
func methodLabel(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	default:
		return "other"
	}
}
