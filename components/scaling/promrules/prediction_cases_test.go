package promrules

func predictionCases() []alertCase {
	answers := func(values string) []map[string]any {
		return []map[string]any{series(`forecast_answers_total{job="forecaster",service="npa",pod="a"}`, values)}
	}
	return []alertCase{
		{"there is no forecaster", "ForecastMissing", labelsFor("npa"), nil, "KEDA gets no forecast", ""},
		{"it has no number", "ForecastMissing", labelsFor("npa"), answers("7x120"), "KEDA gets no forecast", ""},
		{"it answers at each query", "ForecastMissing", labelsFor("npa"), answers("0+1x120"), "", ""},
		{"it was away for eight minutes", "ForecastMissing", labelsFor("npa"), answers("0+1x67 67x32"), "", ""},
	}
}
