package promquery

import (
	"fmt"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
)

// ForecasterJob is the label job of the forecaster's series.
const ForecasterJob = "forecaster"

const (
	// arrivalWindow is the window of the rate of requests that the forecaster reads. It has
	// three scrapes. It equals the forecaster's step of 15 s.
	arrivalWindow = 15 * time.Second
	// usageWindow is the window of the containers' CPU. It has four samples, because the
	// kubelets are scraped every 15 s.
	usageWindow = time.Minute
	// maxForecastAge is the time for which a published number is valid after its last scrape.
	// The forecaster publishes no number if its last load is older than a minute
	// (agents/forecaster). So the expressions of Guard have values at most two minutes after
	// that load.
	maxForecastAge = time.Minute
)

// Arrivals returns the expression for the requests that arrive at a service, in the unit of
// the metric. The expression has one value if at least one pod responds to scrapes. Without
// requests the value is 0. For a metric that is not a scaling.Rate, Arrivals returns "".
func Arrivals(p scaling.Profile, m scaling.PodsMetric) string {
	r, ok := m.Source.(scaling.Rate)
	if !ok {
		return ""
	}
	return fmt.Sprintf(`%ssum(rate(%s[%s])) or 0 * count(up{job=%q} == 1)`, unitFactor(r.Per), selector(p, r.Counter, r.Where), formatDuration(arrivalWindow), Job(p))
}

// Forecast returns the expression for the number of pods that the forecaster publishes for a
// service. The expression has no value if the last number is older than a minute, negative or not
// finite. During a rollout two forecasters publish, and the expression has the larger number.
func Forecast(p scaling.Profile) string {
	return fmt.Sprintf(`max(last_over_time(forecast_published_pods{job=%q,service=%q}[%s]) >= 0 < Inf)`, ForecasterJob, p.ShortName, formatDuration(maxForecastAge))
}

// DemandWithoutForecast returns an expression with the value of demand. The expression has no value while
// Forecast has a value.
func DemandWithoutForecast(p scaling.Profile, demand string) string {
	return fmt.Sprintf(`(%s) unless on () %s`, demand, Forecast(p))
}

// Usage returns the expression for the CPU or memory that all pods of a service in a
// namespace use together, in cores or bytes. The HPA's own metric is this sum as a share of
// the requests.
func Usage(p scaling.Profile, namespace string, resource scaling.ResourceName) string {
	podSelector := fmt.Sprintf(`{namespace=%q,pod=~%q}`, namespace, p.Name+"-[a-z0-9]+-[a-z0-9]+")
	if resource == scaling.Memory {
		return fmt.Sprintf(`sum(container_memory_working_set_bytes%s)`, podSelector)
	}
	return fmt.Sprintf(`sum(rate(container_cpu_usage_seconds_total%s[%s]))`, podSelector, formatDuration(usageWindow))
}
