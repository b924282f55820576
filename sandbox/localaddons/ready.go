package localaddons

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// readyTimeout limits the time until the addons are ready, and readyPause is the pause
// between two checks. CoreDNS starts within seconds. metrics-server is ready after two
// scrapes, with fifteen seconds between them. The limit allows for a busy machine.
const (
	readyTimeout = 5 * time.Minute
	readyPause   = 250 * time.Millisecond
)

// awaitReady waits until every Deployment is ready and the API server can reach the API of
// metrics-server.
func (c *apiClient) awaitReady(ctx context.Context, objects []*unstructured.Unstructured, detail func(string)) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		object, reason, err := c.firstNotReady(ctx, objects)
		if err != nil || object == nil {
			return err
		}
		description := describeObject(object) + ": " + reason
		detail(description)
		select {
		case <-ctx.Done():
			return c.timeoutError(context.WithoutCancel(ctx), object, description, ctx.Err())
		case <-time.After(readyPause):
		}
	}
}

// firstNotReady returns the first object that is not ready, and the reason. The object is
// nil if all objects are ready. If ctx ends during a request, firstNotReady returns the object of
// the request without a reason, and no error. awaitReady then returns the error.
func (c *apiClient) firstNotReady(ctx context.Context, objects []*unstructured.Unstructured) (notReady *unstructured.Unstructured, reason string, err error) {
	for _, object := range objects {
		reason, err := c.notReadyReason(ctx, object)
		if err != nil && ctx.Err() == nil {
			return nil, "", fmt.Errorf("%s: %w", describeObject(object), err)
		}
		if reason != "" || err != nil {
			return object, reason, nil
		}
	}
	return nil, "", nil
}

// notReadyReason returns the reason why an object is not ready, or "" if it is ready.
func (c *apiClient) notReadyReason(ctx context.Context, object *unstructured.Unstructured) (string, error) {
	findReason, ok := notReadyReasons[object.GetKind()]
	if !ok {
		return "", nil
	}
	current, err := c.resource(object).Get(ctx, object.GetName(), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return "was removed during the wait", nil
	case err != nil && isTransient(err):
		return err.Error(), nil
	case err != nil:
		return "", err
	}
	return findReason(current)
}

// notReadyReasons has a function for each kind of object that is not ready immediately. The function
// returns the reason why an object is not ready, or "" if it is ready.
var notReadyReasons = map[string]func(*unstructured.Unstructured) (string, error){
	"Deployment": func(o *unstructured.Unstructured) (string, error) {
		computed, err := status.Compute(o)
		if err != nil {
			return "", err
		}
		if computed.Status == status.CurrentStatus {
			return "", nil
		}
		return computed.Message, nil
	},
	"APIService": func(o *unstructured.Unstructured) (string, error) {
		conditions, _, err := unstructured.NestedSlice(o.Object, "status", "conditions")
		if err != nil {
			return "", err
		}
		for _, raw := range conditions {
			if condition, ok := raw.(map[string]any); ok && condition["type"] == "Available" {
				if condition["status"] == "True" {
					return "", nil
				}
				return fmt.Sprint(condition["message"]), nil
			}
		}
		return "has no condition Available yet", nil
	},
}

// problemsTimeout limits the time to list the pods for an error message.
const problemsTimeout = 10 * time.Second

// timeoutError returns the error for an addon that is not ready in time. The error has the
// description of the object that is not ready, and the problems of the addon's pods. If the
// cause is not a timeout, such as an interrupt by the user, timeoutError returns the cause.
func (c *apiClient) timeoutError(ctx context.Context, o *unstructured.Unstructured, description string, cause error) error {
	if !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	ctx, cancel := context.WithTimeout(ctx, problemsTimeout)
	defer cancel()
	problems, err := c.listPodProblems(ctx, o)
	if err != nil {
		problems = []string{"its pods could not be listed: " + err.Error()}
	}
	return fmt.Errorf("addons: not ready after %s: %s\n%s", readyTimeout, description, strings.Join(problems, "\n"))
}

// listPodProblems returns the reasons why the pods of a Deployment do not run. It returns none for
// an object without a selector of pods.
func (c *apiClient) listPodProblems(ctx context.Context, o *unstructured.Unstructured) ([]string, error) {
	selector, found, err := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
	if err != nil || !found {
		return nil, err
	}
	pods, err := c.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(o.GetNamespace()).
		List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: selector})})
	if err != nil {
		return nil, err
	}
	if len(pods.Items) == 0 {
		return []string{"it has no pods; see the log of kube-controller-manager"}, nil
	}
	var problems []string
	for _, pod := range pods.Items {
		problems = append(problems, podProblems(pod.Object, "pod "+pod.GetName())...)
	}
	return problems, nil
}

// podProblems returns the conditions of a pod that are False, and the reasons why its
// containers wait or have ended.
func podProblems(pod map[string]any, name string) []string {
	var problems []string
	conditions, _, _ := unstructured.NestedSlice(pod, "status", "conditions")
	for _, raw := range conditions {
		if c, ok := raw.(map[string]any); ok && c["status"] == "False" && c["message"] != nil {
			problems = append(problems, fmt.Sprintf("%s: %v: %v", name, c["reason"], c["message"]))
		}
	}
	containers, _, _ := unstructured.NestedSlice(pod, "status", "containerStatuses")
	for _, raw := range containers {
		c, ok := raw.(map[string]any)
		if !ok {
			continue
		}
		for _, path := range [][]string{{"state", "waiting"}, {"state", "terminated"}, {"lastState", "terminated"}} {
			if state, found, _ := unstructured.NestedMap(c, path...); found {
				problems = append(problems, fmt.Sprintf("%s: container %v: %v: %v", name, c["name"], state["reason"], state["message"]))
			}
		}
	}
	return problems
}
