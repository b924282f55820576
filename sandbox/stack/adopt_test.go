package stack

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

func TestFits(t *testing.T) {
	made := map[string]any{"cidrBlock": "10.0.0.0/16", "tags": map[string]any{"Name": "a"}, "arn": "arn:x", "name": "role-1a2b3c4"}
	for _, tc := range []struct {
		reason string
		inputs map[string]any
		want   bool
	}{
		{"all that is asked for is there", map[string]any{"cidrBlock": "10.0.0.0/16", "__defaults": []any{}}, true},
		{"another's tags", map[string]any{"cidrBlock": "10.0.0.0/16", "tags": map[string]any{"Name": "b"}}, false},
		{"a value that is not known yet was never sent", map[string]any{"cidrBlock": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}, false},
		{"a secret can't be compared", map[string]any{"cidrBlock": hidden}, true},
		{"a name made up anew has the same stem", map[string]any{"name": "role-9f8e7d6", "__defaults": []any{"name"}}, true},
		{"a name that a person gave is the name", map[string]any{"name": "role-9f8e7d6"}, false},
		{"another's made-up name", map[string]any{"name": "rule-9f8e7d6", "__defaults": []any{"name"}}, false},
	} {
		t.Run(tc.reason, func(t *testing.T) { require.Equal(t, tc.want, fits(made, tc.inputs)) })
	}
}

func TestWithAdopted(t *testing.T) {
	const preview = `{"steps":[
	 {"op":"same","newState":{"urn":"urn:vpc","type":"aws:ec2/vpc:Vpc"}},
	 {"op":"create","newState":{"urn":"urn:a","type":"aws:ec2/eip:Eip","custom":true,"inputs":{"domain":"vpc"},"parent":"urn:net"}},
	 {"op":"create","newState":{"urn":"urn:b","type":"aws:ec2/eip:Eip","custom":true,"inputs":{"domain":"vpc"}}},
	 {"op":"create","newState":{"urn":"urn:c","type":"kubernetes:core/v1:Service","custom":true,"inputs":{}}}]}`
	creations, err := planned([]byte(preview))
	require.NoError(t, err)
	require.Len(t, creations, 2, "creations at AWS alone")

	eip := func(id string) store.Object {
		return store.Object{Key: store.Key{Type: "aws:ec2/eip:Eip", ID: id}, State: map[string]any{"domain": "vpc"}}
	}
	state, report, err := withAdopted([]byte(`{"deployment":{"resources":[{"urn":"urn:net"}]}}`), creations, []store.Object{eip("eipalloc-1")})
	require.NoError(t, err)
	require.Equal(t, []string{"urn:a: was made, as eipalloc-1"}, report, "one object is taken once")
	require.JSONEq(t, `{"deployment":{"resources":[{"urn":"urn:net"},
	 {"urn":"urn:a","type":"aws:ec2/eip:Eip","custom":true,"id":"eipalloc-1","inputs":{},"outputs":{},"parent":"urn:net"}]}}`, string(state))

	state, _, err = withAdopted([]byte(`{"deployment":{}}`), creations, []store.Object{{Key: store.Key{Type: "aws:s3/bucketV2:BucketV2", ID: "b"}}})
	require.NoError(t, err)
	require.Nil(t, state, "what nobody plans to make is not ours")
}
