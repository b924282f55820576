package kubernetes

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/emptypb"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	deploymentPath = "/apis/apps/v1/namespaces/shop/deployments/web"
	podPath        = "/api/v1/namespaces/shop/pods/web-1"
)

func deployment() fields {
	return fields{"metadata": fields{"name": "web"}, "spec": fields{"replicas": 2, "selector": fields{"matchLabels": fields{"app": "web"}}}}
}

// rollout sets how far the deployment is.
func rollout(o fields, ready int64) {
	o["status"] = fields{"observedGeneration": int64(1), "replicas": int64(2), "updatedReplicas": int64(2), "readyReplicas": ready, "availableReplicas": ready,
		"conditions": []any{fields{"type": "Available", "status": map[bool]string{true: "True", false: "False"}[ready == 2], "reason": "Minimum", "message": "not enough"},
			fields{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}}}
}

func brokenPod(name string) fields {
	return fields{"apiVersion": "v1", "kind": "Pod", "metadata": fields{"name": name}, "status": fields{"containerStatuses": []any{fields{"name": "app",
		"state":     fields{"waiting": fields{"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
		"lastState": fields{"terminated": fields{"exitCode": int64(2), "reason": "Error"}}}}}}
}

func TestAnUpdateWaitsUntilTheObjectIsReady(t *testing.T) {
	s := newStub(t)
	reads := int64(0)
	s.onGet = func(path string, o fields) {
		if path == deploymentPath {
			rollout(o, min(reads, 2))
			reads++
		}
	}
	p := s.provider(t, nil)
	r := newResource(t, p, "apps/v1:Deployment", "web")
	require.NoError(t, r.create(deployment()))
	require.Contains(t, p.engine.shown(), "0 of 2 replicas ready")
	require.Contains(t, p.engine.shown(), "1 of 2 replicas ready")
	require.Equal(t, int64(2), plain(t, r.outputs)["status"].(fields)["readyReplicas"], "the outputs are those of the ready object")
}

func TestAnObjectThatDoesNotBecomeReady(t *testing.T) {
	s := newStub(t)
	s.onGet = func(path string, o fields) {
		if path == deploymentPath {
			rollout(o, 0)
		}
	}
	s.put(podPath, brokenPod("web-1"))
	s.put(podPath+"2", brokenPod("web-12"))
	r := newResource(t, s.provider(t, nil), "apps/v1:Deployment", "web")
	r.timeout = 0.3
	failed := initFailure(r.create(deployment()))
	require.NotNil(t, failed, "the object stands, and the engine is to know")
	require.Equal(t, "shop/web", failed.GetId())
	require.Contains(t, failed.GetReasons()[0], "Deployment shop/web is not ready after 300ms")
	require.Contains(t, failed.GetReasons()[0], "0 of 2 replicas ready")
	require.Contains(t, failed.GetReasons(), "condition Available is False (Minimum): not enough")
	require.Regexp(t, `^pod web-12?: container app waits: CrashLoopBackOff, back-off 10s, exit code 2, Error \(and 1 pods more\)$`, failed.GetReasons()[2])

	// A refresh says so again while it lasts, and no longer when it is over.
	r.id, r.inputs, r.outputs = failed.GetId(), r.check(deployment()), failed.GetProperties()
	require.Contains(t, initFailure(r.refresh()).GetReasons()[0], "is not ready")
	s.onGet = func(path string, o fields) {
		if path == deploymentPath {
			rollout(o, 2)
		}
	}
	require.NoError(t, r.refresh())
	// One that was ready and is scaling is as it should be.
	s.onGet = func(path string, o fields) {
		if path == deploymentPath {
			rollout(o, 1)
		}
	}
	require.NoError(t, r.refresh())
}

func TestCancelKeepsWhatStands(t *testing.T) {
	s := newStub(t)
	p := s.provider(t, nil)
	s.onGet = func(path string, o fields) {
		if path == deploymentPath {
			rollout(o, 0)
			_, err := p.Cancel(t.Context(), &emptypb.Empty{})
			require.NoError(t, err)
		}
	}
	failed := initFailure(newResource(t, p, "apps/v1:Deployment", "web").create(deployment()))
	require.NotNil(t, failed)
	require.Contains(t, failed.GetReasons()[0], "the engine cancelled the operation")
}

func TestNotWaiting(t *testing.T) {
	for _, mode := range []string{"true", "ready"} {
		t.Run("skipAwait "+mode, func(t *testing.T) {
			s := newStub(t)
			news := deployment()
			set(news, mode, "metadata", "annotations", annotationSkipAwait)
			r := newResource(t, s.provider(t, nil), "apps/v1:Deployment", "web")
			require.NoError(t, r.create(news))
		})
	}
}

func TestJudges(t *testing.T) {
	conditions := func(c ...any) fields { return fields{"status": fields{"conditions": c}} }
	for _, tc := range []struct {
		reason, kind  string
		inputs        fields
		live          fields
		ready, failed bool
	}{
		{reason: "a paused deployment does nothing", kind: "apps/v1:Deployment", live: fields{"spec": fields{"paused": true}}, ready: true},
		{reason: "a deployment that gave up", kind: "apps/v1:Deployment", failed: true,
			live: conditions(fields{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"})},
		{reason: "a running job is not done", kind: "batch/v1:Job", live: fields{"status": fields{"active": int64(1)}}},
		{reason: "a job that is", kind: "batch/v1:Job", live: conditions(fields{"type": "Complete", "status": "True"}), ready: true},
		{reason: "a job that failed", kind: "batch/v1:Job", live: conditions(fields{"type": "Failed", "status": "True"}), failed: true},
		{reason: "a pod that can't be scheduled may be later", kind: "core/v1:Pod",
			live: fields{"status": fields{"phase": "Pending", "conditions": []any{fields{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}}}}},
		{reason: "a service is ready when it is there", kind: "core/v1:Service", live: fields{"spec": fields{"type": "NodePort"}}, ready: true},
		{reason: "one with a load balancer when it has an address", kind: "core/v1:Service", live: fields{"spec": fields{"type": "LoadBalancer"}}},
		{reason: "and then it is", kind: "core/v1:Service", ready: true,
			live: fields{"spec": fields{"type": "LoadBalancer"}, "status": fields{"loadBalancer": fields{"ingress": []any{fields{"hostname": "h"}}}}}},
		{reason: "a claim without a volume", kind: "core/v1:PersistentVolumeClaim", live: fields{"status": fields{"phase": "Pending"}}},
		{reason: "a namespace", kind: "core/v1:Namespace", live: fields{"status": fields{"phase": "Active"}}, ready: true},
		{reason: "a definition that is not served yet", kind: "apiextensions.k8s.io/v1:CustomResourceDefinition", live: fields{}},
		{reason: "a custom resource is waited for where the program says so", kind: "keda.sh/v1alpha1:ScaledObject",
			inputs: fields{"metadata": fields{"annotations": fields{annotationWaitFor: "condition=Ready"}}},
			live:   conditions(fields{"type": "Ready", "status": "False"})},
		{reason: "until its condition is as asked for", kind: "keda.sh/v1alpha1:ScaledObject", ready: true,
			inputs: fields{"metadata": fields{"annotations": fields{annotationWaitFor: "condition=Paused=False"}}},
			live:   conditions(fields{"type": "Paused", "status": "False"})},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			gvk, err := parseType("kubernetes:" + tc.kind)
			require.NoError(t, err)
			check, err := judgeOf(gvk, tc.inputs)
			require.NoError(t, err)
			o := &unstructured.Unstructured{Object: tc.live}
			o.SetGroupVersionKind(gvk)
			v, err := check(t.Context(), nil, o)
			require.NoError(t, err)
			require.Equal(t, tc.ready, v.ready, v.message)
			require.Equal(t, tc.failed, v.failed, v.message)
		})
	}
	for _, kind := range []schema.GroupVersionKind{{Version: "v1", Kind: "ConfigMap"}, {Group: "keda.sh", Version: "v1alpha1", Kind: "ScaledObject"}} {
		check, err := judgeOf(kind, fields{})
		require.NoError(t, err)
		require.Nil(t, check, "%s is ready when it is applied", kind)
	}
}

func TestHowLongToWait(t *testing.T) {
	annotated := fields{"metadata": fields{"annotations": fields{annotationTimeout: "90"}}}
	for _, tc := range []struct {
		reason string
		custom float64
		inputs fields
		want   time.Duration
	}{
		{"customTimeouts win", 2.5, annotated, 2500 * time.Millisecond},
		{"then the annotation", 0, annotated, 90 * time.Second},
		{"else ten minutes", 0, fields{}, 10 * time.Minute},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			got, err := deadlineOf(tc.custom, tc.inputs)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}
