package promrules

import (
	"fmt"

	"github.com/progressive-framework/platform/components/scaling"
)

// alertCase is a state of the platform, and whether an alert fires in it.
type alertCase struct {
	reason, alert string
	// labels are further labels of the alert.
	labels map[string]string
	input  []map[string]any
	// summary is part of the alert's summary. It is empty if the alert must not fire.
	summary string
	// evalTime is the time at which the test checks the alert. The default is 25 minutes.
	evalTime string
}

// interval returns the time between two values of the case's series.
func (c alertCase) interval() string {
	if c.alert == "DemandAboveMaximum" {
		return formatSeconds(scaling.ScrapeInterval)
	}
	return "15s"
}

// checkTime returns the time at which the test checks the alert.
func (c alertCase) checkTime() string {
	if c.evalTime != "" {
		return c.evalTime
	}
	return "25m"
}

// labelsFor returns the labels of a service's alert. threshold is the key of the threshold in
// the design document, for an alert that has one.
func labelsFor(service string, threshold ...string) map[string]string {
	labels := map[string]string{"service": service}
	if len(threshold) > 0 {
		labels["threshold"] = threshold[0]
	}
	return labels
}

const webJob = `job="progressive-framework-v5"`

// constantSeries returns a series that keeps its value for half an hour.
func constantSeries(name string, value float64) map[string]any {
	return newSeries(name, fmt.Sprintf("%gx120", value))
}

// counterSeries returns a counter that grows by step each 15 s, for two hours.
func counterSeries(name string, step int) map[string]any {
	return newSeries(name, fmt.Sprintf("0+%dx480", step))
}

// requestCounter returns the counter of a service's requests with a status. It grows by step each
// 15 s.
func requestCounter(job, status string, step int) map[string]any {
	return counterSeries(`http_requests_total{`+job+`,pod="a",method="GET",route="GET /x",status="`+status+`"}`, step)
}

// histogramSeries returns two series of a histogram: the bucket le and the count. Of every 100
// observations, the bucket has the number fast.
func histogramSeries(name, labels, le string, fast int) []map[string]any {
	return []map[string]any{
		counterSeries(fmt.Sprintf(`%s_bucket{%s,pod="a",le=%q}`, name, labels, le), fast),
		counterSeries(fmt.Sprintf(`%s_count{%s,pod="a"}`, name, labels), 100),
	}
}

// alertCases returns the cases of all alerts.
func alertCases() []alertCase {
	cases := slowCases()
	for _, more := range [][]alertCase{loadCases(), failureCases(), stateCases(), redisCases(), predictionCases(), databaseCases()} {
		cases = append(cases, more...)
	}
	return cases
}

// slowCases returns two cases for each duration of the design document: 6 % and 4 % of the
// observations take longer. 5 % may take longer.
func slowCases() (all []alertCase) {
	const httpHistogram = "http_request_duration_seconds"
	for _, row := range []struct{ alert, service, threshold, histogram, labels, le, summary string }{
		{"ResponsesSlow", "web", "web_tier.response_time_threshold", httpHistogram, webJob + `,route="GET /x"`, "0.5", "answers take longer than 500ms"},
		{"ResponsesSlow", "mca", "application_tier.agent_coordination_latency", "agent_coordination_duration_seconds", `job="mca"`, "0.2", "coordinations take longer than 200ms"},
		{"ResponsesSlow", "mca", "agent_specific.mca_coordination_latency", "agent_coordination_duration_seconds", `job="mca"`, "0.15", "coordinations take longer than 150ms"},
		{"AgentRequestsSlow", "mca", "agent_specific.inter_agent_communication", "agent_request_duration_seconds", `job="mca",upstream="npa"`, "0.1", "other agents take longer than 100ms"},
		{"ResponsesSlow", "npa", "agent_specific.npa_calculation_time", httpHistogram, `job="npa",route="POST /x"`, "0.3", "answers take longer than 300ms"},
		{"ResponsesSlow", "wpa", "agent_specific.wpa_generation_time", httpHistogram, `job="wpa",route="POST /x"`, "0.5", "answers take longer than 500ms"},
		{"QueriesSlow", "wpa", "database_tier.query_response_time", "database_query_duration_seconds", `job="wpa"`, "0.1", "queries take longer than 100ms"},
	} {
		labels := labelsFor(row.service, row.threshold)
		all = append(all,
			alertCase{"6 % beyond " + row.threshold, row.alert, labels, histogramSeries(row.histogram, row.labels, row.le, 94), row.summary, ""},
			alertCase{"4 % beyond " + row.threshold, row.alert, labels, histogramSeries(row.histogram, row.labels, row.le, 96), "", ""})
	}
	return append(all, alertCase{"WebSockets take minutes", "ResponsesSlow", labelsFor("web"), histogramSeries(httpHistogram, webJob+`,route="GET /ws"`, "0.5", 0), "", ""})
}

