package kubernetes

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"
)

func TestValuesSurviveTheWire(t *testing.T) {
	given := fields{
		"replicas": int64(3), "ratio": 0.5, "on": true, "name": "web", "later": unknown{},
		"list":   []any{"a", fields{"password": "correct horse"}},
		"nested": fields{"a.b/c": "x"},
	}
	hide := newSecrets()
	hide.add(path{"list", 1, "password"}, "correct horse")
	sent, err := encode(given, hide)
	require.NoError(t, err)
	got, found, err := decode(sent)
	require.NoError(t, err)
	require.Equal(t, given, got)
	require.Equal(t, map[string]bool{"list[1].password": true}, found.paths)
	require.True(t, hasUnknown(got))
	require.False(t, hasUnknown(got["list"]))
}

func TestASecretIsHiddenWhereverItStands(t *testing.T) {
	hide := newSecrets()
	hide.add(path{"spec", "env", 0}, "correct horse")
	hide.add(path{"spec", "port"}, "8080")
	sent, err := encode(fields{"status": fields{"moved": "correct horse", "port": "8080"}}, hide)
	require.NoError(t, err)
	status := sent.GetFields()["status"].GetStructValue().GetFields()
	require.Equal(t, sigSecret, status["moved"].GetStructValue().GetFields()[sigKey].GetStringValue())
	require.Equal(t, "8080", status["port"].GetStringValue(), "a short text is only equal by chance")
}

func TestASecretHoldsNoSecrets(t *testing.T) {
	hide := newSecrets()
	hide.add(path{"data"}, fields{"token": "correct horse"})
	sent, err := encode(fields{"data": fields{"token": "correct horse"}}, hide)
	require.NoError(t, err)
	inner := sent.GetFields()["data"].GetStructValue().GetFields()["value"].GetStructValue()
	require.Equal(t, "correct horse", inner.GetFields()["token"].GetStringValue())
}

func TestAnAssetIsRefusedByItsPath(t *testing.T) {
	_, _, err := decode(&structpb.Struct{Fields: map[string]*structpb.Value{
		"file": structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{sigKey: structpb.NewStringValue("c44067f5952c0a294b673a41bacd8c17")}}),
	}})
	require.ErrorContains(t, err, "file: assets")
}

func TestPaths(t *testing.T) {
	for _, tc := range []struct {
		reason, text string
		path         path
	}{
		{"plain fields", "spec.replicas", path{"spec", "replicas"}},
		{"a place in a list", "spec.containers[0].image", path{"spec", "containers", 0, "image"}},
		{"a key with dots", `metadata.annotations["a.b/c"]`, path{"metadata", "annotations", "a.b/c"}},
		{"a key with a quote", `data["a\"]b"].c`, path{"data", `a"]b`, "c"}},
		{"a number as a key", `data["1"]`, path{"data", "1"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			require.Equal(t, tc.text, tc.path.String())
			got, err := parsePath(tc.text)
			require.NoError(t, err)
			require.Equal(t, tc.path, got)
		})
	}
	for _, broken := range []string{"a[", "a[x]", `a["b`, `a["b"`} {
		_, err := parsePath(broken)
		require.ErrorContains(t, err, "property path", broken)
	}
}
