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
	// forecastAge is how long a number of the forecaster is used after its last scrape. It
	// publishes none once its last load is a minute old (agents/forecaster), so that a guard
	// begins at most two minutes after the last load that it has learned.
	forecastAge = time.Minute
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

// Forecast returns the expression of the pods that the forecaster publishes for a service.
// It has no value if the last scrape of a number is older than a minute, or if that is no
// finite number of pods. While a pod of the forecaster replaces another, the larger counts.
func Forecast(p scaling.Profile) string {
	return fmt.Sprintf(`max(last_over_time(forecast_published_pods{job=%q,service=%q}[%s]) >= 0 < Inf)`, ForecasterJob, p.Short, duration(forecastAge))
}

// Guard returns the expression that has the value of demand while Forecast has none, and
// no value while it has one.
func Guard(p scaling.Profile, demand string) string {
	return fmt.Sprintf(`(%s) unless on () %s`, demand, Forecast(p))
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
