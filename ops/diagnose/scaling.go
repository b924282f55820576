package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

// metricDelay is how long a new HPA, or an HPA with new pods, may lack a metric. It is the sum of
// four times. A pod gets its first probe after 45 s, and the window of a rate is 30 s
// (components/scaling). Two readings of metrics-server take 30 s, and the period of the HPA is 15
// s.
const metricDelay = 2 * time.Minute

// scalingFindings judges the autoscalers of pods and of nodes, and the PodDisruptionBudgets.
func scalingFindings(o objects) (findings []Finding, figures []Figure) {
	for _, hpa := range o.horizontalAutoscalers {
		findings = append(findings, o.autoscalerFindings(hpa)...)
		text := fmt.Sprintf("%d pods, %d wanted, %d to %d allowed: %s",
			hpa.Status.CurrentReplicas, hpa.Status.DesiredReplicas, replicasOrDefault(hpa.Spec.MinReplicas), hpa.Spec.MaxReplicas, strings.Join(currentMetrics(hpa), ", "))
		if youngReason := o.explainYoungAutoscaler(hpa); youngReason != "" && slices.ContainsFunc(hpa.Status.Conditions, isMetricMissing) {
			text += fmt.Sprintf("; a metric is missing, which is normal: %s, and the first value may need %s", youngReason, metricDelay)
		}
		figures = append(figures, Figure{Scaling, "hpa/" + hpa.Name, text})
	}
	for _, evaluate := range []func(objects) ([]Finding, []Figure){verticalFindings, clusterAutoscalerFindings, nodeGroupFindings} {
		found, measured := evaluate(o)
		findings, figures = append(findings, found...), append(figures, measured...)
	}
	for _, pdb := range o.disruptionBudgets {
		if pdb.Status.ExpectedPods > 0 && pdb.Status.DisruptionsAllowed == 0 && pdb.Status.ObservedGeneration >= pdb.Generation {
			f := Finding{
				Name: "drain-blocked", Where: "poddisruptionbudget/" + pdb.Name, Threshold: "at least 1 disruption",
				Evidence: fmt.Sprintf("0 disruptions are allowed: %d of %d pods are healthy, and %d must be", pdb.Status.CurrentHealthy, pdb.Status.ExpectedPods, pdb.Status.DesiredHealthy),
				Cause:    "some pods are not healthy, so no other pod may be evicted", Fix: "see the findings of its pods",
				Next: o.kubectlCommand("describe poddisruptionbudget " + pdb.Name),
			}
			if pdb.Status.CurrentHealthy >= pdb.Status.ExpectedPods {
				f.Cause, f.Fix = "the PodDisruptionBudget requires as many healthy pods as there are pods", "use maxUnavailable: 1, or run more pods than minAvailable"
			}
			findings = append(findings, f)
		}
	}
	for i := range findings {
		findings[i].Check = Scaling
	}
	return findings, figures
}

// isMetricMissing reports whether a condition of an HPA means that a metric can't be read.
func isMetricMissing(c autoscalingv2.HorizontalPodAutoscalerCondition) bool {
	return c.Type == autoscalingv2.ScalingActive && c.Status == corev1.ConditionFalse && strings.HasPrefix(c.Reason, "FailedGet")
}

// explainYoungAutoscaler returns why an HPA may still lack a metric: the HPA or all its pods are
// younger than metricDelay. It returns "" for an older HPA with an older pod.
func (o objects) explainYoungAutoscaler(hpa autoscalingv2.HorizontalPodAutoscaler) string {
	if age := o.now.Sub(hpa.CreationTimestamp.Time); age < metricDelay {
		return fmt.Sprintf("the HPA is %s old", age.Round(time.Second))
	}
	oldest, found := time.Duration(0), false
	for _, pod := range o.pods {
		if pod.Labels["app"] == hpa.Spec.ScaleTargetRef.Name && pod.Status.StartTime != nil {
			oldest, found = max(oldest, o.now.Sub(pod.Status.StartTime.Time)), true
		}
	}
	if !found || oldest >= metricDelay {
		return ""
	}
	return fmt.Sprintf("its oldest pod is %s old", oldest.Round(time.Second))
}

// autoscalerFindings judges the conditions of one HPA.
func (o objects) autoscalerFindings(hpa autoscalingv2.HorizontalPodAutoscaler) (findings []Finding) {
	where, next := "hpa/"+hpa.Name, o.kubectlCommand("describe hpa "+hpa.Name)
	for _, c := range hpa.Status.Conditions {
		switch {
		case isMetricMissing(c) && o.explainYoungAutoscaler(hpa) != "":
			// The metric may still come, so this is not a finding.
		case c.Type == autoscalingv2.ScalingActive && c.Status == corev1.ConditionFalse && c.Reason != "ScalingDisabled",
			c.Type == autoscalingv2.AbleToScale && c.Status == corev1.ConditionFalse && c.Reason != "BackoffBoth":
			findings = append(findings, Finding{
				Name: "hpa-metric-missing", Where: where, Evidence: c.Reason + formatSince(c.LastTransitionTime) + ": " + c.Message,
				Cause: "metrics-server, KEDA or Prometheus does not respond, so the number of pods does not follow the load",
				Fix:   "docs/runbooks/alerts.md#servicenotscraped", Next: next,
			})
		case c.Type == autoscalingv2.ScalingLimited && c.Status == corev1.ConditionTrue && c.Reason == "TooManyReplicas":
			findings = append(findings, Finding{
				Name: "hpa-at-maximum", Where: where, Threshold: fmt.Sprintf("%d pods", hpa.Spec.MaxReplicas),
				Evidence: fmt.Sprintf("%d pods%s, more are wanted: %s", hpa.Status.CurrentReplicas, formatSince(c.LastTransitionTime), strings.Join(currentMetrics(hpa), ", ")),
				Cause:    "the load needs more pods than services.NAME.max, or a slow dependency holds the requests",
				Fix:      "docs/runbooks/alerts.md#demandabovemaximum", Next: next,
			})
		}
	}
	return findings
}

// currentMetrics returns a text for each metric of an HPA, with its value and its target. It
// includes a metric without a value.
func currentMetrics(hpa autoscalingv2.HorizontalPodAutoscaler) (list []string) {
	values := map[string]string{}
	for _, m := range hpa.Status.CurrentMetrics {
		switch {
		case m.Resource != nil && m.Resource.Current.AverageUtilization != nil:
			values[string(m.Resource.Name)] = fmt.Sprintf("%d %%", *m.Resource.Current.AverageUtilization)
		case m.External != nil && m.External.Current.AverageValue != nil:
			values[m.External.Metric.Name] = m.External.Current.AverageValue.String()
		}
	}
	if len(values) == 0 {
		return []string{"its metrics have no value"}
	}
	for _, m := range hpa.Spec.Metrics {
		name, target := "", ""
		switch {
		case m.Resource != nil && m.Resource.Target.AverageUtilization != nil:
			name, target = string(m.Resource.Name), fmt.Sprintf("%d %%", *m.Resource.Target.AverageUtilization)
		case m.External != nil && m.External.Target.AverageValue != nil:
			name, target = m.External.Metric.Name, m.External.Target.AverageValue.String()
		default:
			continue
		}
		if value, exists := values[name]; exists {
			list = append(list, name+" "+value+" of "+target)
		} else {
			list = append(list, name+" has no value, target "+target)
		}
		delete(values, name)
	}
	for _, name := range sortedKeys(values) {
		list = append(list, name+" "+values[name])
	}
	return list
}
