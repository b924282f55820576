package dashboards

import (
	"fmt"
	"strconv"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

// podScalingDashboard returns the dashboard of the HPAs: the number of pods that each metric
// requests, the number of running pods, and the load of each pod.
func podScalingDashboard(p Platform) Dashboard {
	d := Dashboard{Name: "scaling", Title: "Pod scaling"}
	for _, s := range p.Services {
		d.Panels = append(d.Panels, requestedPodsPanel(s))
	}
	d.Panels = append(d.Panels, demandPanel(p))
	for _, s := range p.Services {
		for _, m := range podsMetrics(s) {
			d.Panels = append(d.Panels, perPodPanel(s, m))
		}
	}
	for _, s := range p.Services {
		d.Panels = append(d.Panels, memoryPanel(s), recommendationPanel(s))
	}
	d.Panels = append(d.Panels, predictionPanels(p)...)
	d.Panels = append(d.Panels,
		Panel{Title: "KEDA: errors of the metrics", Unit: PerMinute, Queries: []Query{
			{Expr: fmt.Sprintf(`60 * sum by (scaledObject) (rate(keda_scaler_detail_errors_total[%s]))`, documentWindow), Legend: "{{scaledObject}}", Exporter: KEDA},
		}},
		Panel{Title: "Nodes that answer", Unit: Count, Queries: []Query{
			{Expr: `sum(up{job="containers"})`, Legend: "nodes", Exporter: Prometheus},
		}},
	)
	return d
}

// requestedPodsPanel returns the panel of the numbers of pods that the metrics of an HPA
// request. The HPA follows the largest number, within its bounds and its behaviour.
func requestedPodsPanel(s scaling.Profile) Panel {
	panel := Panel{
		Title: s.ShortName + ": pods that each metric asks for", Unit: Count,
		Lines: []Line{{"minimum", float64(s.HPA.MinReplicas)}, {"maximum", float64(s.HPA.MaxReplicas)}},
	}
	for _, m := range s.HPA.Metrics {
		panel.Queries = append(panel.Queries, requestedPodsQuery(s, m))
	}
	newStateQuery := func(series, label, object, legend string) Query {
		return Query{Expr: fmt.Sprintf(`sum(%s{%s=%q})`, series, label, object), Legend: legend, Exporter: State}
	}
	panel.Queries = append(panel.Queries,
		newStateQuery("kube_horizontalpodautoscaler_status_desired_replicas", "horizontalpodautoscaler", s.HPA.Name, "desired by the HPA"),
		newStateQuery("kube_deployment_status_replicas_ready", "deployment", s.Name, "ready"),
		Query{Expr: fmt.Sprintf(`sum(up{job=%q})`, promquery.Job(s)), Legend: "that answer", Exporter: Prometheus})
	return panel
}

// requestedPodsQuery returns the query for the number of pods that one metric requests: the demand
// divided by the target of a pod.
func requestedPodsQuery(s scaling.Profile, m scaling.Metric) Query {
	switch m := m.(type) {
	case scaling.PodsMetric:
		return Query{Expr: fmt.Sprintf(`ceil(%s / %s)`, promquery.Demand(s, m), formatNumber(m.AverageValue.AsApproximateFloat64())), Legend: m.Name}
	case scaling.ResourceMetric:
		usage, request := cpuUsageExpr(s), s.Resources.CPURequest
		if m.Resource == scaling.Memory {
			usage, request = memoryUsageExpr(s), s.Resources.MemoryRequest
		}
		target := request.AsApproximateFloat64() * float64(m.Utilization) / 100
		return Query{Expr: fmt.Sprintf(`ceil(%s / %s)`, usage, formatNumber(target)), Legend: string(m.Resource), Exporter: Kubelets}
	default: // scaling.Metric has no other types
		return Query{}
	}
}

// demandPanel returns the panel of the demand in percent. 100 % is the demand that the maximum number
// of pods of an HPA can serve. Above 100 % the HPA can't add enough pods.
func demandPanel(p Platform) Panel {
	panel := Panel{Title: "Demand in percent of the maximum", Unit: Percent, Lines: []Line{{"maximum", 100}}}
	for _, s := range p.Services {
		for _, m := range podsMetrics(s) {
			maxDemand := m.AverageValue.AsApproximateFloat64() * float64(s.HPA.MaxReplicas)
			panel.Queries = append(panel.Queries, Query{Expr: fmt.Sprintf(`100 * %s / %s`, promquery.Demand(s, m), formatNumber(maxDemand)), Legend: s.ShortName + ": " + m.Name})
		}
	}
	return panel
}

// perPodPanel returns the panel of a metric's recorded value for each pod, and of its target.
func perPodPanel(s scaling.Profile, m scaling.PodsMetric) Panel {
	unit := Seconds
	if r, ok := m.Source.(scaling.Rate); ok {
		unit = PerSecond
		if r.Per.Minutes() == 1 {
			unit = PerMinute
		}
	}
	return Panel{
		Title: s.ShortName + ": " + m.Name + " of each pod", Unit: unit,
		// A recorded duration has the name of the services' histogram. The names do not
		// clash, because the series of the histogram have suffixes such as _sum.
		Queries: []Query{{Expr: fmt.Sprintf(`%s{job=%q}`, m.Name, promquery.Job(s)), Legend: "{{pod}}", Exporter: Rules}},
		Lines:   []Line{{"target", m.AverageValue.AsApproximateFloat64()}},
	}
}

// memoryPanel returns the panel of each pod's memory, with its request and its limit. The
// VPA can change both within its bounds.
func memoryPanel(s scaling.Profile) Panel {
	lines := []Line{
		{"request", s.Resources.MemoryRequest.AsApproximateFloat64()},
		{"limit", s.Resources.MemoryLimit.AsApproximateFloat64()},
	}
	if b, ok := s.VPA.Bounds[scaling.Memory]; ok {
		lines = append(lines, Line{"largest request of the VPA", b.Max.AsApproximateFloat64()})
	}
	return Panel{
		Title: s.ShortName + ": memory of each pod", Unit: Bytes, Lines: lines,
		Queries: []Query{{Expr: fmt.Sprintf(`sum by (pod) (container_memory_working_set_bytes{%s})`, podMatcher(s)), Legend: "{{pod}}", Exporter: Kubelets}},
	}
}

// recommendationPanel returns the panel of the requests that the VPA recommends, in percent of the
// pods' requests. The VPA does not apply its recommendation if its mode is off, as for mca.
func recommendationPanel(s scaling.Profile) Panel {
	panel := Panel{Title: s.ShortName + ": recommended in percent of the requests", Unit: Percent, Lines: []Line{{"as requested", 100}}}
	for _, r := range s.VPA.Controls {
		panel.Queries = append(panel.Queries, Query{
			Expr: fmt.Sprintf(`100 * max(%[1]s{verticalpodautoscaler=%[2]q,resource=%[3]q}) / avg(kube_pod_container_resource_requests{container=%[4]q,resource=%[3]q})`,
				recommendationSeries, s.VPA.Name, r, s.Name),
			Legend: string(r), Exporter: State,
		})
	}
	return panel
}

// podsMetrics returns the PodsMetrics of a service's HPA.
func podsMetrics(s scaling.Profile) (all []scaling.PodsMetric) {
	for _, m := range s.HPA.Metrics {
		if m, ok := m.(scaling.PodsMetric); ok {
			all = append(all, m)
		}
	}
	return all
}

// formatNumber returns f in PromQL, without an exponent.
func formatNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
