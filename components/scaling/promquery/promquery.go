// Package promquery renders the PromQL expressions of the platform's metrics: the demand
// that an autoscaler reads, and the value of each pod for dashboards. It imports no SDK. The
// numbers and the series are in package scaling. Prometheus adds the labels job (Job) and
// pod to each series.
//
// The design document's HPAs have metrics of type Pods, which divide the sum over all pods
// by the target. KEDA offers only external metrics. An external metric with a target of
// type AverageValue also divides its value by the target. So the value must be the sum over
// all pods. An average would be divided by the number of pods twice.
// docs/design/0010-pod-scaling.md has the derivation.
package promquery

import (
	"fmt"
	"strconv"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
)

// Job returns the label job of a service's series: the name of its Deployment.
func Job(p scaling.Profile) string { return p.Name }

// Demand returns the expression that KEDA evaluates for a metric of a service: the
// sum over its pods, in the unit of the metric.
//
//   - An idle service has a demand of 0, also if it has no series yet.
//   - A pod without a full window of samples has an assumed value, as in Kubernetes: the
//     target when the demand falls, and 0 when the demand grows.
//   - While no pod has a full window, there is no value, because the first rates are
//     too low. KEDA then reports an error, and the HPA removes no pod.
func Demand(p scaling.Profile, m scaling.PodsMetric) string {
	var (
		window         = formatDuration(p.HPA.Window())
		up             = fmt.Sprintf(`up{job=%q}`, Job(p))
		pods           = fmt.Sprintf(`count(%s)`, up)
		fullWindowPods = fmt.Sprintf(`count(%[1]s == 1 and sum_over_time(%[1]s[%[2]s]) >= %[3]d)`, up, window, p.HPA.Window()/scaling.ScrapeInterval-1)
		target         = formatNumber(m.AverageValue.AsApproximateFloat64())
		sum            = fmt.Sprintf(`(%s or 0 * count(%s == 1))`, sumExpr(p, m.Source), up)
	)
	return fmt.Sprintf(`clamp_min(clamp_max(%s + %s * (%s - %s), scalar(%s * %s)), scalar(%s))`, sum, target, pods, fullWindowPods, target, pods, sum)
}

// DemandValue returns the value that the expression of Demand has. sum is the sum over the pods
// that have samples. pods is the number of pods, and fullWindowPods is the number of pods with a
// full window. Kubernetes' replica calculator has the same rule for running pods
// (calcPlainMetricReplicas, Kubernetes 1.36).
func DemandValue(sum, target float64, pods, fullWindowPods int) float64 {
	return max(sum, min(sum+target*float64(pods-fullWindowPods), target*float64(pods)))
}

// PerPod returns the expression of a metric's value by job and pod, for recording
// rules and dashboards.
func PerPod(p scaling.Profile, m scaling.PodsMetric) string {
	window := formatDuration(p.HPA.Window())
	switch s := m.Source.(type) {
	case scaling.Rate:
		return fmt.Sprintf(`%ssum by (job, pod) (rate(%s[%s]))`, unitFactor(s.Per), selector(p, s.Counter, s.Where), window)
	case scaling.MeanDuration:
		return meanExpr(p, s, "job, pod", window)
	default: // scaling.Source has no other types
		return ""
	}
}

// sumExpr returns the expression for the sum of a metric's value over the pods.
func sumExpr(p scaling.Profile, source scaling.Source) string {
	window := formatDuration(p.HPA.Window())
	switch s := source.(type) {
	case scaling.Rate:
		// A terminated pod still counts, because its requests were demand.
		return fmt.Sprintf(`%ssum(rate(%s[%s]))`, unitFactor(s.Per), selector(p, s.Counter, s.Where), window)
	case scaling.MeanDuration:
		// A terminated pod does not count, because it gets no further requests.
		return fmt.Sprintf(`sum(%s and on (pod) up{job=%q} == 1)`, meanExpr(p, s, "pod", window), Job(p))
	default: // scaling.Source has no other types
		return ""
	}
}

// meanExpr returns the expression for the mean duration, grouped by these labels. The comparison
// with 0 removes the NaN of pods without requests.
func meanExpr(p scaling.Profile, d scaling.MeanDuration, groupLabels, window string) string {
	rateExpr := func(suffix string) string {
		return fmt.Sprintf(`sum by (%s) (rate(%s[%s]))`, groupLabels, selector(p, d.Histogram+suffix, d.Where), window)
	}
	return fmt.Sprintf(`(%s / %s > 0)`, rateExpr("_sum"), rateExpr("_count"))
}

// selector returns the PromQL selector of a service's series. matchers are further label matchers,
// or "" for none.
func selector(p scaling.Profile, series, matchers string) string {
	if matchers != "" {
		matchers = "," + matchers
	}
	return fmt.Sprintf(`%s{job=%q%s}`, series, Job(p), matchers)
}

// unitFactor returns the PromQL prefix that converts a rate per second to another unit of time.
// It is "60 * " for a minute.
func unitFactor(unit time.Duration) string {
	if unit == time.Second {
		return ""
	}
	return formatNumber(unit.Seconds()) + " * "
}

// formatDuration returns d in PromQL, in whole seconds.
func formatDuration(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) + "s" }

// formatNumber returns f in PromQL, without an exponent.
func formatNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
