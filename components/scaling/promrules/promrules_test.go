package promrules

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/components/scaling"
)

// testInput returns a platform with the design document's bounds, all autoscalers, and its stores in
// the cluster.
func testInput() Input {
	services := scaling.Services()
	for i := range services {
		services[i].Autoscaled = true
	}
	return Input{Services: services, Namespace: "app", Stores: []string{"postgres", "redis-cluster"}, Predictive: true, PGExporter: true}
}

// runPromtool runs promtool on rules of the platform and a file of unit tests.
func runPromtool(t *testing.T, groups []Group, tests []map[string]any) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	require.NoError(t, err, "apt-get install prometheus")
	folder := t.TempDir()
	rules, err := kyaml.Marshal(map[string]any{"groups": groups})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "rules.yaml"), rules, 0o600))
	text, err := kyaml.Marshal(map[string]any{"rule_files": []string{"rules.yaml"}, "evaluation_interval": formatSeconds(Interval), "tests": tests})
	require.NoError(t, err)
	file := filepath.Join(folder, "tests.yaml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	out, err := exec.CommandContext(t.Context(), path, "test", "rules", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// newSeries returns a series with its values in promtool's notation.
func newSeries(name, values string) map[string]any {
	return map[string]any{"series": name, "values": values}
}

// alertRules returns the platform's alerts.
func alertRules(in Input) (all []Rule) {
	for _, g := range Groups(in) {
		for _, r := range g.Rules {
			if r.Alert != "" {
				all = append(all, r)
			}
		}
	}
	return all
}

// Each alert fires beyond its limit, and does not fire within the limit.
func TestAlertsFireOnlyBeyondTheirLimits(t *testing.T) {
	fired, quiet := map[string]bool{}, map[string]bool{}
	for _, tc := range alertCases() {
		name := tc.alert + ", " + tc.reason
		t.Run(name, func(t *testing.T) {
			samples := []map[string]any{}
			if tc.summary != "" {
				samples = append(samples, map[string]any{"labels": "{}", "value": 1})
			}
			labels := `alertname="` + tc.alert + `",alertstate="firing"`
			for _, key := range slices.Sorted(maps.Keys(tc.labels)) {
				labels += "," + key + `="` + tc.labels[key] + `"`
			}
			runPromtool(t, groupsWithAlert(tc.alert), []map[string]any{{"interval": tc.interval(), "input_series": tc.input, "promql_expr_test": []map[string]any{
				{"expr": "count(ALERTS{" + labels + "})", "eval_time": tc.checkTime(), "exp_samples": samples},
			}}})
			for _, r := range alertRules(testInput()) {
				if r.Alert == tc.alert && hasLabels(r, tc.labels) {
					if tc.summary == "" {
						quiet[r.Alert+r.Labels["threshold"]] = true
						continue
					}
					fired[r.Alert+r.Labels["threshold"]] = true
					require.Contains(t, r.Annotations["summary"], tc.summary)
				}
			}
		})
	}
	for _, r := range alertRules(testInput()) {
		key := r.Alert + r.Labels["threshold"]
		require.True(t, fired[key], "no case in which %s of %q fires", r.Alert, r.Labels["threshold"])
		require.True(t, quiet[key], "no case in which %s of %q is quiet", r.Alert, r.Labels["threshold"])
	}
}

// groupsWithAlert returns the groups with the rules of one alert. ErrorBudgetBurn also needs the
// recording rules of the objectives. A test of all rules would take minutes.
func groupsWithAlert(name string) (groups []Group) {
	for _, g := range Groups(testInput()) {
		if g.Name == "alerts" {
			g.Rules = slices.DeleteFunc(g.Rules, func(r Rule) bool { return r.Alert != name })
		}
		if g.Name == "alerts" || g.Name == "objectives" && name == "ErrorBudgetBurn" {
			groups = append(groups, g)
		}
	}
	return groups
}

// hasLabels reports whether an alert of the rule can have the labels. Labels that the
// rule lacks come from its series.
func hasLabels(r Rule, labels map[string]string) bool {
	for key, value := range labels {
		if ruleValue, ok := r.Labels[key]; ok && ruleValue != value {
			return false
		}
	}
	return true
}

// Each threshold of the design document changes an alert, and the alert names it.
func TestEachThresholdHasItsAlert(t *testing.T) {
	text, err := os.ReadFile("../testdata/thresholds.yaml")
	require.NoError(t, err)
	var document struct {
		Tiers map[string]map[string]any `yaml:"scaling_metrics"`
	}
	require.NoError(t, yaml.Unmarshal(text, &document))
	var want, named []string
	for tier, thresholds := range document.Tiers {
		for key := range thresholds {
			want = append(want, tier+"."+key)
		}
	}
	for _, r := range alertRules(testInput()) {
		if name := r.Labels["threshold"]; name != "" {
			named = append(named, name)
		}
	}
	slices.Sort(named)
	require.ElementsMatch(t, want, slices.Compact(named))

	documentGroups, count := newGroups(testInput(), scaling.DesignThresholds()), 0
	tiers := reflect.TypeFor[scaling.Thresholds]()
	for tier := range tiers.NumField() {
		for field := range tiers.Field(tier).Type.NumField() {
			count++
			changed := scaling.DesignThresholds()
			value := reflect.ValueOf(&changed).Elem().Field(tier).Field(field)
			value.SetInt(value.Int() * 2)
			require.NotEqual(t, documentGroups, newGroups(testInput(), changed), "no alert reads %s.%s", tiers.Field(tier).Name, tiers.Field(tier).Type.Field(field).Name)
		}
	}
	require.Equal(t, len(want), count)
}

// Each alert has a section in the runbook, and each section has an alert. The alert's annotation
// links to the section.
func TestRunbookHasEveryAlert(t *testing.T) {
	page, ok := strings.CutPrefix(Runbook, "https://github.com/progressive-framework/platform/blob/main/")
	require.True(t, ok)
	text, err := os.ReadFile(filepath.Join("../../..", page))
	require.NoError(t, err)
	sections := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			sections[strings.TrimSpace(heading)] = true
		}
	}
	alerts := map[string]bool{}
	for _, r := range alertRules(testInput()) {
		alerts[r.Alert] = true
		require.Contains(t, []string{Page, Ticket}, r.Labels["severity"])
		// The anchor of a heading on GitHub.
		require.Equal(t, Runbook+"#"+strings.ToLower(r.Alert), r.Annotations["runbook_url"])
		require.NotEmpty(t, r.Annotations[ValueAnnotation])
		require.Contains(t, r.Expr, r.Annotations[ValueAnnotation])
	}
	require.Equal(t, alerts, sections)
}

