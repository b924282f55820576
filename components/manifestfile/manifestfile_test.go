package manifestfile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// manifest has a CustomResourceDefinition and a Namespace.
const manifest = `# comment
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: a.example.com
  annotations: {api-approved.kubernetes.io: "https://example.com/1"}
spec:
  versions:
    - name: v1
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: string}}}}
---
apiVersion: v1
kind: Namespace
metadata:
  name: b
---
`

func TestParseReturnsTheObjectsOfAllDocuments(t *testing.T) {
	objects, err := parse([]byte(manifest))
	require.NoError(t, err)
	require.Len(t, objects, 2)
	require.Equal(t, "apiextensions.k8s.io/v1", objects[0].APIVersion())
	require.Equal(t, "CustomResourceDefinition", objects[0].Kind())
	require.Equal(t, "a.example.com", objects[0].Name())
	require.Equal(t, "b", objects[1].Name())
	require.Equal(t, "https://example.com/1", objects[0].Annotation("api-approved.kubernetes.io"))
	require.Empty(t, objects[0].Annotation("another"))
	require.Empty(t, objects[1].Annotation("api-approved.kubernetes.io"))
}

func TestRelaxSchemaAcceptsEveryObject(t *testing.T) {
	objects, err := parse([]byte(manifest))
	require.NoError(t, err)
	require.NoError(t, objects[0].RelaxSchema())
	version := objects[0]["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)
	require.Equal(t, "v1", version["name"])
	require.Equal(t, map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}}, version["schema"])
	require.ErrorContains(t, objects[1].RelaxSchema(), "Namespace b: only a CustomResourceDefinition has a schema")
}

func TestParseRefusesInvalidManifests(t *testing.T) {
	for _, row := range []struct{ reason, text, want string }{
		{"no object", "# nothing\n---\n", "it has no objects"},
		{"not YAML", "a: b: c", "mapping values are not allowed"},
		{"an object without a name", "apiVersion: v1\nkind: Namespace\n", `object "Namespace" "": must have apiVersion, kind and metadata.name`},
	} {
		t.Run(row.reason, func(t *testing.T) {
			_, err := parse([]byte(row.text))
			require.ErrorContains(t, err, row.want)
		})
	}
}
