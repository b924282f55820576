package promrules

import (
	"fmt"
	"time"

	"github.com/progressive-framework/platform/components/scaling/promquery"
)

// predictionAlerts returns an alert for each service that fires while KEDA can read no forecast.
// The HPA then scales with the design document's targets: users are served, but the forecast saves
// no pods.
func predictionAlerts(in Input) []alert {
	if !in.Predictive {
		return nil
	}
	var all []alert
	for _, p := range in.Services {
		all = append(all, alert{
			name: "ForecastMissing", severity: Ticket,
			value:   fmt.Sprintf(`(count(%s) or vector(0))`, promquery.Forecast(p)),
			compare: "<", limit: 1, forDuration: 10 * time.Minute,
			summary: "There is no forecast, so that the document's targets determine the number of pods",
		}.forService(p))
	}
	return all
}
