package kubernetes

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// maxReasons is how many pods' reasons are told: those of a workload are
// mostly the same.
const maxReasons = 5

// reasons explains why an object is not ready: the object, what its status
// says, its conditions that are not as they should be, and why its pods wait.
func reasons(ctx context.Context, cl *cluster, t *target, live *unstructured.Unstructured, what string, v verdict) []string {
	// The call may have ended; what is left to say is worth a few seconds.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookLimit)
	defer cancel()
	lines := []string{fmt.Sprintf("%s %s: %s", t.title(), what, v.message)}
	for _, c := range conditions(live) {
		if text(c, "status") == "False" && text(c, "message") != "" {
			lines = append(lines, fmt.Sprintf("condition %s is False (%s): %s", text(c, "type"), text(c, "reason"), text(c, "message")))
		}
	}
	return append(lines, podReasons(ctx, cl, live)...)
}

// podReasons says why the pods of a workload, or a pod itself, are not ready.
func podReasons(ctx context.Context, cl *cluster, live *unstructured.Unstructured) []string {
	if live.GetKind() == "Pod" {
		return troubles(live)
	}
	selector, ok := lookup(live.Object, "spec", "selector")
	if !ok || live.GroupVersionKind().Group != "apps" && live.GroupVersionKind().Group != "batch" {
		return nil
	}
	chosen, err := labelSelector(selector)
	if err != nil {
		return nil
	}
	client, err := cl.client(ctx, schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, live.GetNamespace())
	if err != nil {
		return nil
	}
	pods, err := client.List(ctx, metav1.ListOptions{LabelSelector: chosen.String(), Limit: 100})
	if err != nil {
		return nil
	}
	var lines []string
	byTrouble := map[string]int{}
	for i := range pods.Items {
		pod := &pods.Items[i]
		for _, trouble := range troubles(pod) {
			_, same, _ := strings.Cut(trouble, ": ")
			if byTrouble[same]++; byTrouble[same] == 1 {
				lines = append(lines, trouble)
			}
		}
	}
	for i, line := range lines {
		if _, same, _ := strings.Cut(line, ": "); byTrouble[same] > 1 {
			lines[i] += fmt.Sprintf(" (and %d pods more)", byTrouble[same]-1)
		}
	}
	slices.Sort(lines)
	if more := len(lines) - maxReasons; more > 0 {
		lines = append(lines[:maxReasons], fmt.Sprintf("and %d more", more))
	}
	return lines
}

func labelSelector(value any) (labels.Selector, error) {
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%v is no label selector", value)
	}
	s := &metav1.LabelSelector{}
	matched, _, err := unstructured.NestedStringMap(fields, "matchLabels")
	if err != nil {
		return nil, err
	}
	s.MatchLabels = matched
	expressions, _, _ := unstructured.NestedSlice(fields, "matchExpressions")
	for _, item := range expressions {
		e, ok := item.(map[string]any)
		if !ok {
			continue
		}
		values, _, _ := unstructured.NestedStringSlice(e, "values")
		s.MatchExpressions = append(s.MatchExpressions, metav1.LabelSelectorRequirement{
			Key: text(e, "key"), Operator: metav1.LabelSelectorOperator(text(e, "operator")), Values: values,
		})
	}
	return metav1.LabelSelectorAsSelector(s)
}

// troubles are why a pod's containers do not run, each beginning with the
// pod's name.
func troubles(pod *unstructured.Unstructured) []string {
	var lines []string
	say := func(format string, args ...any) {
		lines = append(lines, "pod "+pod.GetName()+": "+fmt.Sprintf(format, args...))
	}
	for _, c := range conditions(pod) {
		if text(c, "type") == "PodScheduled" && text(c, "status") == "False" {
			say("not scheduled: %s", text(c, "message"))
		}
	}
	for _, group := range []string{"initContainerStatuses", "containerStatuses"} {
		statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", group)
		for _, item := range statuses {
			s, ok := item.(map[string]any)
			if !ok {
				continue
			}
			name := text(s, "name")
			if reason := text(s, "state", "waiting", "reason"); reason != "" && reason != "ContainerCreating" && reason != "PodInitializing" {
				say("container %s waits: %s", name, joined(reason, text(s, "state", "waiting", "message"), last(s, "lastState")))
			} else if ended := last(s, "state"); ended != "" {
				say("container %s: %s", name, ended)
			}
		}
	}
	return lines
}

// last says how a container ended, if it did and not well.
func last(status map[string]any, state string) string {
	code, ok := lookup(status, state, "terminated", "exitCode")
	if !ok || code == int64(0) {
		return ""
	}
	return joined(fmt.Sprintf("exit code %v", code), text(status, state, "terminated", "reason"), text(status, state, "terminated", "message"))
}

func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}
