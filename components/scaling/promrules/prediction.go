package promrules

import (
	"fmt"
	"time"

	"github.com/progressive-framework/platform/components/scaling/promquery"
)

// predictionAlerts watch whether there is a forecast that KEDA can read. While there is
// none, users are served as by the document's HPA, and pods are not saved.
func predictionAlerts(in Input) []alert {
	if !in.Predictive {
		return nil
	}
	var all []alert
	for _, p := range in.Services {
		all = append(all, alert{
			name: "ForecastMissing", severity: Ticket,
			value:   fmt.Sprintf(`(count(%s) or vector(0))`, promquery.Forecast(p)),
			compare: "<", limit: 1, hold: 10 * time.Minute,
			summary: "There is no forecast, so that the document's targets decide about the number of pods",
		}.forService(p))
	}
	return all
}