// loadCases returns the cases of the alerts about load, connections and sessions.
func loadCases() []alertCase {
	upSeries := func(value float64) map[string]any { return constantSeries(`up{`+webJob+`,pod="a"}`, value) }
	demandLabels := map[string]string{"service": "web", "metric": "http_requests_per_second"}
	poolSeries := func(acquired float64) []map[string]any {
		return []map[string]any{
			constantSeries(`database_pool_acquired_connections{job="npa",pod="a"}`, acquired), constantSeries(`database_pool_max_connections{job="npa",pod="a"}`, 8),
		}
	}
	sessionSeries := func(n float64) []map[string]any {
		return []map[string]any{constantSeries(`agent_coordination_active_sessions{job="mca",pod="a"}`, n)}
	}
	queueSeries := func(n float64) []map[string]any {
		return []map[string]any{constantSeries(`agent_coordination_queue_depth{job="mca",pod="a"}`, n)}
	}
	requestSeries := func(perSecond int) []map[string]any {
		return []map[string]any{requestCounter(webJob, "200", 15*perSecond)}
	}
	// The window of web's autoscaler needs a sample each five seconds.
	requestsScrapedEvery5s := func(perSecond int) []map[string]any {
		return []map[string]any{
			newSeries(`up{`+webJob+`,pod="a"}`, "1x360"),
			newSeries(`http_requests_total{`+webJob+`,pod="a",method="GET",route="GET /x",status="200"}`, fmt.Sprintf("0+%dx360", 5*perSecond)),
		}
	}
	return []alertCase{
		{"1,001 requests a second", "RequestRateHigh", labelsFor("web"), requestSeries(1001), "more than 1000 requests a second", ""},
		{"999 requests a second", "RequestRateHigh", labelsFor("web"), requestSeries(999), "", ""},
		{"no pod responds to scrapes", "ServiceNotScraped", labelsFor("web"), []map[string]any{upSeries(0)}, "reads the metrics of no pod", ""},
		{"there is no pod", "ServiceNotScraped", labelsFor("npa"), nil, "reads the metrics of no pod", ""},
		{"one of two pods responds", "ServiceNotScraped", labelsFor("web"), []map[string]any{upSeries(1), constantSeries(`up{`+webJob+`,pod="b"}`, 0)}, "", ""},
		{"7 of 8 connections", "ConnectionsHigh", labelsFor("npa"), poolSeries(7), "more than 85 % of the connections", ""},
		{"6 of 8 connections", "ConnectionsHigh", labelsFor("npa"), poolSeries(6), "", ""},
		{"50 sessions", "SessionsAtMaximum", labelsFor("mca"), sessionSeries(50), "maximum of 50 sessions", ""},
		{"49 sessions", "SessionsAtMaximum", labelsFor("mca"), sessionSeries(49), "", ""},
		{"100 requests wait", "QueueFull", labelsFor("mca"), queueSeries(100), "100 requests wait", ""},
		{"99 requests wait", "QueueFull", labelsFor("mca"), queueSeries(99), "", ""},
		{"6,000 requests a second need 60 pods", "DemandAboveMaximum", demandLabels, requestsScrapedEvery5s(6000), "http_requests_per_second needs more than the maximum of 50 pods", ""},
		{"4,000 requests a second need 40 pods", "DemandAboveMaximum", demandLabels, requestsScrapedEvery5s(4000), "", ""},
	}
}

