package diagnose

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// minRequests is the fewest requests for which a share is judged.
	minRequests = 100
	// maxHedged is the highest share, in percent, of requests to an agent that mca sends twice. mca
	// sends the slowest 5 % twice (agents/internal/upstream), and never more than 10 %. So 8 % is
	// more than usual, and mca still reaches it.
	maxHedged = 8
	// minLongQueue is the lowest share of mca's maximum queue length that counts as a long queue.
	minLongQueue = scaling.Percent(50)
)

// isWork reports whether the labels belong to a request that does work. Probes, scrapes and
// WebSockets do no work.
func isWork(labels map[string]string) bool {
	route := labels["route"]
	return !strings.HasPrefix(route, "GET /health") && route != "GET /metrics" && route != "GET /ws" && route != "none"
}

// agentLimits returns the longest mean response time of each agent in seconds, from the design
// document.
func agentLimits() map[string]float64 {
	t := scaling.DesignThresholds().Agents
	return map[string]float64{"mca": t.MCACoordination.Seconds(), "npa": t.NPACalculation.Seconds(), "wpa": t.WPAGeneration.Seconds()}
}

// agentFindings judges the requests and the coordinations of every pod of the services.
func agentFindings(o objects, m metrics) (findings []Finding, figures []Figure) {
	for _, service := range scaling.Services() {
		for _, pod := range m.podsOfApp(service.Name) {
			findings = append(findings, o.workFindings(service.ShortName, pod)...)
			for _, evaluate := range []func(podMetrics) ([]Finding, []Figure){o.coordinationFindings, o.upstreamFindings} {
				found, measured := evaluate(pod)
				findings, figures = append(findings, found...), append(figures, measured...)
			}
		}
	}
	for _, f := range o.failures {
		figures = append(figures, Figure{Agents, "failed coordination " + f.RequestID, f.String()})
	}
	for i := range findings {
		findings[i].Check = Agents
	}
	return findings, figures
}

// workFindings judges the requests that a pod served: their errors and their mean duration.
func (o objects) workFindings(service string, p podMetrics) (findings []Finding) {
	limit := scaling.DesignThresholds().Web.ErrorRate
	requests := p.sum("http_requests_total", isWork)
	failed := p.sum("http_requests_total", func(l map[string]string) bool { return isWork(l) && strings.HasPrefix(l["status"], "5") })
	if share := 100 * failed / requests; requests >= minRequests && share > float64(limit) {
		findings = append(findings, Finding{
			Name: "requests-failing", Where: "pod/" + p.pod, Evidence: fmt.Sprintf("%.1f %% of %.0f requests %s have a status 5xx", share, requests, p.period()), Threshold: limit.String(),
			Cause: service + ", or a store or an agent that it needs, fails", Fix: "docs/runbooks/alerts.md#errorratehigh", Next: o.kubectlCommand("logs --since=10m " + p.pod),
		})
	}
	count, seconds := p.sum("http_request_duration_seconds_count", isWork), p.sum("http_request_duration_seconds_sum", isWork)
	if maxMean := agentLimits()[service]; maxMean > 0 && count >= minRequests && seconds/count > maxMean {
		findings = append(findings, Finding{
			Name: "agent-slow", Where: "pod/" + p.pod, Evidence: fmt.Sprintf("a mean of %s over %.0f requests %s", formatMilliseconds(seconds/count), count, p.period()), Threshold: formatMilliseconds(maxMean),
			Cause: "the agent has too little CPU, or waits for a store", Fix: "see pod-throttled and hpa-at-maximum; docs/runbooks/alerts.md#responsesslow", Next: o.kubectlCommand("top pods --containers --sort-by=cpu"),
		})
	}
	return findings
}

// coordinationFindings judges the outcomes of mca's coordinations, and the length of its queue.
func (o objects) coordinationFindings(p podMetrics) (findings []Finding, figures []Figure) {
	limit := scaling.DesignThresholds().Web.ErrorRate
	outcomes := p.sumBy("agent_coordination_requests_total", "outcome")
	total := 0.
	for _, n := range outcomes {
		total += n
	}
	if unsuccessful := outcomes["failed"] + outcomes["partial"]; total >= minRequests && 100*unsuccessful/total > float64(limit) {
		findings = append(findings, Finding{
			Name: "coordinations-failing", Where: "pod/" + p.pod, Threshold: limit.String(),
			Evidence: fmt.Sprintf("%.0f failed and %.0f partial of %.0f coordinations %s%s", outcomes["failed"], outcomes["partial"], total, p.period(), o.describeFailedRequests(p.pod)),
			Cause:    "npa or wpa fails or is too slow for mca's deadline", Fix: "see breaker-open, agent-requests-failing and agent-slow", Next: o.kubectlCommand("logs --since=10m " + p.pod + " | grep coordination"),
		})
	}
	maxDepth := scaling.DesignThresholds().Application.QueueDepth
	depth, exists := p.value("agent_coordination_queue_depth")
	if exists {
		figures = append(figures, Figure{Agents, "pod/" + p.pod + " queue", fmt.Sprintf("%.0f of %d coordinations wait", depth, maxDepth)})
	}
	if exists && 100*depth >= float64(minLongQueue)*float64(maxDepth) {
		findings = append(findings, Finding{
			Name: "coordination-queue-long", Where: "pod/" + p.pod, Evidence: fmt.Sprintf("%.0f coordinations wait for a session", depth), Threshold: fmt.Sprintf("%s of %d", minLongQueue, maxDepth),
			Cause: "more coordinations arrive than npa and wpa can process", Fix: "docs/runbooks/alerts.md#queuefull", Next: o.kubectlCommand("get hpa"),
		})
	}
	return findings, figures
}

