package kubernetes

import (
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestDiff(t *testing.T) {
	const (
		add, gone, update = pulumirpc.PropertyDiff_ADD, pulumirpc.PropertyDiff_DELETE, pulumirpc.PropertyDiff_UPDATE
		updateReplace     = pulumirpc.PropertyDiff_UPDATE_REPLACE
	)
	meta := fields{"name": "web", "namespace": "shop"}
	auto := fields{"name": "web-12345678", "namespace": "shop", "annotations": fields{annotationAutonamed: "true"}}
	spec := func(s fields) fields { return fields{"metadata": meta, "spec": s} }
	for _, tc := range []struct {
		reason, kind  string
		before, after fields
		settings      fields
		want          map[string]pulumirpc.PropertyDiff_Kind
		deleteFirst   bool
	}{
		{reason: "nothing changed", kind: "apps/v1:Deployment", before: spec(fields{"replicas": 2}), after: spec(fields{"replicas": 2})},
		{reason: "a field changed, came and went", kind: "apps/v1:Deployment",
			before: spec(fields{"replicas": 2, "paused": true}), after: spec(fields{"replicas": 3, "minReadySeconds": 5}),
			want: map[string]pulumirpc.PropertyDiff_Kind{"spec.replicas": update, "spec.paused": gone, "spec.minReadySeconds": add}},
		{reason: "an item of a list", kind: "apps/v1:Deployment",
			before: spec(fields{"c": []any{fields{"image": "a"}, fields{"image": "b"}}}), after: spec(fields{"c": []any{fields{"image": "x"}}}),
			want: map[string]pulumirpc.PropertyDiff_Kind{"spec.c[0].image": update, "spec.c[1]": gone}},
		{reason: "what a preview does not know may change", kind: "apps/v1:Deployment",
			before: spec(fields{"image": "a"}), after: spec(fields{"image": unknown{}}),
			want: map[string]pulumirpc.PropertyDiff_Kind{"spec.image": update}},
		{reason: "a selector can't change, and the name is taken", kind: "apps/v1:Deployment",
			before: spec(fields{"selector": fields{"matchLabels": fields{"a": "b"}}}), after: spec(fields{"selector": fields{"matchLabels": fields{"a": "c"}}}),
			want: map[string]pulumirpc.PropertyDiff_Kind{"spec.selector.matchLabels.a": updateReplace}, deleteFirst: true},
		{reason: "an autonamed object is replaced before it is deleted", kind: "core/v1:ConfigMap",
			before: fields{"metadata": auto, "data": fields{"a": "1"}}, after: fields{"metadata": auto, "data": fields{"a": "2"}},
			want: map[string]pulumirpc.PropertyDiff_Kind{"data.a": updateReplace}},
		{reason: "unless ConfigMaps may change in place", kind: "core/v1:ConfigMap", settings: fields{"enableConfigMapMutable": "true"},
			before: fields{"metadata": auto, "data": fields{"a": "1"}}, after: fields{"metadata": auto, "data": fields{"a": "2"}},
			want: map[string]pulumirpc.PropertyDiff_Kind{"data.a": update}},
		{reason: "another name is another object", kind: "core/v1:Service",
			before: fields{"metadata": fields{"name": "a"}}, after: fields{"metadata": fields{"name": "b"}},
			want: map[string]pulumirpc.PropertyDiff_Kind{"metadata.name": updateReplace}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			settings := fields{"kubeconfig": kubeconfig("http://127.0.0.1:1")}
			for k, v := range tc.settings {
				settings[k] = v
			}
			got, err := start(t, settings).Diff(t.Context(), &pulumirpc.DiffRequest{
				Type: "kubernetes:" + tc.kind, Urn: urn("kubernetes:"+tc.kind, "r"), Id: "shop/web",
				OldInputs: bag(t, tc.before), Olds: bag(t, nil), News: bag(t, tc.after),
			})
			require.NoError(t, err)
			kinds := map[string]pulumirpc.PropertyDiff_Kind{}
			for p, d := range got.GetDetailedDiff() {
				require.True(t, d.GetInputDiff())
				kinds[p] = d.GetKind()
			}
			if len(tc.want) == 0 {
				require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, got.GetChanges())
				return
			}
			require.Equal(t, pulumirpc.DiffResponse_DIFF_SOME, got.GetChanges())
			require.Equal(t, tc.want, kinds)
			require.Equal(t, tc.deleteFirst, got.GetDeleteBeforeReplace())
		})
	}
}

func TestAStateOfTheRealProviderIsRead(t *testing.T) {
	s := start(t, fields{"kubeconfig": kubeconfig("http://127.0.0.1:1")})
	inputs := fields{"metadata": fields{"name": "web"}, "spec": fields{"replicas": 2}}
	got, err := s.Diff(t.Context(), &pulumirpc.DiffRequest{
		Type: "kubernetes:apps/v1:Deployment", Urn: urn("kubernetes:apps/v1:Deployment", "r"), Id: "shop/web",
		Olds: bag(t, fields{hiddenInputs: inputs, hiddenManager: "pulumi-kubernetes-0a1b2c3d"}), News: bag(t, inputs),
	})
	require.NoError(t, err)
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, got.GetChanges())
	require.Equal(t, "pulumi-kubernetes-0a1b2c3d", managerOf(bag(t, fields{hiddenManager: "pulumi-kubernetes-0a1b2c3d"}), "urn"))
}

func TestWhatCannotChange(t *testing.T) {
	for _, tc := range []struct {
		reason string
		kind   schema.GroupKind
		path   path
		want   bool
	}{
		{"the name of anything", schema.GroupKind{Group: "keda.sh", Kind: "ScaledObject"}, path{"metadata", "name"}, true},
		{"labels of anything", schema.GroupKind{Group: "keda.sh", Kind: "ScaledObject"}, path{"metadata", "labels", "name"}, false},
		{"a field whose name begins like an immutable one", schema.GroupKind{Group: "apps", Kind: "Deployment"}, path{"spec", "selectorX"}, false},
		{"a claim's size may grow", schema.GroupKind{Kind: "PersistentVolumeClaim"}, path{"spec", "resources", "requests", "storage"}, false},
		{"a claim's class is fixed", schema.GroupKind{Kind: "PersistentVolumeClaim"}, path{"spec", "storageClassName"}, true},
		{"a pod's image may change", schema.GroupKind{Kind: "Pod"}, path{"spec", "containers", 1, "image"}, false},
		{"a pod's command is fixed", schema.GroupKind{Kind: "Pod"}, path{"spec", "containers", 1, "command", 0}, true},
		{"a job's template is fixed", schema.GroupKind{Group: "batch", Kind: "Job"}, path{"spec", "template", "spec", "containers", 0, "image"}, true},
		{"a job's parallelism is not", schema.GroupKind{Group: "batch", Kind: "Job"}, path{"spec", "parallelism"}, false},
		{"a binding's role is fixed", schema.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}, path{"roleRef", "name"}, true},
		{"a binding's subjects are not", schema.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}, path{"subjects", 0, "name"}, false},
		{"a stateful set's claims are fixed", schema.GroupKind{Group: "apps", Kind: "StatefulSet"}, path{"spec", "volumeClaimTemplates", 0, "spec"}, true},
		{"a stateful set's replicas are not", schema.GroupKind{Group: "apps", Kind: "StatefulSet"}, path{"spec", "replicas"}, false},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			require.Equal(t, tc.want, replacedBy(tc.kind, tc.path, config{}))
		})
	}
}
