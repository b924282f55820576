package promrules

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/components/scaling"
)

// promtool runs promtool on a rules file of the platform and a file of unit tests.
func promtool(t *testing.T, tests []map[string]any) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	require.NoError(t, err, "apt-get install prometheus")
	folder := t.TempDir()
	rules, err := File(scaling.Services())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "rules.yaml"), rules, 0o600))
	text, err := yaml.Marshal(map[string]any{"rule_files": []string{"rules.yaml"}, "evaluation_interval": "15s", "tests": tests})
	require.NoError(t, err)
	file := filepath.Join(folder, "tests.yaml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	out, err := exec.CommandContext(t.Context(), path, "test", "rules", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func series(name, values string) map[string]any {
	return map[string]any{"series": name, "values": values}
}

// Each alert fires beyond its limit and is quiet within.
func TestAlerts(t *testing.T) {
	const (
		web = `job="progressive-framework-v5",pod="a"`
		up  = `up{job="progressive-framework-v5",pod="a"}`
		// Half an hour of scrapes.
		always = "1+0x360"
	)
	requests := func(status, values string) map[string]any {
		return series(`http_requests_total{`+web+`,method="GET",route="GET /x",status="`+status+`"}`, values)
	}
	durations := func(suffix, values string) map[string]any {
		return series(`http_request_duration_seconds`+suffix+web+`,method="GET",route="GET /x"}`, values)
	}
	for _, tc := range []struct {
		reason, alert, service string
		input                  []map[string]any
		summary                string // empty: the alert is quiet
	}{
		{"6,000 requests a second need 60 pods", "DemandAboveMaximum", "web", []map[string]any{series(up, always), requests("200", "0+30000x360")},
			"web: http_requests_per_second needs more than the maximum of 50 pods"},
		{"4,000 need 40", "DemandAboveMaximum", "web", []map[string]any{series(up, always), requests("200", "0+20000x360")}, ""},
		{"no pod answers scrapes", "ServiceNotScraped", "web", []map[string]any{series(up, "0+0x360")},
			"web: Prometheus reads the metrics of no pod, so that the number of pods does not follow the load"},
		{"there is no pod", "ServiceNotScraped", "npa", nil,
			"npa: Prometheus reads the metrics of no pod, so that the number of pods does not follow the load"},
		{"one of two pods answers", "ServiceNotScraped", "web", []map[string]any{series(up, always), series(strings.Replace(up, `"a"`, `"b"`, 1), "0+0x360")}, ""},
		{"2 % of the requests fail", "ErrorRateHigh", "web", []map[string]any{series(up, always), requests("200", "0+98x360"), requests("503", "0+2x360")},
			"web: more than 1 % of the requests fail"},
		{"half a percent fails", "ErrorRateHigh", "web", []map[string]any{series(up, always), requests("200", "0+199x360"), requests("503", "0+1x360")}, ""},
		{"a client's errors", "ErrorRateHigh", "web", []map[string]any{series(up, always), requests("404", "0+100x360")}, ""},
		{"10 % of the answers are slow", "ResponsesSlow", "web", []map[string]any{series(up, always), durations(`_bucket{le="0.5",`, "0+90x360"), durations(`_count{`, "0+100x360")},
			"web: more than 5 % of the answers take longer than 500ms"},
		{"4 % are", "ResponsesSlow", "web", []map[string]any{series(up, always), durations(`_bucket{le="0.5",`, "0+96x360"), durations(`_count{`, "0+100x360")}, ""},
		{"10 % of the coordinations are slow", "ResponsesSlow", "mca", []map[string]any{
			series(`agent_coordination_duration_seconds_bucket{job="mca",pod="a",agent="mca",le="0.15"}`, "0+90x360"),
			series(`agent_coordination_duration_seconds_count{job="mca",pod="a",agent="mca"}`, "0+100x360"),
		}, "mca: more than 5 % of the answers take longer than 150ms"},
	} {
		t.Run(tc.alert+": "+tc.reason, func(t *testing.T) {
			// ALERTS has the alerts of all services; the test looks at one.
			sample := []map[string]any{}
			if tc.summary != "" {
				sample = append(sample, map[string]any{"labels": "{}", "value": 1})
			}
			expr := `count(ALERTS{alertname="` + tc.alert + `",service="` + tc.service + `",alertstate="firing"})`
			promtool(t, []map[string]any{{"interval": "5s", "input_series": tc.input, "promql_expr_test": []map[string]any{{"expr": expr, "eval_time": "25m", "exp_samples": sample}}}})
			if tc.summary != "" {
				require.Contains(t, summaries(), tc.summary)
			}
		})
	}
}

// summaries are the texts of all alerts.
func summaries() (all []string) {
	for _, g := range Groups(scaling.Services()) {
		for _, r := range g.Rules {
			if r.Alert != "" {
				all = append(all, r.Annotations["summary"])
			}
		}
	}
	return all
}

// Each alert has its section in the runbook, and each section its alert.
func TestRunbookHasEveryAlert(t *testing.T) {
	text, err := os.ReadFile("../../../docs/runbooks/alerts.md")
	require.NoError(t, err)
	sections := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			sections[strings.TrimSpace(heading)] = true
		}
	}
	alerts := map[string]bool{}
	for _, g := range Groups(scaling.Services()) {
		for _, r := range g.Rules {
			if r.Alert != "" {
				alerts[r.Alert] = true
				require.Contains(t, []string{Page, Ticket}, r.Labels["severity"])
				require.Equal(t, "docs/runbooks/alerts.md#"+strings.ToLower(r.Alert), r.Annotations["runbook"])
			}
		}
	}
	require.Equal(t, alerts, sections)
}

// The values that people see have the names of the document's HPAs.
func TestValuesAreRecordedUnderTheDocumentsNames(t *testing.T) {
	var names []string
	for _, r := range Groups(scaling.Services())[0].Rules {
		names = append(names, r.Record)
	}
	require.Equal(t, []string{
		"http_requests_per_second", "http_request_duration_seconds", "agent_coordination_requests_per_second",
		"nutrition_calculations_per_minute", "workout_generations_per_minute",
	}, names)
	promtool(t, []map[string]any{{
		"interval": "5s",
		"input_series": []map[string]any{
			series(`nutrition_calculations_total{job="npa",pod="a",outcome="ok"}`, "0+2x60"), series(`nutrition_calculations_total{job="npa",pod="b",outcome="ok"}`, "0+3x60"),
		},
		"promql_expr_test": []map[string]any{{"expr": "round(nutrition_calculations_per_minute)", "eval_time": "3m", "exp_samples": []map[string]any{
			{"labels": `{job="npa",pod="a"}`, "value": 24}, {"labels": `{job="npa",pod="b"}`, "value": 36},
		}}},
	}})
}
