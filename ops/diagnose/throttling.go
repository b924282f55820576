package diagnose

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promrules"
	"github.com/progressive-framework/platform/ops/kubeclient"
)

const (
	// maxThrottled is the highest share of throttled CPU periods. It is the threshold of the alert
	// CPUThrottlingHigh of the kubernetes-mixin (kubernetes-monitoring/kubernetes-mixin,
	// config.libsonnet, cpuThrottlingPercent).
	maxThrottled = scaling.Percent(25)
	// minPeriods is the fewest CPU periods for which the share is judged. The kernel counts a period
	// of 100 ms only if the container runs in that period. So 100 periods are at least ten seconds.
	minPeriods = 100
)

// containerName names a container of a pod.
type containerName struct{ pod, container string }

// throttledQuery returns the query for the share of throttled CPU periods within the window. The
// result has the containers above maxThrottled.
func throttledQuery(namespace string) string {
	increase := func(series string) string {
		return fmt.Sprintf("sum by (pod, container) (increase(%s{job=%q,namespace=%q}[%s]))", series, promrules.ThrottlingJob, namespace, model.Duration(window))
	}
	return fmt.Sprintf("%s / (%s >= %d) > %g",
		increase("container_cpu_cfs_throttled_periods_total"), increase("container_cpu_cfs_periods_total"), minPeriods, float64(maxThrottled)/100)
}

// readThrottled returns the share of throttled CPU periods of each container above maxThrottled.
func readThrottled(ctx context.Context, prometheus kubeclient.Prometheus, namespace string) (map[containerName]float64, error) {
	vector, err := prometheus.QueryVector(ctx, throttledQuery(namespace), time.Time{})
	if err != nil {
		return nil, err
	}
	shares := map[containerName]float64{}
	for _, s := range vector {
		shares[containerName{string(s.Metric["pod"]), string(s.Metric["container"])}] = float64(s.Value)
	}
	return shares, nil
}

// throttledFindings reports each container above maxThrottled. A burst of work is throttled even if
// the mean usage is far below the limit.
func (o objects) throttledFindings() (findings []Finding) {
	used := map[containerName]string{}
	for _, pod := range o.usage {
		for _, c := range pod.Containers {
			used[containerName{pod.Name, c.Name}] = formatQuantity(corev1.ResourceCPU, c.Usage[corev1.ResourceCPU])
		}
	}
	for _, pod := range o.pods {
		for _, c := range pod.Spec.Containers {
			name := containerName{pod.Name, c.Name}
			share, throttled := o.throttled[name]
			if !throttled {
				continue
			}
			findings = append(findings, Finding{
				Name: "pod-throttled", Where: "pod/" + name.pod + "/" + name.container, Threshold: fmt.Sprintf("%s of at least %d CPU periods", maxThrottled, minPeriods),
				Evidence: fmt.Sprintf("throttled in %.0f %% of its CPU periods in the last %s; usage %s, limit %s",
					100*share, window, cmp.Or(used[name], "unknown"), formatQuantity(corev1.ResourceCPU, c.Resources.Limits[corev1.ResourceCPU])),
				Cause: "the container is throttled: within a period of 100 ms its work needs more CPU than its limit, so requests wait",
				Fix:   "a higher limit in components/scaling/services.go, or more pods (services.NAME.max)",
				Next:  o.kubectlCommand("top pods --containers --sort-by=cpu"),
			})
		}
	}
	return findings
}
