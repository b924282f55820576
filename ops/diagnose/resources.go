package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/kubeclient"
)

const (
	// maxUsage is the highest share of a limit that a container may use. Above it, the report of the
	// design document (generate_performance_report) recommends more CPU or memory. maxMemoryUsage has
	// other shares for the memory of services and stores.
	maxUsage = scaling.Percent(80)
	// maxFaultAge is how long the end of a container, or a failed activity, stays a finding. After
	// that, somebody has repaired the fault, or an alert has fired.
	maxFaultAge = time.Hour
	// startLimit is how long a pod may run before it is ready: twice the longest startup probe of
	// the services.
	startLimit = 2 * time.Minute
)

// resourceFindings judges pods, Deployments and nodes.
func resourceFindings(o objects) (findings []Finding) {
	for _, pod := range o.pods {
		findings = append(findings, o.podFindings(pod)...)
	}
	findings = append(findings, o.throttledFindings()...)
	findings = append(findings, o.usageFindings()...)
	for _, d := range o.deployments {
		for _, c := range d.Status.Conditions {
			if c.Type == "Progressing" && c.Reason == "ProgressDeadlineExceeded" {
				findings = append(findings, Finding{
					Name: "rollout-stuck", Where: "deployment/" + d.Name,
					Evidence: fmt.Sprintf("%d of %d pods are updated, %d ready%s: %s", d.Status.UpdatedReplicas, d.Status.Replicas, d.Status.ReadyReplicas, formatSince(c.LastTransitionTime), c.Message),
					Cause:    "the pods of the new version do not become ready", Fix: "see the findings of its pods; if there are none, roll back: docs/runbooks/rollback.md",
					Next: o.kubectlCommand("rollout history deployment/" + d.Name),
				})
			}
		}
	}
	for _, node := range o.nodes {
		findings = append(findings, nodeFindings(node)...)
	}
	for i := range findings {
		findings[i].Check = Resources
	}
	return findings
}

// kubectlCommand returns a kubectl command for the namespace of the platform.
func (o objects) kubectlCommand(command string) string {
	return "kubectl -n " + o.namespace + " " + command
}

// podFindings returns the findings of one pod. It reports pod-not-ready only if no other finding
// explains why the pod is not ready.
func (o objects) podFindings(pod corev1.Pod) (findings []Finding) {
	if pod.Status.Phase == corev1.PodSucceeded || pod.DeletionTimestamp != nil {
		return nil
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return []Finding{{
				Name: "pod-unschedulable", Where: "pod/" + pod.Name, Evidence: c.Reason + formatSince(c.LastTransitionTime) + ": " + c.Message,
				Cause: "no node has enough free CPU or memory, or the labels or the zone that the pod needs",
				Fix:   "raise tiers.NAME.max, or lower services.NAME.min; on the sandbox, free memory of the machine",
				Next:  o.kubectlCommand("describe pod " + pod.Name),
			}}
		}
	}
	for _, c := range containerStatuses(pod) {
		if f, found := o.containerFinding(pod, c); found {
			findings = append(findings, f)
		}
	}
	if len(findings) > 0 || pod.Status.Phase != corev1.PodRunning {
		return findings
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionFalse && o.now.Sub(c.LastTransitionTime.Time) > startLimit {
			findings = append(findings, Finding{
				Name: "pod-not-ready", Where: "pod/" + pod.Name,
				Evidence:  fmt.Sprintf("not ready for %s: %s", o.now.Sub(c.LastTransitionTime.Time).Round(time.Second), c.Message),
				Threshold: startLimit.String(), Cause: "the readiness probe fails: a store that the service needs is not reachable, or the service is overloaded",
				Fix: "read the probe's message and the log; docs/faults.md has the effect of each store's failure", Next: o.kubectlCommand("logs --tail=50 " + pod.Name),
			})
		}
	}
	return findings
}

// formatSince returns a text with the time since which a condition exists. It returns "" if the
// time is not set.
func formatSince(t metav1.Time) string {
	if t.IsZero() {
		return ""
	}
	return " since " + t.UTC().Format(time.RFC3339)
}

