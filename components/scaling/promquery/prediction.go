package promquery

import (
	"fmt"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
)

// ForecasterJob is the label job of the forecaster's series.
const ForecasterJob = "forecaster"

const (
	// arrivalWindow is that of the load that a forecast learns. A forecast averages a
	// minute itself, and learns a step of 15 s: three scrapes.
	arrivalWindow = 15 * time.Second
	// usageWindow is that of the CPU of containers, which is scraped each 15 s.
	usageWindow = time.Minute
	// silence is after how long without an answer to KEDA a guard begins.
	silence = 2 * time.Minute
)

// Arrivals returns the expression of the requests that arrive at a service, in the unit
// of the metric. It has one value wherever one pod answers scrapes: without requests 0.
func Arrivals(p scaling.Profile, m scaling.PodsMetric) string {
	r, ok := m.Source.(scaling.Rate)
	if !ok {
		return ""
	}
	return fmt.Sprintf(`%ssum(rate(%s[%s])) or 0 * count(up{job=%q} == 1)`, factor(r.Per), selector(p, r.Counter, r.Where), duration(arrivalWindow), Job(p))
}

// Answers returns the expression of how often the forecaster has told KEDA a number of
// pods, in the window such as "5m". It is KEDA's own requests that count: a forecast that
// KEDA does not reach is none.
func Answers(p scaling.Profile, window string) string {
	return fmt.Sprintf(`sum(increase(forecast_answers_total{job=%q,service=%q}[%s]))`, ForecasterJob, p.Short, window)
}

// Guard returns the expression that has the value of demand while KEDA has got no number
// from the forecaster for two minutes, and no value while it gets them.
func Guard(p scaling.Profile, demand string) string {
	return fmt.Sprintf(`(%s) unless on () %s > 0`, demand, Answers(p, duration(silence)))
}

// Usage returns the expression of a resource that the pods of a service in a namespace
// use together: cores, or bytes. The HPA's own metric is this sum as a share of the
// requests.
func Usage(p scaling.Profile, namespace string, resource scaling.ResourceName) string {
	pods := fmt.Sprintf(`{namespace=%q,pod=~%q}`, namespace, p.Name+"-[a-z0-9]+-[a-z0-9]+")
	if resource == scaling.Memory {
		return fmt.Sprintf(`sum(container_memory_working_set_bytes%s)`, pods)
	}
	return fmt.Sprintf(`sum(rate(container_cpu_usage_seconds_total%s[%s]))`, pods, duration(usageWindow))
}
