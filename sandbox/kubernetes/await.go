package kubernetes

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kstatus "sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

const (
	// defaultTimeout is how long an object may take to become ready or to be
	// gone, as with the real provider.
	defaultTimeout = 10 * time.Minute
	// pollEvery is how often an object that is waited for is read, and firstPoll
	// how soon for the first time.
	pollEvery = 500 * time.Millisecond
	firstPoll = 50 * time.Millisecond
	// lookLimit is how long looking for reasons may take.
	lookLimit = 10 * time.Second
)

// verdict is what an object's status says about it.
type verdict struct {
	ready, failed bool
	message       string
}

func waiting(format string, args ...any) verdict {
	return verdict{message: fmt.Sprintf(format, args...)}
}

// judge says whether an object is ready.
type judge func(ctx context.Context, cl *cluster, o *unstructured.Unstructured) (verdict, error)

// judges are the kinds that are waited for. All others are ready as soon as
// they are applied; custom resources are among them, as with the real provider,
// unless the annotation pulumi.com/waitFor says otherwise.
var judges = map[schema.GroupKind]judge{
	{Group: "apps", Kind: "Deployment"}:                               workloadReady,
	{Group: "apps", Kind: "StatefulSet"}:                              workloadReady,
	{Group: "apps", Kind: "DaemonSet"}:                                workloadReady,
	{Group: "apps", Kind: "ReplicaSet"}:                               workloadReady,
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: standard,
	{Group: "batch", Kind: "Job"}:                                     jobReady,
	{Kind: "Pod"}:                                                     podReady,
	{Kind: "Namespace"}:                                               namespaceReady,
	{Kind: "Service"}:                                                 serviceReady,
	{Kind: "PersistentVolumeClaim"}:                                   claimReady,
}

// judgeOf returns how the object is judged, nil where it is not waited for.
func judgeOf(gvk schema.GroupVersionKind, inputs map[string]any) (judge, error) {
	switch text(inputs, "metadata", "annotations", annotationSkipAwait) {
	case "true", "ready":
		return nil, nil
	}
	if wait := text(inputs, "metadata", "annotations", annotationWaitFor); wait != "" {
		c, err := parseCondition(wait)
		return c.judge, err
	}
	return judges[gvk.GroupKind()], nil
}

// standard is the judgement of kstatus, the library of Kubernetes' own tools.
func standard(_ context.Context, _ *cluster, o *unstructured.Unstructured) (verdict, error) {
	r, err := kstatus.Compute(o)
	if err != nil {
		return verdict{}, err
	}
	return verdict{ready: r.Status == kstatus.CurrentStatus, failed: r.Status == kstatus.FailedStatus, message: r.Message}, nil
}

func workloadReady(ctx context.Context, cl *cluster, o *unstructured.Unstructured) (verdict, error) {
	if paused, _, _ := unstructured.NestedBool(o.Object, "spec", "paused"); paused {
		return verdict{ready: true}, nil // it does nothing until it is resumed
	}
	v, err := standard(ctx, cl, o)
	if err != nil || v.ready {
		return v, err
	}
	count := func(keys ...string) int64 { n, _, _ := unstructured.NestedInt64(o.Object, keys...); return n }
	want, ready, updated := count("spec", "replicas"), count("status", "readyReplicas"), count("status", "updatedReplicas")
	if o.GetKind() == "DaemonSet" {
		want, ready, updated = count("status", "desiredNumberScheduled"), count("status", "numberReady"), count("status", "updatedNumberScheduled")
	}
	said := v.message
	v.message = fmt.Sprintf("%d of %d replicas ready", ready, want)
	if o.GetKind() != "ReplicaSet" && updated < want {
		v.message += fmt.Sprintf(", %d updated", updated)
	}
	if v.failed || ready >= want {
		v.message += " (" + said + ")"
	}
	return v, nil
}

// podReady never gives up before the time is over: an image may arrive, a node
// may be added.
func podReady(ctx context.Context, cl *cluster, o *unstructured.Unstructured) (verdict, error) {
	v, err := standard(ctx, cl, o)
	v.failed = false
	return v, err
}

func jobReady(_ context.Context, _ *cluster, o *unstructured.Unstructured) (verdict, error) {
	for _, c := range conditions(o) {
		if text(c, "status") != "True" {
			continue
		}
		switch text(c, "type") {
		case "Complete":
			return verdict{ready: true}, nil
		case "Failed":
			return verdict{failed: true, message: "the job failed: " + text(c, "message")}, nil
		}
	}
	done, _, _ := unstructured.NestedInt64(o.Object, "status", "succeeded")
	active, _, _ := unstructured.NestedInt64(o.Object, "status", "active")
	return waiting("%d pods done, %d running", done, active), nil
}

func namespaceReady(_ context.Context, _ *cluster, o *unstructured.Unstructured) (verdict, error) {
	phase := text(o.Object, "status", "phase")
	return verdict{ready: phase == "Active", message: "phase " + phase}, nil
}

