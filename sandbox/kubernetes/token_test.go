package kubernetes

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestParseType(t *testing.T) {
	for _, tc := range []struct {
		reason, token string
		want          schema.GroupVersionKind
		err           string
	}{
		{reason: "the core group has no name", token: "kubernetes:core/v1:Namespace", want: schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}},
		{reason: "and may be left out", token: "kubernetes:v1:Namespace", want: schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}},
		{reason: "a built-in group", token: "kubernetes:rbac.authorization.k8s.io/v1:Role", want: schema.GroupVersionKind{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "Role"}},
		{reason: "a custom resource", token: "kubernetes:keda.sh/v1alpha1:ScaledObject", want: schema.GroupVersionKind{Group: "keda.sh", Version: "v1alpha1", Kind: "ScaledObject"}},
		{reason: "a custom kind may end in List", token: "kubernetes:shop.example/v1:PriceList", want: schema.GroupVersionKind{Group: "shop.example", Version: "v1", Kind: "PriceList"}},
		{reason: "patches are not known", token: "kubernetes:apps/v1:DeploymentPatch", err: "no Patch resources; declare the Deployment itself"},
		{reason: "lists are not known", token: "kubernetes:core/v1:ConfigMapList", err: "no List resources; declare the ConfigMap itself"},
		{reason: "Helm", token: "kubernetes:helm.sh/v3:Release", err: "no Helm releases and charts; it needs the real provider: `pulumi plugin install"},
		{reason: "YAML", token: "kubernetes:yaml/v2:ConfigGroup", err: "no YAML files"},
		{reason: "Kustomize", token: "kubernetes:kustomize:Directory", err: "no Kustomize directories"},
		{reason: "another provider's", token: "aws:ec2/vpc:Vpc", err: "is no type of this provider"},
		{reason: "no version", token: "kubernetes:a/b/c:Kind", err: "is no API version"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			got, err := parseType(tc.token)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
			again, err := parseType(typeOf(got))
			require.NoError(t, err)
			require.Equal(t, got, again)
		})
	}
}

func TestIDs(t *testing.T) {
	for _, tc := range []struct{ reason, namespace, name, id string }{
		{"in a namespace", "shop", "web", "shop/web"},
		{"in none", "", "shop", "shop"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			require.Equal(t, tc.id, objectID(tc.namespace, tc.name))
			namespace, name := parseID(tc.id)
			require.Equal(t, tc.namespace, namespace)
			require.Equal(t, tc.name, name)
		})
	}
}

func TestTypeFromURN(t *testing.T) {
	require.Equal(t, "kubernetes:core/v1:Namespace",
		typeFromURN("urn:pulumi:dev::shop::progressive:cluster:Cluster$kubernetes:core/v1:Namespace::a::b"))
}
