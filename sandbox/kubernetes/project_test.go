package kubernetes

import (
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestProject(t *testing.T) {
	container := func(name, image string) fields { return fields{"name": name, "image": image} }
	for _, tc := range []struct {
		reason             string
		inputs, live, want fields // want is inputs where it is nil
	}{
		{reason: "what the API server fills in is not the program's", inputs: fields{"spec": fields{"replicas": 2}},
			live: fields{"spec": fields{"replicas": 2, "strategy": "RollingUpdate"}, "status": fields{}}},
		{reason: "a value that somebody changed", inputs: fields{"spec": fields{"replicas": 2}}, live: fields{"spec": fields{"replicas": 5}},
			want: fields{"spec": fields{"replicas": 5}}},
		{reason: "a value that somebody removed", inputs: fields{"labels": fields{"a": "1", "b": "2"}}, live: fields{"labels": fields{"b": "2"}},
			want: fields{"labels": fields{"b": "2"}}},
		{reason: "a quantity written in another way", inputs: fields{"cpu": "1000m", "memory": "1024Mi", "whole": 1, "half": 0.5},
			live: fields{"cpu": "1", "memory": "1Gi", "whole": "1", "half": "500m"}},
		{reason: "another quantity", inputs: fields{"cpu": "1000m"}, live: fields{"cpu": "2"}, want: fields{"cpu": "2"}},
		{reason: "what is empty is left out by the API server", inputs: fields{"value": "", "readOnly": false, "period": 0, "list": []any{}, "object": fields{"x": fields{}}},
			live: fields{}},
		{reason: "what is not empty is not", inputs: fields{"value": "x"}, live: fields{}, want: fields{}},
		{reason: "a sidecar that somebody added is theirs", inputs: fields{"containers": []any{container("app", "a")}},
			live: fields{"containers": []any{container("proxy", "p"), container("app", "a")}}},
		{reason: "items are told apart by name, not by place", inputs: fields{"containers": []any{container("app", "a"), container("log", "l")}},
			live: fields{"containers": []any{container("log", "l2"), container("app", "a")}},
			want: fields{"containers": []any{container("app", "a"), container("log", "l2")}}},
		{reason: "an item that somebody removed", inputs: fields{"containers": []any{container("app", "a"), container("log", "l")}},
			live: fields{"containers": []any{container("app", "a")}},
			want: fields{"containers": []any{container("app", "a")}}},
		{reason: "two ports of one number are told apart by protocol",
			inputs: fields{"ports": []any{fields{"port": 53, "protocol": "TCP"}, fields{"port": 53, "protocol": "UDP"}}},
			live:   fields{"ports": []any{fields{"port": 53, "protocol": "TCP", "nodePort": 1}, fields{"port": 53, "protocol": "UDP"}}}},
		{reason: "a list of values is one value", inputs: fields{"args": []any{"a", "b"}}, live: fields{"args": []any{"a", "b", "c"}},
			want: fields{"args": []any{"a", "b", "c"}}},
		{reason: "finalizers of others are theirs", inputs: fields{"metadata": fields{"finalizers": []any{"mine/x"}}},
			live: fields{"metadata": fields{"finalizers": []any{"theirs/y", "mine/x"}}}},
		{reason: "a port by name or number", inputs: fields{"targetPort": "http"}, live: fields{"targetPort": 8080}, want: fields{"targetPort": 8080}},
		{reason: "stringData becomes data", inputs: fields{"apiVersion": "v1", "kind": "Secret", "stringData": fields{"a": "x", "b": "y", "c": "z"}},
			live: fields{"apiVersion": "v1", "kind": "Secret", "data": fields{"a": "eA==", "b": "bm93"}},
			want: fields{"apiVersion": "v1", "kind": "Secret", "stringData": fields{"a": "x", "b": "now"}}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			plain := func(f fields) fields { return unwrap(f, nil, newSecrets()).(fields) }
			want := tc.want
			if want == nil {
				want = tc.inputs
			}
			require.Equal(t, plain(want), project(plain(tc.inputs), plain(tc.live)))
		})
	}
}

func TestKnownConflicts(t *testing.T) {
	before := unwrap(fields{
		"metadata": fields{"annotations": fields{"a.b/c": "1"}, "finalizers": []any{"mine/x"}},
		"spec": fields{"replicas": 2, "template": fields{"spec": fields{"containers": []any{
			fields{"name": "app", "image": "a", "ports": []any{fields{"containerPort": 8080}}},
		}}}},
	}, nil, newSecrets()).(fields)
	for _, tc := range []struct {
		reason, field string
		want          bool
	}{
		{"a field of the inputs", ".spec.replicas", true},
		{"a key with dots", ".metadata.annotations.a.b/c", true},
		{"an item by its name", `.spec.template.spec.containers[name="app"].image`, true},
		{"an item by two keys, one a default", `.spec.template.spec.containers[name="app"].ports[containerPort=8080,protocol="TCP"].containerPort`, true},
		{"an item of a set", `.metadata.finalizers[="mine/x"]`, true},
		{"an item of a set that is not ours", `.metadata.finalizers[="theirs/y"]`, false},
		{"an item that is not ours", `.spec.template.spec.containers[name="proxy"].image`, false},
		{"a field that the program has only now", ".spec.paused", false},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			require.Equal(t, tc.want, knownConflicts(conflictOf(tc.field), before))
		})
	}
	require.False(t, knownConflicts(conflictOf(".spec.replicas", ".spec.paused"), before), "one unknown field is enough")
	require.False(t, knownConflicts(conflictOf(), before))
}

// conflictOf is the API server's answer to an apply over others' fields.
func conflictOf(names ...string) error {
	var causes []metav1.StatusCause
	for _, f := range names {
		causes = append(causes, metav1.StatusCause{Type: metav1.CauseTypeFieldManagerConflict, Message: `conflict with "kubectl-edit"`, Field: f})
	}
	return apierrors.NewApplyConflict(causes, "Apply failed")
}