// notReadySince returns a text with the time since which a pod is not ready. It returns "" for a
// ready pod.
func notReadySince(pod corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionFalse {
			return formatSince(c.LastTransitionTime)
		}
	}
	return ""
}

// containerStatuses returns the states of a pod's init containers and containers.
func containerStatuses(pod corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
}

// lastTermination returns the newest termination of a container, or nil if it has never ended.
func lastTermination(c corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if c.State.Terminated != nil {
		return c.State.Terminated
	}
	return c.LastTerminationState.Terminated
}

// containerFinding returns the finding with the most specific cause for the state of a container. It
// returns false if the state is not a fault.
func (o objects) containerFinding(pod corev1.Pod, c corev1.ContainerStatus) (Finding, bool) {
	where := "pod/" + pod.Name + "/" + c.Name
	ended := lastTermination(c)
	endedRecently := ended != nil && o.now.Sub(ended.FinishedAt.Time) < maxFaultAge
	waiting := ""
	if c.State.Waiting != nil {
		waiting = c.State.Waiting.Reason
	}
	switch {
	case endedRecently && ended.Reason == "OOMKilled":
		limit := "no limit"
		for _, spec := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
			if quantity, exists := spec.Resources.Limits[corev1.ResourceMemory]; exists && spec.Name == c.Name {
				limit = quantity.String()
			}
		}
		return Finding{
			Name: "pod-out-of-memory", Where: where, Threshold: limit,
			Evidence: fmt.Sprintf("OOMKilled at %s, exit code %d, %d restarts", ended.FinishedAt.UTC().Format(time.RFC3339), ended.ExitCode, c.RestartCount) + o.describeLastLines(pod.Name, c.Name),
			Cause:    "the container needed more memory than its limit", Fix: memoryFix(pod.Labels["app"]) + ", or find the leak: see the runbook of this finding",
			Next: o.kubectlCommand("logs --previous --tail=50 " + pod.Name + " -c " + c.Name),
		}, true
	case waiting == "ErrImagePull" || waiting == "ImagePullBackOff" || waiting == "InvalidImageName":
		return Finding{
			Name: "image-not-pulled", Where: where, Evidence: waiting + notReadySince(pod) + ": " + c.Image + ": " + c.State.Waiting.Message,
			Cause: "the registry does not have the image, or the node has no permission to read it", Fix: "run pulumi up, which pushes the image; check the node role's permission for ECR",
			Next: o.kubectlCommand("describe pod " + pod.Name),
		}, true
	case waiting == "CreateContainerConfigError" || waiting == "CreateContainerError":
		return Finding{
			Name: "pod-configuration-invalid", Where: where, Evidence: waiting + notReadySince(pod) + ": " + c.State.Waiting.Message,
			Cause: "a Secret, a ConfigMap or a key that the pod names does not exist", Fix: "run pulumi up, which creates the missing object; it overwrites manual changes",
			Next: o.kubectlCommand("get secrets,configmaps"),
		}, true
	// Between two starts, the kubelet reports either the end of the container or the wait for its
	// next start.
	case waiting == "CrashLoopBackOff", c.State.Terminated != nil && c.State.Terminated.ExitCode != 0 && c.RestartCount > 0:
		evidence := fmt.Sprintf("%d restarts", c.RestartCount)
		if ended != nil {
			evidence += fmt.Sprintf(", the last at %s with exit code %d (%s) %s", ended.FinishedAt.UTC().Format(time.RFC3339), ended.ExitCode, ended.Reason, strings.TrimSpace(ended.Message))
			evidence = strings.TrimSpace(evidence)
		}
		evidence += o.describeLastLines(pod.Name, c.Name)
		return Finding{
			Name: "pod-crash-loop", Where: where, Evidence: evidence,
			Cause: "the program ends at its start: an environment variable is invalid, or a store that it needs is not reachable", Fix: "read the last lines of its log; if a release caused it, roll back: docs/runbooks/rollback.md",
			Next: o.kubectlCommand("logs --previous --tail=50 " + pod.Name + " -c " + c.Name),
		}, true
	case c.RestartCount > scaling.MaxRestarts && endedRecently && ended.ExitCode != 0:
		return Finding{
			Name: "pod-restarts", Where: where, Threshold: fmt.Sprintf("at most %d restarts", scaling.MaxRestarts),
			Evidence: fmt.Sprintf("%d restarts, the last at %s with exit code %d (%s)", c.RestartCount, ended.FinishedAt.UTC().Format(time.RFC3339), ended.ExitCode, ended.Reason) + o.describeLastLines(pod.Name, c.Name),
			Cause:    "the program fails from time to time, or its liveness probe does", Fix: "read the log of the ended container",
			Next: o.kubectlCommand("logs --previous --tail=50 " + pod.Name + " -c " + c.Name),
		}, true
	}
	return Finding{}, false
}

