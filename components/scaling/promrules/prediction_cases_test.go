package promrules

func predictionCases() []alertCase {
	published := func(values string) []map[string]any {
		return []map[string]any{series(`forecast_published_pods{job="forecaster",service="npa",pod="a"}`, values)}
	}
	return []alertCase{
		{"there is no forecaster", "ForecastMissing", labelsFor("npa"), nil, "There is no forecast", ""},
		{"it has no number", "ForecastMissing", labelsFor("npa"), published("7x20 stale _x99"), "There is no forecast", ""},
		{"it publishes at each scrape", "ForecastMissing", labelsFor("npa"), published("7x120"), "", ""},
		{"it asks for no pod", "ForecastMissing", labelsFor("npa"), published("0x120"), "", ""},
		{"it was away for eight minutes", "ForecastMissing", labelsFor("npa"), published("7x67 _x32 7x20"), "", ""},
	}
}