func serviceReady(_ context.Context, _ *cluster, o *unstructured.Unstructured) (verdict, error) {
	if text(o.Object, "spec", "type") != "LoadBalancer" {
		return verdict{ready: true}, nil
	}
	ingress, _, _ := unstructured.NestedSlice(o.Object, "status", "loadBalancer", "ingress")
	return verdict{ready: len(ingress) > 0, message: "no controller has given the service a load balancer yet"}, nil
}

// claimReady does not wait for a volume that is only made for a pod.
func claimReady(ctx context.Context, cl *cluster, o *unstructured.Unstructured) (verdict, error) {
	phase := text(o.Object, "status", "phase")
	if phase == "Bound" {
		return verdict{ready: true}, nil
	}
	if class := text(o.Object, "spec", "storageClassName"); class != "" {
		client, err := cl.client(ctx, schema.GroupVersionKind{Group: "storage.k8s.io", Version: "v1", Kind: "StorageClass"}, "")
		if err != nil {
			return verdict{}, err
		}
		if sc, err := client.Get(ctx, class, metav1.GetOptions{}); err == nil && text(sc.Object, "volumeBindingMode") == "WaitForFirstConsumer" {
			return verdict{ready: true}, nil
		}
	}
	return verdict{failed: phase == "Lost", message: "phase " + phase + ", no volume is bound"}, nil
}

// conditions are the object's status.conditions.
func conditions(o *unstructured.Unstructured) []map[string]any {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	var found []map[string]any
	for _, item := range list {
		if c, ok := item.(map[string]any); ok {
			found = append(found, c)
		}
	}
	return found
}

// condition is what the annotation pulumi.com/waitFor asks for.
type condition struct{ kind, status string }

func parseCondition(s string) (condition, error) {
	rest, ok := strings.CutPrefix(s, "condition=")
	kind, status, has := strings.Cut(rest, "=")
	if !ok || kind == "" {
		return condition{}, fmt.Errorf("must be condition=TYPE or condition=TYPE=STATUS, not %q; for JSON paths %s", s, realPlugin)
	}
	if !has {
		status = "True"
	}
	return condition{kind, status}, nil
}

func (c condition) judge(_ context.Context, _ *cluster, o *unstructured.Unstructured) (verdict, error) {
	for _, found := range conditions(o) {
		if strings.EqualFold(text(found, "type"), c.kind) {
			if strings.EqualFold(text(found, "status"), c.status) {
				return verdict{ready: true}, nil
			}
			return waiting("condition %s is %s: %s", c.kind, text(found, "status"), text(found, "message")), nil
		}
	}
	return waiting("no condition %s yet", c.kind), nil
}

// deadlineOf is how long a call may wait: what the resource's customTimeouts
// say, in seconds, or its annotation, or ten minutes.
func deadlineOf(custom float64, inputs map[string]any) (time.Duration, error) {
	if custom > 0 {
		return time.Duration(custom * float64(time.Second)), nil
	}
	if given := text(inputs, "metadata", "annotations", annotationTimeout); given != "" {
		return seconds(given)
	}
	return defaultTimeout, nil
}

func seconds(s string) (time.Duration, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("must be a whole number of seconds above zero, not %q", s)
	}
	return time.Duration(n) * time.Second, nil
}

// await waits until the object is ready, telling the engine how far it is. It
// returns the object as it was last seen and, where it is not ready, why.
func (p *provider) await(ctx context.Context, cl *cluster, t *target, live *unstructured.Unstructured, limit time.Duration) (*unstructured.Unstructured, []string) {
	check, err := judgeOf(t.gvk, t.inputs)
	if err != nil {
		return live, []string{err.Error()}
	}
	if check == nil {
		return live, nil
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer p.session.Status(ctx, t.urn, "")

	shown := ""
	for between := pace(0); ; {
		v, err := check(limited, cl, live)
		switch {
		case err != nil && limited.Err() == nil:
			v.message = err.Error()
		case v.ready:
			return live, nil
		case v.failed:
			return live, reasons(ctx, cl, t, live, "failed", v)
		}
		if now := strings.Join(append([]string{v.message}, podReasons(limited, cl, live)...), "; "); now != shown && limited.Err() == nil {
			p.session.Status(limited, t.urn, now)
			shown = now
		}
		if !between.wait(limited) {
			what := "is not ready after " + limit.String()
			if ctx.Err() != nil {
				what = "is not ready yet: " + context.Cause(ctx).Error()
			}
			return live, reasons(ctx, cl, t, live, what, v)
		}
		seen, err := t.get(limited)
		switch {
		case err != nil:
			shown = "" // what is shown now is older than the error
		case seen == nil:
			return live, []string{t.title() + " was deleted by somebody else while it was waited for"}
		default:
			live = seen
		}
	}
}