// podsWithoutUsage returns the ready pods without CPU and memory in metrics-server, as one missing
// item. A pod that is younger than metricDelay is not in the result, because it has no values yet.
func (o objects) podsWithoutUsage() []Missing {
	if !o.podsRead || !o.usageRead {
		return nil // the list itself is reported as missing
	}
	var pods []string
	for _, pod := range o.pods {
		isNew := pod.Status.StartTime != nil && o.now.Sub(pod.Status.StartTime.Time) < metricDelay
		hasUsage := slices.ContainsFunc(o.usage, func(u metricsv1beta1.PodMetrics) bool { return u.Name == pod.Name })
		if kubeclient.IsReady(pod) && !isNew && !hasUsage {
			pods = append(pods, "pod/"+pod.Name)
		}
	}
	if len(pods) == 0 {
		return nil
	}
	slices.Sort(pods)
	return []Missing{{Resources, "CPU and memory of " + joinNames(pods, 5), "metrics.k8s.io has no entry of them, so they are not judged"}}
}

// usageFindings compares the CPU and memory of each container with its limits.
func (o objects) usageFindings() (findings []Finding) {
	specs, apps := map[string]corev1.Container{}, map[string]string{}
	for _, pod := range o.pods {
		apps[pod.Name] = pod.Labels["app"]
		for _, c := range pod.Spec.Containers {
			specs[pod.Name+"/"+c.Name] = c
		}
	}
	for _, pod := range o.usage {
		for _, c := range pod.Containers {
			spec := specs[pod.Name+"/"+c.Name]
			for _, r := range []struct {
				name             corev1.ResourceName
				finding          string
				maxShare         scaling.Percent
				cause, fix, next string
			}{
				{corev1.ResourceCPU, "pod-cpu-near-limit", maxUsage, "the container will be throttled if its work grows further", "more pods (services.NAME.max), or a higher limit in components/scaling/services.go", "top pods --containers --sort-by=cpu"},
				{corev1.ResourceMemory, "pod-memory-near-limit", maxMemoryUsage(apps[pod.Name]), "the container will be killed soon if its memory grows further", memoryFix(apps[pod.Name]) + ", or find the leak", "top pods --containers --sort-by=memory"},
			} {
				if _, throttled := o.throttled[containerName{pod.Name, c.Name}]; throttled && r.name == corev1.ResourceCPU {
					continue // the finding pod-throttled explains more
				}
				used, limit := c.Usage[r.name], spec.Resources.Limits[r.name]
				if share := usagePercent(used, limit); share > float64(r.maxShare) {
					findings = append(findings, Finding{
						Name: r.finding, Where: "pod/" + pod.Name + "/" + c.Name, Evidence: fmt.Sprintf("uses %s of %s (%.0f %%)", used.String(), limit.String(), share),
						Threshold: fmt.Sprintf("%d %% of the limit", r.maxShare), Cause: r.cause, Fix: r.fix, Next: o.kubectlCommand(r.next),
					})
				}
			}
		}
	}
	return findings
}

// maxUsageFigures is the largest number of containers in the figures of one resource: CPU or memory.
const maxUsageFigures = 5

