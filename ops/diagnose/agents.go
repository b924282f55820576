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
	// sends the slowest 5 % twice (agents/internal/upstream), and never more than 10 %.
	maxHedged = 8
	// queueShare is the share of mca's queue from which a finding reports it.
	queueShare = scaling.Percent(50)
)

// isWork reports whether the labels are those of a request that does work: no probe, no scrape and
// no WebSocket.
func isWork(labels map[string]string) bool {
	route := labels["route"]
	return !strings.HasPrefix(route, "GET /health") && route != "GET /metrics" && route != "GET /ws" && route != "none"
}

// agentLimits returns the longest mean response time of each agent in seconds, from the design
// document.
func agentLimits() map[string]float64 {
	t := scaling.Targets().Agents
	return map[string]float64{"mca": t.MCACoordination.Seconds(), "npa": t.NPACalculation.Seconds(), "wpa": t.WPAGeneration.Seconds()}
}

// agentFindings judges the requests and the coordinations of every pod of the services.
func agentFindings(o objects, m metrics) (list []Finding, figures []Figure) {
	for _, service := range scaling.Services() {
		for _, p := range m.withApp(service.Name) {
			list = append(list, o.workFindings(service.Short, p)...)
			for _, part := range []func(podMetrics) ([]Finding, []Figure){o.coordinationFindings, o.upstreamFindings} {
				found, measured := part(p)
				list, figures = append(list, found...), append(figures, measured...)
			}
		}
	}
	for _, f := range o.failures {
		figures = append(figures, Figure{Agents, "failed coordination " + f.RequestID, f.String()})
	}
	for i := range list {
		list[i].Check = Agents
	}
	return list, figures
}

// workFindings judges the requests that a pod served: their errors and their mean duration.
func (o objects) workFindings(short string, p podMetrics) (list []Finding) {
	limit := scaling.Targets().Web.ErrorRate
	requests := p.sum("http_requests_total", isWork)
	failed := p.sum("http_requests_total", func(l map[string]string) bool { return isWork(l) && strings.HasPrefix(l["status"], "5") })
	if share := 100 * failed / requests; requests >= minRequests && share > float64(limit) {
		list = append(list, Finding{
			Name: "requests-failing", Where: "pod/" + p.pod, Evidence: fmt.Sprintf("%.1f %% of %.0f requests %s have a status 5xx", share, requests, p.since()), Threshold: limit.String(),
			Cause: short + ", or a store or an agent that it needs, fails", Fix: "docs/runbooks/alerts.md#errorratehigh", Next: o.kubectl("logs --since=10m " + p.pod),
		})
	}
	count, seconds := p.sum("http_request_duration_seconds_count", isWork), p.sum("http_request_duration_seconds_sum", isWork)
	if most := agentLimits()[short]; most > 0 && count >= minRequests && seconds/count > most {
		list = append(list, Finding{
			Name: "agent-slow", Where: "pod/" + p.pod, Evidence: fmt.Sprintf("a mean of %s over %.0f requests %s", ms(seconds/count), count, p.since()), Threshold: ms(most),
			Cause: "the agent has too little CPU, or waits for a store", Fix: "see pod-throttled and hpa-at-maximum; docs/runbooks/alerts.md#responsesslow", Next: o.kubectl("top pods --containers --sort-by=cpu"),
		})
	}
	return list
}

// coordinationFindings judges the outcomes of mca's coordinations, and the length of its queue.
func (o objects) coordinationFindings(p podMetrics) (list []Finding, figures []Figure) {
	limit := scaling.Targets().Web.ErrorRate
	outcomes := p.by("agent_coordination_requests_total", "outcome")
	total := 0.
	for _, n := range outcomes {
		total += n
	}
	if bad := outcomes["failed"] + outcomes["partial"]; total >= minRequests && 100*bad/total > float64(limit) {
		list = append(list, Finding{
			Name: "coordinations-failing", Where: "pod/" + p.pod, Threshold: limit.String(),
			Evidence: fmt.Sprintf("%.0f failed and %.0f partial of %.0f coordinations %s%s", outcomes["failed"], outcomes["partial"], total, p.since(), o.failedRequests(p.pod)),
			Cause:    "npa or wpa fails or is too slow for mca's deadline", Fix: "see breaker-open, agent-requests-failing and agent-slow", Next: o.kubectl("logs --since=10m " + p.pod + " | grep coordination"),
		})
	}
	most := scaling.Targets().Application.QueueDepth
	depth, exists := p.value("agent_coordination_queue_depth")
	if exists {
		figures = append(figures, Figure{Agents, "pod/" + p.pod + " queue", fmt.Sprintf("%.0f of %d coordinations wait", depth, most)})
	}
	if exists && 100*depth >= float64(queueShare)*float64(most) {
		list = append(list, Finding{
			Name: "coordination-queue-long", Where: "pod/" + p.pod, Evidence: fmt.Sprintf("%.0f coordinations wait for a session", depth), Threshold: fmt.Sprintf("%s of %d", queueShare, most),
			Cause: "more coordinations arrive than npa and wpa can process", Fix: "docs/runbooks/alerts.md#queuefull", Next: o.kubectl("get hpa"),
		})
	}
	return list, figures
}