// Prometheus refuses two alerts with one set of labels.
func TestAlertsAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range alertRules(testInput()) {
		key := r.Alert
		for _, label := range slices.Sorted(maps.Keys(r.Labels)) {
			key += "," + label + "=" + r.Labels[label]
		}
		require.False(t, seen[key], key)
		seen[key] = true
	}
}

// A service without an autoscaler has a fixed number of pods, so its CPU alert does not read the
// state of an HPA.
func TestAlertsOfServicesWithoutAutoscalerReadNoHPA(t *testing.T) {
	in := testInput()
	for i := range in.Services {
		in.Services[i].Autoscaled = false
	}
	for _, r := range alertRules(in) {
		require.NotContains(t, r.Expr, "kube_horizontalpodautoscaler")
	}
}

// Prometheus accepts the whole file.
func TestFileIsValid(t *testing.T) {
	text, err := File(testInput())
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	out, err := exec.CommandContext(t.Context(), "promtool", "check", "rules", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// The recorded values, which people see, have the names of the metrics in the design document's
// HPAs.
func TestValuesAreRecordedUnderTheDesignDocumentsNames(t *testing.T) {
	var names []string
	for _, r := range Groups(testInput())[0].Rules {
		names = append(names, r.Record)
	}
	require.Equal(t, []string{
		"http_requests_per_second", "http_request_duration_seconds", "agent_coordination_requests_per_second",
		"nutrition_calculations_per_minute", "workout_generations_per_minute",
	}, names)
	runPromtool(t, Groups(testInput())[:1], []map[string]any{{
		"interval": "5s",
		"input_series": []map[string]any{
			newSeries(`nutrition_calculations_total{job="npa",pod="a",outcome="ok"}`, "0+2x60"), newSeries(`nutrition_calculations_total{job="npa",pod="b",outcome="ok"}`, "0+3x60"),
		},
		"promql_expr_test": []map[string]any{{"expr": "round(nutrition_calculations_per_minute)", "eval_time": "3m", "exp_samples": []map[string]any{
			{"labels": `{job="npa",pod="a"}`, "value": 24}, {"labels": `{job="npa",pod="b"}`, "value": 36},
		}}},
	}})
}
