package kubernetes

import (
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	const deployment, role = "kubernetes:apps/v1:Deployment", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
	for _, tc := range []struct {
		reason, kind string
		news, olds   fields
		autonaming   *pulumirpc.CheckRequest_AutonamingOptions
		want         func(*testing.T, fields)
		failures     []string // "property: part of the reason"
	}{
		{reason: "what the type says is filled in", kind: deployment, news: fields{"metadata": fields{"name": "web"}},
			want: func(t *testing.T, in fields) {
				require.Equal(t, fields{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": fields{"name": "web", "namespace": "shop"}}, in)
			}},
		{reason: "an object without a name gets one, and says so", kind: deployment, news: fields{},
			want: func(t *testing.T, in fields) {
				require.Regexp(t, `^r-[0-9a-f]{8}$`, text(in, "metadata", "name"))
				require.Equal(t, "true", text(in, "metadata", "annotations", annotationAutonamed))
			}},
		{reason: "and keeps it", kind: deployment, news: fields{}, olds: fields{"metadata": fields{"name": "r-12345678", "annotations": fields{annotationAutonamed: "true"}}},
			want: func(t *testing.T, in fields) { require.Equal(t, "r-12345678", text(in, "metadata", "name")) }},
		{reason: "a name of the program's is not kept when it is gone", kind: deployment, news: fields{}, olds: fields{"metadata": fields{"name": "mine"}},
			want: func(t *testing.T, in fields) { require.Regexp(t, `^r-`, text(in, "metadata", "name")) }},
		{reason: "the stack's own way of naming", kind: deployment, news: fields{}, autonaming: &pulumirpc.CheckRequest_AutonamingOptions{ProposedName: "dev-r"},
			want: func(t *testing.T, in fields) { require.Equal(t, "dev-r", text(in, "metadata", "name")) }},
		{reason: "naming is off", kind: deployment, news: fields{}, autonaming: &pulumirpc.CheckRequest_AutonamingOptions{Mode: pulumirpc.CheckRequest_AutonamingOptions_DISABLE},
			failures: []string{"metadata.name: pulumi:autonaming is off"}},
		{reason: "a name that a preview does not know stays", kind: deployment, news: fields{"metadata": fields{"name": unknown{}}},
			want: func(t *testing.T, in fields) { require.Equal(t, unknown{}, in["metadata"].(fields)["name"]) }},
		{reason: "a namespace that a preview does not know stays", kind: deployment, news: fields{"metadata": fields{"name": "web", "namespace": unknown{}}},
			want: func(t *testing.T, in fields) { require.Equal(t, unknown{}, in["metadata"].(fields)["namespace"]) }},
		{reason: "metadata as a whole may not be known", kind: deployment, news: fields{"metadata": unknown{}},
			want: func(t *testing.T, in fields) { require.Equal(t, unknown{}, in["metadata"]) }},
		{reason: "a kind of no namespace gets none", kind: role, news: fields{"metadata": fields{"name": "reader"}},
			want: func(t *testing.T, in fields) { require.Equal(t, fields{"name": "reader"}, in["metadata"]) }},
		{reason: "of a kind that only the API server knows, what is given stands while that can't be asked", kind: "kubernetes:shop.example/v1:Till", news: fields{"metadata": fields{"name": "one"}},
			want: func(t *testing.T, in fields) { require.Equal(t, fields{"name": "one"}, in["metadata"]) }},
		{reason: "it need not be where the object stands in a namespace", kind: "kubernetes:shop.example/v1:Till",
			news: fields{"metadata": fields{"name": "one"}}, olds: fields{"metadata": fields{"name": "one", "namespace": "shop"}},
			want: func(t *testing.T, in fields) { require.Equal(t, "shop", text(in, "metadata", "namespace")) }},
		{reason: "secrets stay secret", kind: "kubernetes:core/v1:Secret", news: fields{"metadata": fields{"name": "k"}, "stringData": fields{"token": secret{"correct horse"}}},
			want: func(t *testing.T, in fields) { require.Equal(t, "correct horse", text(in, "stringData", "token")) }},
		{reason: "a kind of no namespace is given one", kind: role, news: fields{"metadata": fields{"name": "reader", "namespace": "shop"}},
			failures: []string{"metadata.namespace: a ClusterRole lives in no namespace"}},
		{reason: "the type says otherwise", kind: deployment, news: fields{"apiVersion": "apps/v1beta1", "kind": "Deployment", "metadata": fields{"name": "web"}},
			failures: []string{"apiVersion: apiVersion is apps/v1beta1, and the resource's type says apps/v1"}},
		{reason: "a generated name can't be applied", kind: deployment, news: fields{"metadata": fields{"generateName": "web-"}},
			failures: []string{"metadata.name: metadata.generateName can't be applied"}},
		{reason: "status is the cluster's", kind: deployment, news: fields{"metadata": fields{"name": "web"}, "status": fields{"replicas": 1}},
			failures: []string{"status: written by the cluster"}},
		{reason: "metadata is no object, and the kind is wrong: both are told", kind: deployment, news: fields{"metadata": "web", "kind": "Pod"},
			failures: []string{"kind: kind is Pod", "metadata: must be an object"}},
		{reason: "an annotation of the provider's that it can't read", kind: deployment,
			news:     fields{"metadata": fields{"name": "web", "annotations": fields{annotationTimeout: "5m"}}},
			failures: []string{`metadata.annotations: annotation pulumi.com/timeoutSeconds: must be a whole number of seconds above zero, not "5m"`}},
		{reason: "waiting for a JSON path", kind: deployment,
			news:     fields{"metadata": fields{"name": "web", "annotations": fields{annotationWaitFor: "jsonpath={.status.phase}=Ready"}}},
			failures: []string{"metadata.annotations: must be condition=TYPE"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s := start(t, fields{"kubeconfig": kubeconfig("http://127.0.0.1:1")})
			got, err := s.Check(t.Context(), &pulumirpc.CheckRequest{
				Urn: urn(tc.kind, "r"), Type: tc.kind, Name: "r", News: bag(t, tc.news), Olds: bag(t, tc.olds), Autonaming: tc.autonaming,
			})
			require.NoError(t, err)
			require.Len(t, got.GetFailures(), len(tc.failures), "%v", got.GetFailures())
			for i, want := range tc.failures {
				property, reason, _ := strings.Cut(want, ": ")
				require.Equal(t, property, got.GetFailures()[i].GetProperty())
				require.Contains(t, got.GetFailures()[i].GetReason(), reason)
			}
			if tc.want != nil {
				tc.want(t, plain(t, got.GetInputs()))
			}
		})
	}
}

func TestCheckKeepsSecretsSecret(t *testing.T) {
	s := start(t, fields{"kubeconfig": kubeconfig("http://127.0.0.1:1")})
	got, err := s.Check(t.Context(), &pulumirpc.CheckRequest{
		Type: "kubernetes:core/v1:Secret", Urn: urn("kubernetes:core/v1:Secret", "k"), Name: "k",
		News: bag(t, fields{"stringData": fields{"token": secret{"correct horse"}}}),
	})
	require.NoError(t, err)
	_, found, err := decode(got.GetInputs())
	require.NoError(t, err)
	require.True(t, found.paths["stringData.token"])
}

func TestNames(t *testing.T) {
	one := autoname("urn:1", "web", "")
	require.Equal(t, one, autoname("urn:1", "web", ""), "the update has the preview's name, and so has the next try")
	require.NotEqual(t, one, autoname("urn:2", "web", ""), "two stacks may share a namespace")
	require.NotEqual(t, one, autoname("urn:1", "web", one), "what replaces an object stands beside it")
	long := autoname("urn:1", "A-Very-"+strings.Repeat("Long-", 20)+"Name", "")
	require.LessOrEqual(t, len(long), maxName)
	require.Regexp(t, `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`, long)
	require.NotEqual(t, managerName("urn:1"), managerName("urn:2"))
}

func TestAReplacementIsNamedAfterWhatItReplaces(t *testing.T) {
	const kind = "kubernetes:core/v1:ConfigMap"
	s := start(t, fields{"kubeconfig": kubeconfig("http://127.0.0.1:1")})
	check := func(olds fields) fields {
		got, err := s.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn(kind, "c"), Type: kind, Name: "c", News: bag(t, nil), Olds: bag(t, olds)})
		require.NoError(t, err)
		return plain(t, got.GetInputs())
	}
	first := check(nil)
	require.Equal(t, first, check(first))
	// The engine checks a replacement once more, without the old inputs.
	second := check(nil)
	require.NotEqual(t, text(first, "metadata", "name"), text(second, "metadata", "name"))
	require.Equal(t, second, check(nil), "a second try after a crash finds the same name")
}
