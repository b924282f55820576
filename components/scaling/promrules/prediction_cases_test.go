package promrules

// predictionCases returns the cases of the alert about a missing forecast.
func predictionCases() []alertCase {
	publishedSeries := func(values string) []map[string]any {
		return []map[string]any{newSeries(`forecast_published_pods{job="forecaster",service="npa",pod="a"}`, values)}
	}
	return []alertCase{
		{"there is no forecaster", "ForecastMissing", labelsFor("npa"), nil, "There is no forecast", ""},
		{"the forecaster stops publishing", "ForecastMissing", labelsFor("npa"), publishedSeries("7x20 stale _x99"), "There is no forecast", ""},
		{"the forecaster publishes at each scrape", "ForecastMissing", labelsFor("npa"), publishedSeries("7x120"), "", ""},
		{"the forecast is zero pods", "ForecastMissing", labelsFor("npa"), publishedSeries("0x120"), "", ""},
		{"the forecaster published nothing for eight minutes", "ForecastMissing", labelsFor("npa"), publishedSeries("7x67 _x32 7x20"), "", ""},
	}
}
