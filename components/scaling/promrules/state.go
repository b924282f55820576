package promrules

import (
	"fmt"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
)

// Values of the label job.
const (
	// StateJob is the job of kube-state-metrics.
	StateJob = "kube-state-metrics"
	// ContainersJob is the job that scrapes the CPU and memory of containers from the kubelets.
	ContainersJob = "containers"
	// ThrottlingJob is the job that scrapes the counts of throttled CPU periods from cAdvisor.
	ThrottlingJob = "throttling"
	// StoresJob is the job of the stores in the cluster.
	StoresJob = "stores"
)

// stateAlerts returns the alerts that compare the desired state of pods and autoscalers with their
// actual state.
func stateAlerts(in Input, t scaling.Thresholds) []alert {
	all := []alert{{
		name: "StateNotScraped", severity: Ticket, service: StateJob,
		value: fmt.Sprintf(`(sum(up{job=%q}) or vector(0))`, StateJob), compare: "<", limit: 1, forDuration: 5 * time.Minute,
		summary: "the state of pods and autoscalers is unknown, so that their alerts can't fire",
	}}
	for _, p := range in.Services {
		pods := workload{in.Namespace, p.Name + "-[a-z0-9]+-[a-z0-9]+"}
		hpaSeries := func(series string) string {
			return fmt.Sprintf(`kube_horizontalpodautoscaler_%s{namespace=%q,horizontalpodautoscaler=%q}`, series, in.Namespace, p.HPA.Name)
		}
		tier, cpu, memory := "application_tier", t.Application.CPU, t.Application.Memory
		if p.NodeTier == scaling.WebTier {
			tier, cpu, memory = "web_tier", t.Web.CPU, t.Web.Memory
		}
		minPods, atMaximumExpr := p.Floor, ""
		if p.Autoscaled {
			minPods = p.HPA.MinReplicas
			// CPUHigh needs this condition. While the HPA can still add pods, it keeps the CPU near the
			// threshold of CPUHigh, and the alert would fire although nothing is wrong.
			atMaximumExpr = fmt.Sprintf("on () %s >= %s", hpaSeries("status_desired_replicas"), hpaSeries("spec_max_replicas"))
			all = append(all, alert{
				name: "AutoscalerBlind", severity: Ticket,
				value:   fmt.Sprintf(`max(kube_horizontalpodautoscaler_status_condition{namespace=%q,horizontalpodautoscaler=%q,condition="ScalingActive",status="false"})`, in.Namespace, p.HPA.Name),
				compare: ">", limit: 0, forDuration: 5 * time.Minute,
				summary: "the autoscaler can't compute its number of pods",
			}.forService(p))
		}
		all = append(all, alert{
			name: "PodsBelowMinimum", severity: Page,
			value:   fmt.Sprintf(`sum(kube_deployment_status_replicas_ready{namespace=%q,deployment=%q})`, in.Namespace, p.Name),
			compare: "<", limit: float64(minPods), forDuration: 10 * time.Minute,
			summary: fmt.Sprintf("fewer than %d pods are ready", minPods),
		}.forService(p), alert{
			name: "ContainersRestart", severity: Ticket,
			value:   fmt.Sprintf(`sum(increase(kube_pod_container_status_restarts_total{%s}[15m]))`, pods),
			compare: ">", limit: scaling.MaxRestarts,
			summary: fmt.Sprintf("more than %d containers restarted in 15 minutes", scaling.MaxRestarts),
		}.forService(p), alert{
			name: "CPUHigh", severity: Ticket, threshold: tier + ".cpu_threshold",
			value: pods.cpuShare("requests"), compare: ">", limit: toRatio(cpu), condition: atMaximumExpr, forDuration: sustained,
			summary: fmt.Sprintf("the pods use more than %s of their CPU requests, and no further pod may start", cpu),
		}.forService(p), alert{
			name: "MemoryHigh", severity: Ticket, threshold: tier + ".memory_threshold",
			value: pods.maxMemoryShare(), compare: ">", limit: toRatio(memory), forDuration: sustained,
			summary: fmt.Sprintf("a container uses more than %s of its memory limit; at the limit it is killed", memory),
		}.forService(p))
	}
	for _, name := range in.Stores {
		pods := workload{in.Namespace, name + "-[0-9]+"}
		all = append(all, alert{
			name: "CPUHigh", severity: Ticket, service: name, threshold: "database_tier.cpu_threshold",
			value: pods.cpuShare("limits"), compare: ">", limit: toRatio(t.Database.CPU), forDuration: sustained,
			summary: fmt.Sprintf("the pods use more than %s of their CPU limits", t.Database.CPU),
		}, alert{
			name: "MemoryHigh", severity: Ticket, service: name, threshold: "database_tier.memory_threshold",
			value: pods.maxMemoryShare(), compare: ">", limit: toRatio(t.Database.Memory), forDuration: sustained,
			summary: fmt.Sprintf("a container uses more than %s of its memory limit; at the limit it is killed", t.Database.Memory),
		})
	}
	return all
}

// workload selects the pods of a Deployment or a StatefulSet. podPattern is a regular expression
// for the names of the pods.
type workload struct{ namespace, podPattern string }

// String returns the label matchers of the pods. There is no matcher for the container. So the
// matchers also select the series that kube-state-metrics has for containers that never started.
func (w workload) String() string {
	return fmt.Sprintf(`namespace=%q,pod=~%q`, w.namespace, w.podPattern)
}

// cpuShare returns the expression for the CPU that the pods use, as a share of their requests or
// limits. bound is "requests" or "limits".
func (w workload) cpuShare(bound string) string {
	return fmt.Sprintf(`sum(rate(container_cpu_usage_seconds_total{%[1]s}[%[2]s])) / sum(kube_pod_container_resource_%[3]s{%[1]s,resource="cpu"})`, w, rateWindow, bound)
}

// maxMemoryShare returns the expression for the memory of the fullest container, as a share of the
// container's memory limit.
func (w workload) maxMemoryShare() string {
	return fmt.Sprintf(`max(container_memory_working_set_bytes{%[1]s} / on (pod, container) kube_pod_container_resource_limits{%[1]s,resource="memory"})`, w)
}
