// Package promrules renders the platform's rules for Prometheus. They record the metrics on which
// pods scale, and the service level objectives. They also alert on the thresholds of package
// scaling. The package imports no SDK.
// docs/runbooks/alerts.md says what to do for each alert.
package promrules

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

// Severities of an alert, in its label severity.
const (
	// Page is for problems that users notice: somebody must act now.
	Page = "page"
	// Ticket is for problems that users will notice if nobody acts for days.
	Ticket = "ticket"
)

// Input has the parts of the platform that the rules watch.
type Input struct {
	// Services are the services with the bounds of the stack.
	Services []scaling.Profile
	// Namespace is the namespace of the services and of Stores.
	Namespace string
	// Stores are the names of the StatefulSets of the stores that run in the cluster.
	Stores []string
	// Predictive means that a forecast determines the number of pods.
	Predictive bool
	// PGExporter means that an exporter publishes the metrics of PostgreSQL.
	PGExporter bool
}

// Rule is a recording rule or an alert. The names of its fields are Prometheus'
// (Prometheus, "Recording rules" and "Alerting rules").
type Rule struct {
	Record      string            `json:"record,omitempty"`
	Alert       string            `json:"alert,omitempty"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Group is a group of rules that Prometheus evaluates together.
type Group struct {
	Name     string `json:"name"`
	Interval string `json:"interval"`
	Rules    []Rule `json:"rules"`
}

// Interval is the time between two evaluations of the rules. It may be long, because autoscalers do
// not read the recorded values.
const Interval = 15 * time.Second

// rateWindow is the time window of the rates in alerts.
const rateWindow = "5m"

// Groups returns the rules.
func Groups(in Input) []Group { return newGroups(in, scaling.DesignThresholds()) }

// newGroups returns the rules for the thresholds t. Tests pass thresholds that differ from
// those of the design document.
func newGroups(in Input, t scaling.Thresholds) []Group {
	var recordingRules []Rule
	for _, p := range in.Services {
		for _, m := range p.HPA.Metrics {
			if m, ok := m.(scaling.PodsMetric); ok {
				recordingRules = append(recordingRules, Rule{Record: m.Name, Expr: promquery.PerPod(p, m)})
			}
		}
	}
	allObjectives := objectives(in.Services, t)
	var alertingRules []Rule
	for _, alerts := range [][]alert{serviceAlerts(in.Services, t), stateAlerts(in, t), redisAlerts(in), databaseAlerts(in, t), predictionAlerts(in), objectiveAlerts(allObjectives), burnAlerts()} {
		for _, a := range alerts {
			alertingRules = append(alertingRules, a.newRule())
		}
	}
	var all []Group
	for _, g := range []Group{{"pod-scaling-values", "", recordingRules}, {"objectives", "", objectiveRules(allObjectives)}, {"alerts", "", alertingRules}} {
		g.Interval = formatSeconds(Interval)
		all = append(all, g)
	}
	return all
}

// RecordedSeries lists the names of the recorded series, sorted.
func RecordedSeries(in Input) []string {
	names := map[string]bool{}
	for _, g := range Groups(in) {
		for _, r := range g.Rules {
			if r.Record != "" {
				names[r.Record] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// File renders the groups as a rules file of Prometheus.
func File(in Input) ([]byte, error) {
	text, err := yaml.Marshal(map[string]any{"groups": Groups(in)})
	if err != nil {
		return nil, fmt.Errorf("rules of Prometheus: %w", err)
	}
	return text, nil
}

// Runbook is the page of the runbooks. Its section with the name of an alert says what
// to do.
const Runbook = scaling.Runbooks + "alerts.md"

// ValueAnnotation is the annotation with the expression that the alert compares with its limit.
// Unlike the alert's own expression, it also has data while the alert does not fire, so that people
// can plot it.
const ValueAnnotation = "value_expr"

// alert is an alert that fires while value is beyond limit.
type alert struct {
	name, severity string
	// service is the label service. Empty means that the series of value have this label.
	service string
	// threshold is the key of the design document's threshold, such as web_tier.cpu_threshold.
	// Empty means that the alert does not follow from such a threshold.
	threshold string
	// labels are further labels.
	labels map[string]string
	// value is compared with limit by compare, a comparison operator of PromQL.
	value, compare string
	limit          float64
	// condition is PromQL that is joined to the comparison with the operator and. It may be empty.
	condition string
	// forDuration is how long the whole expression must be true before the alert fires.
	forDuration time.Duration
	// summary is a phrase about the problem.
	summary string
}

// newRule returns the alert as a rule of Prometheus.
func (a alert) newRule() Rule {
	r := Rule{
		Alert: a.name, Expr: fmt.Sprintf("%s %s %s", a.value, a.compare, formatNumber(a.limit)),
		Labels:      map[string]string{"severity": a.severity},
		Annotations: map[string]string{"runbook_url": Runbook + "#" + strings.ToLower(a.name), ValueAnnotation: a.value, "summary": "{{ $labels.service }}: " + a.summary},
	}
	if a.condition != "" {
		r.Expr += " and " + a.condition
	}
	if a.forDuration > 0 {
		r.For = formatSeconds(a.forDuration)
	}
	for key, value := range a.labels {
		r.Labels[key] = value
	}
	for key, value := range map[string]string{"service": a.service, "threshold": a.threshold} {
		if value != "" {
			r.Labels[key] = value
		}
	}
	return r
}

// formatSeconds returns d in PromQL, in whole seconds.
func formatSeconds(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) + "s" }

// formatNumber returns f in PromQL, without an exponent.
func formatNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// toRatio returns a percentage as a ratio from 0 to 1.
func toRatio(p scaling.Percent) float64 { return float64(p) / 100 }