// failureCases returns the cases of the alerts about failed and slow requests.
func failureCases() []alertCase {
	burnLabels := func(window string) map[string]string {
		return map[string]string{"service": "web", "objective": "availability", "window": window}
	}
	failedRequestSeries := func(ok, failed int) []map[string]any {
		return []map[string]any{requestCounter(webJob, "200", ok), requestCounter(webJob, "503", failed)}
	}
	const burnSummary = "burns by"
	return []alertCase{
		{"2 % of the requests fail", "ErrorRateHigh", labelsFor("web"), failedRequestSeries(98, 2), "more than 1 % of the requests fail", ""},
		{"half a percent fails", "ErrorRateHigh", labelsFor("web"), failedRequestSeries(199, 1), "", ""},
		{"a client's errors", "ErrorRateHigh", labelsFor("web"), []map[string]any{requestCounter(webJob, "404", 100)}, "", ""},
		{"15 % fail", "ErrorBudgetBurn", burnLabels("1h"), failedRequestSeries(85, 15), burnSummary, "70m"},
		{"13 % fail", "ErrorBudgetBurn", burnLabels("1h"), failedRequestSeries(87, 13), "", "70m"},
		{"7 % fail", "ErrorBudgetBurn", burnLabels("6h"), failedRequestSeries(93, 7), burnSummary, "70m"},
		{"5 % fail", "ErrorBudgetBurn", burnLabels("6h"), failedRequestSeries(95, 5), "", "70m"},
		{"2 % fail", "ErrorBudgetBurn", burnLabels("3d"), failedRequestSeries(98, 2), burnSummary, "70m"},
		{"half a percent fails", "ErrorBudgetBurn", burnLabels("3d"), failedRequestSeries(199, 1), "", "70m"},
		{"an outage of ten minutes ended half an hour ago", "ErrorBudgetBurn", burnLabels("1h"), []map[string]any{
			requestCounter(webJob, "200", 10), newSeries(`http_requests_total{`+webJob+`,pod="a",method="GET",route="GET /x",status="503"}`, "0+10x40 400x200"),
		}, "", "45m"},
		{"all of four requests fail at night", "ErrorBudgetBurn", burnLabels("1h"), []map[string]any{
			newSeries(`http_requests_total{`+webJob+`,pod="a",method="GET",route="GET /x",status="503"}`, "0x220 1 2 3 4 4x60"),
		}, "", "57m"},
		{"80 % of the queries are slow", "ErrorBudgetBurn", map[string]string{"service": "npa", "objective": "database_tier.query_response_time", "window": "1h"},
			histogramSeries("database_query_duration_seconds", `job="npa"`, "0.1", 20), burnSummary, "70m"},
	}
}

// containerSeries returns the series of a pod's container. It has a CPU request of one core, a CPU
// limit of two cores, and a memory limit of 1000 bytes.
func containerSeries(pod string, cpuPercent int, memory float64) []map[string]any {
	labels := fmt.Sprintf(`{namespace="app",pod=%q,container="c"`, pod)
	return []map[string]any{
		// One busy core adds 15 s of CPU time in 15 s.
		newSeries("container_cpu_usage_seconds_total"+labels+`,job="containers"}`, fmt.Sprintf("0+%gx480", 15*float64(cpuPercent)/100)),
		constantSeries("container_memory_working_set_bytes"+labels+`,job="containers"}`, memory),
		constantSeries("kube_pod_container_resource_requests"+labels+`,job="kube-state-metrics",resource="cpu"}`, 1),
		constantSeries("kube_pod_container_resource_limits"+labels+`,job="kube-state-metrics",resource="cpu"}`, 2),
		constantSeries("kube_pod_container_resource_limits"+labels+`,job="kube-state-metrics",resource="memory"}`, 1000),
	}
}

