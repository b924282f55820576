package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"
)

func TestDecodeReversesEncode(t *testing.T) {
	in := map[string]any{
		"text": "a", "flag": true, "number": 1.5, "list": []any{"a", 1.0, map[string]any{"b": false}},
		"object": map[string]any{"unknown": Unknown{}}, "empty": map[string]any{}, "none": []any{},
	}
	s, err := Encode(in)
	require.NoError(t, err)
	require.Equal(t, in, Decode(s))
	require.True(t, ContainsUnknown(in))
	require.False(t, ContainsUnknown(in["list"]))
}

func TestDecodeReplacesMarkedValues(t *testing.T) {
	addMarker := func(sig string, fields map[string]any) map[string]any {
		fields[sigKey] = sig
		return fields
	}
	s, err := Encode(map[string]any{
		"null":          nil,
		"secret":        Secret{Value: "x"},
		"output":        addMarker(sigOutput, map[string]any{"value": "x", "secret": true}),
		"pendingOutput": addMarker(sigOutput, map[string]any{}),
		"resource":      addMarker(sigResource, map[string]any{"urn": "u", "id": "i"}),
		"newResource":   addMarker(sigResource, map[string]any{"urn": "u", "id": ""}),
		"asset":         addMarker(sigAsset, map[string]any{"hash": "h", "text": "t"}),
		"archive":       addMarker(sigArchive, map[string]any{"path": "p"}),
		"unknownNumber": "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
	})
	require.NoError(t, err)
	out := Decode(s)
	require.Equal(t, map[string]any{
		"secret": "x", "output": "x", "pendingOutput": Unknown{}, "resource": "i", "newResource": Unknown{}, "unknownNumber": Unknown{},
		"archive": Archive{}, "asset": map[string]any{sigKey: sigAsset, "hash": "h", "text": "t"},
	}, out)
	require.True(t, IsAsset(out["asset"]))
	require.False(t, IsAsset(map[string]any{"hash": "h"}))
}

func TestEncodeAcceptsOtherGoTypes(t *testing.T) {
	s, err := Encode(map[string]any{"n": 3, "list": []string{"a"}, "tags": map[string]string{"k": "v"}})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"n": 3.0, "list": []any{"a"}, "tags": map[string]any{"k": "v"}}, Decode(s))
	_, err = Encode(map[string]any{"list": []any{struct{}{}}})
	require.ErrorContains(t, err, "property list: [0]: a struct {} can't be sent")
	require.Empty(t, Decode(&structpb.Struct{}))
}

func TestCloneSharesNoValue(t *testing.T) {
	in := map[string]any{"list": []any{map[string]any{"a": "b"}}}
	out := CloneMap(in)
	out["list"].([]any)[0].(map[string]any)["a"] = "changed"
	require.Equal(t, "b", in["list"].([]any)[0].(map[string]any)["a"])
}