// usageFigures lists the containers that use the most CPU and memory, with their requests and
// limits.
func (o objects) usageFigures() (figures []Figure) {
	specs := map[string]corev1.Container{}
	for _, pod := range o.pods {
		for _, c := range pod.Spec.Containers {
			specs[pod.Name+"/"+c.Name] = c
		}
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		type use struct {
			where string
			used  resource.Quantity
		}
		var uses []use
		for _, pod := range o.usage {
			for _, c := range pod.Containers {
				uses = append(uses, use{pod.Name + "/" + c.Name, c.Usage[name]})
			}
		}
		slices.SortFunc(uses, func(a, b use) int { return cmp.Or(b.used.Cmp(a.used), cmp.Compare(a.where, b.where)) })
		for _, u := range uses[:min(maxUsageFigures, len(uses))] {
			r := specs[u.where].Resources
			request, limit := r.Requests[name], r.Limits[name]
			figures = append(figures, Figure{Resources, string(name) + " of pod/" + u.where, fmt.Sprintf("%s, request %s, limit %s", formatQuantity(name, u.used), formatQuantity(name, request), formatQuantity(name, limit))})
		}
	}
	return figures
}

// formatQuantity returns CPU as text in thousandths of a core, and memory in MiB. It returns "none"
// for zero.
func formatQuantity(name corev1.ResourceName, q resource.Quantity) string {
	switch {
	case q.IsZero():
		return "none"
	case name == corev1.ResourceMemory:
		return fmt.Sprintf("%d MiB", q.Value()>>20)
	}
	return fmt.Sprintf("%dm", q.MilliValue())
}

// usagePercent returns the used percentage of the limit. It is 0 without a limit.
func usagePercent(used, limit resource.Quantity) float64 {
	if limit.IsZero() {
		return 0
	}
	return 100 * used.AsApproximateFloat64() / limit.AsApproximateFloat64()
}

// maxMemoryUsage returns the highest share of its memory limit that a container may use, by the label
// app of its pod. The alert MemoryHigh has the same thresholds.
func maxMemoryUsage(app string) scaling.Percent {
	t := scaling.DesignThresholds()
	if app == redisApp || app == postgresApp {
		return t.Database.Memory
	}
	for _, service := range scaling.Services() {
		switch {
		case service.Name == app && service.NodeTier == scaling.WebTier:
			return t.Web.Memory
		case service.Name == app:
			return t.Application.Memory
		}
	}
	return maxUsage
}

// memoryFix returns the text of a fix that raises the memory limit of a pod, by the label app of the
// pod.
func memoryFix(app string) string {
	if app == redisApp || app == postgresApp {
		return "raise " + map[string]string{redisApp: "redis.memoryMiB", postgresApp: "postgres.memoryMiB"}[app]
	}
	return "raise Resources in components/scaling/services.go"
}

// nodeFindings judges the conditions of one node.
func nodeFindings(node corev1.Node) (findings []Finding) {
	for _, c := range node.Status.Conditions {
		next := "kubectl describe node " + node.Name
		switch {
		case c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue:
			findings = append(findings, Finding{
				Name: "node-not-ready", Where: "node/" + node.Name, Evidence: c.Reason + formatSince(c.LastTransitionTime) + ": " + c.Message,
				Cause: "its kubelet does not report: the instance is ending, or has no network", Fix: "wait until the Auto Scaling group replaces the node; if it does not, see docs/runbooks/upgrade.md", Next: next,
			})
		case (c.Type == corev1.NodeMemoryPressure || c.Type == corev1.NodeDiskPressure || c.Type == corev1.NodePIDPressure) && c.Status == corev1.ConditionTrue:
			findings = append(findings, Finding{
				Name: "node-pressure", Where: "node/" + node.Name, Evidence: string(c.Type) + formatSince(c.LastTransitionTime) + ": " + c.Message,
				Cause: "the pods on the node use more than they request", Fix: "raise the requests of pods that use more than they request, or use a larger instance type for the tier", Next: next,
			})
		}
	}
	return findings
}