// upstreamFindings judges the requests of a pod of mca to each agent: the errors, the circuit
// breaker, and how many requests were sent twice.
func (o objects) upstreamFindings(p podMetrics) (findings []Finding, figures []Figure) {
	responses := p.sumBy("agent_request_duration_seconds_count", "upstream")
	for _, agent := range slices.Sorted(maps.Keys(responses)) {
		toAgent := func(l map[string]string) bool { return l["upstream"] == agent }
		var (
			where   = "pod/" + p.pod + " to " + agent
			failed  = p.sum("agent_request_failures_total", func(l map[string]string) bool { return toAgent(l) && l["reason"] != "refused" })
			hedged  = p.sum("agent_request_hedges_total", toAgent)
			total   = responses[agent] + failed
			breaker = p.sum("agent_breaker_state", toAgent)
			reasons []string
		)
		for _, s := range p.samples {
			if s.name == "agent_request_failures_total" && toAgent(s.labels) && s.value > 0 {
				reasons = append(reasons, fmt.Sprintf("%.0f %s", s.value, s.labels["reason"]))
			}
		}
		slices.Sort(reasons)
		mean := p.sum("agent_request_duration_seconds_sum", toAgent) / responses[agent]
		if math.IsNaN(mean) {
			mean = 0
		}
		figures = append(figures, Figure{Agents, where, fmt.Sprintf("%.0f requests %s, mean %s, %.0f failed, %.0f sent twice, breaker %s", total, p.period(), formatMilliseconds(mean), failed, hedged, breakerName(breaker))})
		if breakerName(breaker) == "open" {
			findings = append(findings, Finding{
				Name: "breaker-open", Where: where, Evidence: "the breaker is open: " + strings.Join(reasons, ", ") + " " + p.period(), Threshold: "closed",
				Cause: "the last requests of mca to the agent failed, so mca sends it no or few requests", Fix: "repair the agent; then the circuit breaker closes by itself", Next: o.kubectlCommand("get pods -l app=" + agent),
			})
			continue
		}
		if share := 100 * failed / total; total >= minRequests && share > float64(scaling.DesignThresholds().Web.ErrorRate) {
			findings = append(findings, Finding{
				Name: "agent-requests-failing", Where: where, Evidence: fmt.Sprintf("%.1f %% of %.0f requests %s failed: %s", share, total, p.period(), strings.Join(reasons, ", ")), Threshold: scaling.DesignThresholds().Web.ErrorRate.String(),
				Cause: "the agent fails, is too slow, or can't be reached", Fix: "see the agent's own findings; docs/runbooks/alerts.md#agentrequestsslow", Next: o.kubectlCommand("logs --since=10m " + p.pod),
			})
		}
		if limit := scaling.DesignThresholds().Agents.InterAgent; responses[agent] >= minRequests && mean > limit.Seconds() {
			findings = append(findings, Finding{
				Name: "agent-latency-high", Where: where, Evidence: fmt.Sprintf("a mean of %s over %.0f responses %s", formatMilliseconds(mean), responses[agent], p.period()), Threshold: formatMilliseconds(limit.Seconds()),
				Cause: "the agent works for longer than mca expects, or the network between the pods is slow", Fix: "see agent-slow of the agent; without it, compare the zones of the pods; docs/runbooks/alerts.md#agentrequestsslow", Next: o.kubectlCommand("get pods -o wide -l 'app in (" + scaling.MCA().Name + "," + agent + ")'"),
			})
		}
		if share := 100 * hedged / total; total >= minRequests && share > maxHedged {
			findings = append(findings, Finding{
				Name: "agent-hedged", Where: where, Evidence: fmt.Sprintf("%.1f %% of %.0f requests %s were sent twice", share, total, p.period()), Threshold: fmt.Sprintf("%d %%", maxHedged),
				Cause: "some pods of the agent are much slower than the others, or fail", Fix: "compare its pods: CPU, restarts, and the zone of their nodes", Next: o.kubectlCommand("top pods --containers --sort-by=cpu"),
			})
		}
	}
	return findings, figures
}

// breakerName returns the name of a value of the metric agent_breaker_state, or "" for an unknown
// value.
func breakerName(state float64) string {
	return map[float64]string{0: "closed", 1: "half-open", 2: "open"}[state]
}
