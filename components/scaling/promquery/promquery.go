// Package promquery renders the PromQL expressions of the platform's metrics: the
// demand that an autoscaler reads, and the value of each pod that people see. It is
// pure. The numbers and the series are in package scaling. Prometheus adds the labels
// job (Job) and pod to each series.
//
// An HPA with a metric of type Pods divides the sum over all pods by the target. KEDA
// offers external metrics only. An external metric with a target of type AverageValue
// gives the same number of pods if its value is that sum. An average would be divided
// by the number of pods twice. docs/design/0010-pod-scaling.md has the derivation.
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
//   - A pod without a full window of samples counts as Kubernetes counts it: as its
//     target when the demand falls, and as 0 when it grows.
//   - While no pod has a full window, there is no value. KEDA reports an error then,
//     and the HPA removes no pod. A rate that has just begun is too low.
func Demand(p scaling.Profile, m scaling.PodsMetric) string {
	var (
		window = duration(p.HPA.Window())
		up     = fmt.Sprintf(`up{job=%q}`, Job(p))
		pods   = fmt.Sprintf(`count(%s)`, up)
		seen   = fmt.Sprintf(`count(%[1]s == 1 and sum_over_time(%[1]s[%[2]s]) >= %[3]d)`, up, window, p.HPA.Window()/scaling.ScrapeInterval-1)
		target = number(m.AverageValue.AsApproximateFloat64())
		sum    = fmt.Sprintf(`(%s or 0 * count(%s == 1))`, total(p, m.Source), up)
	)
	return fmt.Sprintf(`clamp_min(clamp_max(%s + %s * (%s - %s), scalar(%s * %s)), scalar(%s))`, sum, target, pods, seen, target, pods, sum)
}

// Value is what Demand returns for a sum over the pods that have samples, a target,
// a number of pods, and how many of them have a full window. It is the rule of
// Kubernetes' replica calculator (calcPlainMetricReplicas, Kubernetes 1.34).
func Value(sum, target float64, pods, seen int) float64 {
	return max(sum, min(sum+target*float64(pods-seen), target*float64(pods)))
}

// PerPod returns the expression of a metric's value by job and pod, for recording
// rules and dashboards.
func PerPod(p scaling.Profile, m scaling.PodsMetric) string {
	window := duration(p.HPA.Window())
	switch s := m.Source.(type) {
	case scaling.Rate:
		return fmt.Sprintf(`%ssum by (job, pod) (rate(%s[%s]))`, factor(s.Per), selector(p, s.Counter, s.Where), window)
	case scaling.MeanDuration:
		return mean(p, s, "job, pod", window)
	default:
		return ""
	}
}

// total is the sum over the pods.
func total(p scaling.Profile, source scaling.Source) string {
	window := duration(p.HPA.Window())
	switch s := source.(type) {
	case scaling.Rate:
		// A pod that has ended still counts: its requests were demand.
		return fmt.Sprintf(`%ssum(rate(%s[%s]))`, factor(s.Per), selector(p, s.Counter, s.Where), window)
	case scaling.MeanDuration:
		// A pod that has ended has no duration any more.
		return fmt.Sprintf(`sum(%s and on (pod) up{job=%q} == 1)`, mean(p, s, "pod", window), Job(p))
	default:
		return ""
	}
}

// mean is the mean duration by some labels. The comparison drops the NaN of pods
// without requests.
func mean(p scaling.Profile, d scaling.MeanDuration, by, window string) string {
	rate := func(suffix string) string {
		return fmt.Sprintf(`sum by (%s) (rate(%s[%s]))`, by, selector(p, d.Histogram+suffix, d.Where), window)
	}
	return fmt.Sprintf(`(%s / %s > 0)`, rate("_sum"), rate("_count"))
}

// selector selects the series of a service.
func selector(p scaling.Profile, series, where string) string {
	if where != "" {
		where = "," + where
	}
	return fmt.Sprintf(`%s{job=%q%s}`, series, Job(p), where)
}

// factor turns a rate per second into one per unit.
func factor(per time.Duration) string {
	if per == time.Second {
		return ""
	}
	return number(per.Seconds()) + " * "
}

// duration is a duration in PromQL, in whole seconds.
func duration(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) + "s" }

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
