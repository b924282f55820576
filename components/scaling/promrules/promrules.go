// Package promrules renders Prometheus' rules of the platform: the recorded values of
// the metrics on which pods scale, and the alerts that follow from the thresholds of
// package scaling. It is pure. docs/runbooks/alerts.md says what to do for each alert.
package promrules

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

// Severities of an alert, in its label severity.
const (
	// Page is for what users notice: somebody must act now.
	Page = "page"
	// Ticket is for what users will notice if nobody acts for days.
	Ticket = "ticket"
)

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

// Interval is how often the rules are evaluated. Autoscalers do not read them.
const Interval = 15 * time.Second

const (
	// rateWindow is how far back the rates of alerts look.
	rateWindow = "5m"
	// slowShare is the share of requests that may be slower than a threshold: the
	// document compares the 95th percentile.
	slowShare = 0.05
)

// Groups returns the rules for services with their bounds.
func Groups(services []scaling.Profile) []Group {
	values := Group{Name: "pod-scaling-values", Interval: seconds(Interval)}
	alerts := Group{Name: "alerts", Interval: seconds(Interval)}
	for _, p := range services {
		for _, m := range p.HPA.Metrics {
			if m, ok := m.(scaling.PodsMetric); ok {
				values.Rules = append(values.Rules, Rule{Record: m.Name, Expr: promquery.PerPod(p, m)})
				alerts.Rules = append(alerts.Rules, aboveMaximum(p, m))
			}
		}
		alerts.Rules = append(alerts.Rules, notScraped(p), failing(p))
		if r, ok := slow(p); ok {
			alerts.Rules = append(alerts.Rules, r)
		}
	}
	return []Group{values, alerts}
}

// File renders the groups as a rules file of Prometheus.
func File(services []scaling.Profile) ([]byte, error) {
	text, err := yaml.Marshal(map[string]any{"groups": Groups(services)})
	if err != nil {
		return nil, fmt.Errorf("rules of Prometheus: %w", err)
	}
	return text, nil
}

// alert returns an alert of a service. Its name is the heading in the runbook.
func alert(name string, p scaling.Profile, expr string, hold time.Duration, summary string) Rule {
	return Rule{
		Alert: name, Expr: expr, For: seconds(hold),
		Labels:      map[string]string{"severity": Page, "service": p.Short},
		Annotations: map[string]string{"summary": p.Short + ": " + summary, "runbook": "docs/runbooks/alerts.md#" + strings.ToLower(name)},
	}
}

// aboveMaximum fires if a service needs more pods than it may have. The document's
// longest scale-up takes less than the 15 minutes.
func aboveMaximum(p scaling.Profile, m scaling.PodsMetric) Rule {
	most := m.AverageValue.AsApproximateFloat64() * float64(p.HPA.MaxReplicas)
	return alert("DemandAboveMaximum", p, fmt.Sprintf(`%s > %s`, promquery.Demand(p, m), number(most)), 15*time.Minute,
		fmt.Sprintf("%s needs more than the maximum of %d pods", m.Name, p.HPA.MaxReplicas))
}

// notScraped fires if nothing is known of a service: KEDA then holds its pods.
func notScraped(p scaling.Profile) Rule {
	return alert("ServiceNotScraped", p, fmt.Sprintf(`absent(up{job=%q} == 1)`, promquery.Job(p)), 2*time.Minute,
		"Prometheus reads the metrics of no pod, so that the number of pods does not follow the load")
}

// failing fires above the document's share of failed requests.
func failing(p scaling.Profile) Rule {
	rate := func(where string) string {
		return fmt.Sprintf(`sum(rate(http_requests_total{job=%q%s}[%s]))`, promquery.Job(p), where, rateWindow)
	}
	limit := scaling.Targets().Web.ErrorRate
	return alert("ErrorRateHigh", p, fmt.Sprintf(`%s / %s > %s`, rate(`,status=~"5.."`), rate(""), number(float64(limit)/100)), 5*time.Minute,
		fmt.Sprintf("more than %s of the requests fail", limit))
}

// slow fires if too many answers take longer than the threshold of a service. The
// threshold is an edge of the histogram's buckets, so that the share is exact.
func slow(p scaling.Profile) (Rule, bool) {
	t := scaling.Targets()
	metric, where, limit := "http_request_duration_seconds", `,route!~"GET /(health(/.*)?|metrics|ws)"`, time.Duration(0)
	switch p.Short {
	case "web":
		limit = t.Web.ResponseTime
	case "mca":
		metric, where, limit = "agent_coordination_duration_seconds", "", t.Agents.MCACoordination
	case "npa":
		limit = t.Agents.NPACalculation
	case "wpa":
		limit = t.Agents.WPAGeneration
	default:
		return Rule{}, false
	}
	rate := func(suffix, le string) string {
		return fmt.Sprintf(`sum(rate(%s%s{job=%q%s%s}[%s]))`, metric, suffix, promquery.Job(p), where, le, rateWindow)
	}
	expr := fmt.Sprintf(`1 - %s / %s > %s`, rate("_bucket", fmt.Sprintf(`,le=%q`, number(limit.Seconds()))), rate("_count", ""), number(slowShare))
	return alert("ResponsesSlow", p, expr, 5*time.Minute, fmt.Sprintf("more than 5 %% of the answers take longer than %s", limit)), true
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) + "s" }

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