// stateCases returns the cases of the alerts about pods, containers and autoscalers.
func stateCases() []alertCase {
	const (
		webPod = "progressive-framework-v5-7d9c5b8f6-x2x4z"
		mcaPod = "mca-7d9c5b8f6-x2x4z"
	)
	hpaSeries := func(name string, desired, maxReplicas float64) []map[string]any {
		labels := `{namespace="app",horizontalpodautoscaler="` + name + `"}`
		return []map[string]any{
			constantSeries("kube_horizontalpodautoscaler_status_desired_replicas"+labels, desired), constantSeries("kube_horizontalpodautoscaler_spec_max_replicas"+labels, maxReplicas),
		}
	}
	inactiveSeries := func(value float64) []map[string]any {
		return []map[string]any{constantSeries(`kube_horizontalpodautoscaler_status_condition{namespace="app",horizontalpodautoscaler="npa-hpa",condition="ScalingActive",status="false"}`, value)}
	}
	readySeries := func(n float64) []map[string]any {
		return []map[string]any{constantSeries(`kube_deployment_status_replicas_ready{namespace="app",deployment="mca"}`, n)}
	}
	restartSeries := func(values string) []map[string]any {
		return []map[string]any{newSeries(`kube_pod_container_status_restarts_total{namespace="app",pod="`+mcaPod+`",container="service"}`, values)}
	}
	all := []alertCase{
		{"there is no kube-state-metrics", "StateNotScraped", nil, nil, "is unknown", ""},
		{"kube-state-metrics responds", "StateNotScraped", nil, []map[string]any{constantSeries(`up{job="kube-state-metrics"}`, 1)}, "", ""},
		{"the autoscaler is not active", "AutoscalerBlind", labelsFor("npa"), inactiveSeries(1), "can't compute", ""},
		{"the autoscaler is active", "AutoscalerBlind", labelsFor("npa"), inactiveSeries(0), "", ""},
		{"one of two pods is ready", "PodsBelowMinimum", labelsFor("mca"), readySeries(1), "fewer than 2 pods", ""},
		{"two of two pods are ready", "PodsBelowMinimum", labelsFor("mca"), readySeries(2), "", ""},
		{"a container restarts each three minutes", "ContainersRestart", labelsFor("mca"), restartSeries("0x11 1x11 2x11 3x11 4x11 5x11 6x11 7x11 8x11"), "more than 3 containers", ""},
		{"a container restarted once", "ContainersRestart", labelsFor("mca"), restartSeries("0x50 1x60"), "", ""},
		{"72 % of its requests below the maximum of pods", "CPUHigh", labelsFor("web", "web_tier.cpu_threshold"), append(containerSeries(webPod, 72, 0), hpaSeries("progressive-framework-hpa", 49, 50)...), "", ""},
	}
	for _, row := range []struct {
		service, tier, pod, cpuSummary string
		cpu                            int
		memory                         float64
		input                          []map[string]any
	}{
		{"web", "web_tier", webPod, "CPU requests", 71, 801, hpaSeries("progressive-framework-hpa", 50, 50)},
		{"mca", "application_tier", mcaPod, "CPU requests", 76, 851, hpaSeries("mca-hpa", 20, 20)},
		{"postgres", "database_tier", "postgres-0", "CPU limits", 162, 901, nil},
		{"redis-cluster", "database_tier", "redis-cluster-5", "CPU limits", 162, 901, nil},
	} {
		cpuLabels, memoryLabels := labelsFor(row.service, row.tier+".cpu_threshold"), labelsFor(row.service, row.tier+".memory_threshold")
		beyond := append(containerSeries(row.pod, row.cpu, row.memory), row.input...)
		within := append(containerSeries(row.pod, row.cpu-4, row.memory-2), row.input...)
		all = append(all,
			alertCase{row.service + " needs more", "CPUHigh", cpuLabels, beyond, row.cpuSummary, ""},
			alertCase{row.service + " has enough", "CPUHigh", cpuLabels, within, "", ""},
			alertCase{row.service + " fills its memory", "MemoryHigh", memoryLabels, beyond, "memory limit", ""},
			alertCase{row.service + " has memory", "MemoryHigh", memoryLabels, within, "", ""})
	}
	return all
}

// redisCases returns the cases of the alerts about Redis.
func redisCases() []alertCase {
	seriesName := func(series string, pod int) string {
		return fmt.Sprintf(`redis_%s{job="stores",pod="redis-cluster-%d"}`, series, pod)
	}
	upSeries := func(up ...float64) (all []map[string]any) {
		for i, value := range up {
			all = append(all, constantSeries(seriesName("up", i), value))
		}
		return all
	}
	memorySeries := func(ratio, used float64) []map[string]any {
		return []map[string]any{
			constantSeries(seriesName("mem_fragmentation_ratio", 0), ratio), constantSeries(seriesName("memory_used_bytes", 0), used), constantSeries(seriesName("memory_max_bytes", 0), 1000),
		}
	}
	return []alertCase{
		{"a node is down", "RedisNodesDown", nil, upSeries(1, 1, 1, 1, 1, 0), "fewer than 6 nodes", ""},
		{"all six nodes respond", "RedisNodesDown", nil, upSeries(1, 1, 1, 1, 1, 1), "", ""},
		{"a fragmentation of 1.6 on a node that is more than half full", "RedisFragmented", nil, memorySeries(1.6, 600), "more than 1.5 times the memory of its data", ""},
		{"a fragmentation of 1.4 on a node that is more than half full", "RedisFragmented", nil, memorySeries(1.4, 600), "", ""},
		{"a fragmentation of 5 on an almost empty node", "RedisFragmented", nil, memorySeries(5, 10), "", ""},
		{"a slow command each minute", "RedisSlow", nil, []map[string]any{newSeries(seriesName("slowlog_last_id", 0), "0+1x120")}, "more than 10 slow", ""},
		{"a slow command each five minutes", "RedisSlow", nil, []map[string]any{newSeries(seriesName("slowlog_last_id", 0), "0x20 1x20 2x20 3x20 4x20 5x20")}, "", ""},
		{"a restart, after which the slow log begins again", "RedisSlow", nil, []map[string]any{newSeries(seriesName("slowlog_last_id", 0), "500x80 0x40")}, "", ""},
	}
}