// upstreamFindings judges the requests of a pod of mca to each agent: errors, the breaker, and how
// many were sent twice.
func (o objects) upstreamFindings(p podMetrics) (list []Finding, figures []Figure) {
	answered := p.by("agent_request_duration_seconds_count", "upstream")
	for _, agent := range slices.Sorted(maps.Keys(answered)) {
		isAgent := func(l map[string]string) bool { return l["upstream"] == agent }
		var (
			where   = "pod/" + p.pod + " to " + agent
			failed  = p.sum("agent_request_failures_total", func(l map[string]string) bool { return isAgent(l) && l["reason"] != "refused" })
			hedged  = p.sum("agent_request_hedges_total", isAgent)
			total   = answered[agent] + failed
			breaker = p.sum("agent_breaker_state", isAgent)
			reasons []string
		)
		for _, s := range p.samples {
			if s.name == "agent_request_failures_total" && isAgent(s.labels) && s.value > 0 {
				reasons = append(reasons, fmt.Sprintf("%.0f %s", s.value, s.labels["reason"]))
			}
		}
		slices.Sort(reasons)
		mean := p.sum("agent_request_duration_seconds_sum", isAgent) / answered[agent]
		if math.IsNaN(mean) {
			mean = 0
		}
		figures = append(figures, Figure{Agents, where, fmt.Sprintf("%.0f requests %s, mean %s, %.0f failed, %.0f sent twice, breaker %s", total, p.since(), ms(mean), failed, hedged, breakerName(breaker))})
		if breaker == 2 {
			list = append(list, Finding{
				Name: "breaker-open", Where: where, Evidence: "the breaker is open: " + strings.Join(reasons, ", ") + " " + p.since(), Threshold: "closed",
				Cause: "the last requests of mca to the agent failed, so mca sends it no or few requests", Fix: "repair the agent; then the circuit breaker closes by itself", Next: o.kubectl("get pods -l app=" + agent),
			})
			continue
		}
		if share := 100 * failed / total; total >= minRequests && share > float64(scaling.Targets().Web.ErrorRate) {
			list = append(list, Finding{
				Name: "agent-requests-failing", Where: where, Evidence: fmt.Sprintf("%.1f %% of %.0f requests %s failed: %s", share, total, p.since(), strings.Join(reasons, ", ")), Threshold: scaling.Targets().Web.ErrorRate.String(),
				Cause: "the agent fails, is too slow, or can't be reached", Fix: "see the agent's own findings; docs/runbooks/alerts.md#agentrequestsslow", Next: o.kubectl("logs --since=10m " + p.pod),
			})
		}
		if limit := scaling.Targets().Agents.InterAgent; answered[agent] >= minRequests && mean > limit.Seconds() {
			list = append(list, Finding{
				Name: "agent-latency-high", Where: where, Evidence: fmt.Sprintf("a mean of %s over %.0f responses %s", ms(mean), answered[agent], p.since()), Threshold: ms(limit.Seconds()),
				Cause: "the agent works for longer than mca expects, or the network between the pods is slow", Fix: "see agent-slow of the agent; without it, compare the zones of the pods; docs/runbooks/alerts.md#agentrequestsslow", Next: o.kubectl("get pods -o wide -l 'app in (" + scaling.MCA().Name + "," + agent + ")'"),
			})
		}
		if share := 100 * hedged / total; total >= minRequests && share > maxHedged {
			list = append(list, Finding{
				Name: "agent-hedged", Where: where, Evidence: fmt.Sprintf("%.1f %% of %.0f requests %s were sent twice", share, total, p.since()), Threshold: fmt.Sprintf("%d %%", maxHedged),
				Cause: "some pods of the agent are much slower than the others, or fail", Fix: "compare its pods: CPU, restarts, and the zone of their nodes", Next: o.kubectl("top pods --containers --sort-by=cpu"),
			})
		}
	}
	return list, figures
}

// breakerName returns the name of a value of the metric agent_breaker_state.
func breakerName(state float64) string {
	return map[float64]string{0: "closed", 1: "half-open", 2: "open"}[state]
}
