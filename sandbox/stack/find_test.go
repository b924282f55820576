package stack

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/home"
)

func TestMadeFrom(t *testing.T) {
	object := map[string]any{"cidrBlock": "10.0.0.0/16", "enable": true, "id": "vpc-1", "tags": map[string]any{"Name": "a"}, "list": []any{"x"}}
	cases := []struct {
		reason string
		inputs map[string]any
		want   bool
	}{
		{"outputs do not matter", map[string]any{"cidrBlock": "10.0.0.0/16"}, true},
		{"another value", map[string]any{"cidrBlock": "10.1.0.0/16"}, false},
		{"a property that it lacks", map[string]any{"other": "x"}, false},
		{"nested", map[string]any{"tags": map[string]any{"Name": "a"}, "list": []any{"x"}}, true},
		{"another nested value", map[string]any{"tags": map[string]any{"Name": "b"}}, false},
		{"a longer list", map[string]any{"list": []any{"x", "y"}}, false},
		{"the engine's own", map[string]any{"__defaults": []any{}, "enable": true}, true},
		{"a secret cannot be compared", map[string]any{"cidrBlock": map[string]any{secretSignature: "1b47", "ciphertext": "…"}}, true},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) { require.Equal(t, c.want, madeFrom(object, c.inputs)) })
	}
}

func TestFindAWS(t *testing.T) {
	h, err := home.Create(t.TempDir(), home.Settings{})
	require.NoError(t, err)
	objects, err := store.Open(h.AWS())
	require.NoError(t, err)
	const vpc = "aws:ec2/vpc:Vpc"
	require.NoError(t, objects.Update(t.Context(), func(tx *store.Tx) error {
		for id, cidr := range map[string]string{"vpc-1": "10.0.0.0/16", "vpc-2": "10.0.0.0/16", "vpc-3": "10.9.0.0/16"} {
			tx.Put(store.Object{
				Key:   store.Key{Scope: store.Scope{Account: "1", Region: "r"}, Type: vpc, ID: id},
				State: map[string]any{"cidrBlock": cidr},
			})
		}
		return nil
	}))
	s := &Stack{home: h}
	wanted := Resource{Type: vpc, Inputs: map[string]any{"cidrBlock": "10.0.0.0/16"}}
	id, found, err := s.find(t.Context(), wanted, map[string]bool{"vpc-1": true})
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, "vpc-2", id, "vpc-1 is in the state already, vpc-3 is another")

	_, found, err = s.find(t.Context(), wanted, map[string]bool{"vpc-1": true, "vpc-2": true})
	require.NoError(t, err)
	require.False(t, found)

	_, found, err = s.find(t.Context(), Resource{Type: "ko:index:Image"}, nil)
	require.NoError(t, err)
	require.False(t, found, "an image is pushed again, to the same digest")
}

func TestQualified(t *testing.T) {
	require.Equal(t, "Deployment.v1.apps", qualified("Deployment", "apps/v1"))
	require.Equal(t, "Namespace.v1.", qualified("Namespace", "v1"))
}
