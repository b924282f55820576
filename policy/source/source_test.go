package source

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/value"
)

const (
	keyURN    = "urn:pulumi:prod::p::progressive:key:Key$aws:kms/key:Key::k"
	bucketURN = "urn:pulumi:prod::p::aws:s3/bucketV2:BucketV2::b"
)

func TestParseReadsAPreview(t *testing.T) {
	s, err := Parse([]byte(`{
  "config": {"progressive-framework:environment": "prod"},
  "steps": [
    {"op": "create", "newState": {"urn": "` + keyURN + `", "inputs": {"enableKeyRotation": true, "__defaults": []},
      "sourcePosition": "project:///../../github.com/progressive-framework/platform/components/key/key.go#106,14"}},
    {"op": "create", "newState": {"urn": "` + bucketURN + `", "sourcePosition": "project:///../../github.com/pulumi/pulumi/sdk/v3@v3.259.0/go/pulumi/run.go#104", "protect": true, "provider": "urn:pulumi:prod::p::pulumi:providers:aws::aws::some-id",
      "inputs": {"kmsKeyId": "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "password": "[secret]"},
      "propertyDependencies": {"kmsKeyId": ["` + keyURN + `"], "password": null}}},
    {"op": "delete", "newState": {"urn": "urn:pulumi:prod::p::t:t:Gone::x"}}
  ]}`))
	require.NoError(t, err)
	require.Equal(t, "prod", s.Name())
	require.Equal(t, "prod", s.Config["progressive-framework:environment"])
	require.Len(t, s.Graph.All(), 2, "a deleted resource has no state")
	key, bucket := s.Graph.Find(keyURN), s.Graph.Find(bucketURN)
	require.Equal(t, "aws:kms/key:Key", key.Type)
	require.Equal(t, graph.Source{File: "components/key/key.go", Line: 106}, key.Source)
	require.Empty(t, bucket.Source, "a file of another module has no position in the project")
	names, _ := key.Inputs.Keys()
	require.Equal(t, []string{"enableKeyRotation"}, names, "keys that the engine adds are left out")
	require.Equal(t, "urn:pulumi:prod::p::pulumi:providers:aws::aws", bucket.Provider)
	require.True(t, bucket.Protect)
	require.True(t, bucket.Inputs.Get("password").IsSecret())
	require.Equal(t, value.True, bucket.View().Get("kmsKeyId").IsSet(), "the output of a resource is set")
	require.Equal(t, value.Unknown, bucket.View().Get("password").IsSet())
	require.Equal(t, []*graph.Resource{key}, s.Graph.Refs(bucket, "kmsKeyId", key.Type).Resources)
	require.Equal(t, []*graph.Resource{bucket}, s.Graph.Referrers(key, bucket.Type, "kmsKeyId").Resources)
}

func TestParseReadsAStateExport(t *testing.T) {
	s, err := Parse([]byte(`{"version": 3, "deployment": {"resources": [
    {"urn": "` + keyURN + `", "id": "1234", "outputs": {"arn": "arn:aws:kms:::key/1234"}},
    {"urn": "` + bucketURN + `", "inputs": {"kmsKeyId": "arn:aws:kms:::key/1234",
      "password": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}}},
    {"urn": "` + bucketURN + `", "delete": true, "inputs": {"old": true}}
  ]}}`))
	require.NoError(t, err)
	require.Len(t, s.Graph.All(), 2, "a resource that waits for its deletion is left out")
	key, bucket := s.Graph.Find(keyURN), s.Graph.Find(bucketURN)
	require.True(t, bucket.Inputs.Get("password").IsSecret())
	require.Equal(t, []*graph.Resource{key}, s.Graph.Refs(bucket, "kmsKeyId", key.Type).Resources, "a literal ARN is also a reference")
}

func TestParseReadsARecording(t *testing.T) {
	raw, err := Record([]byte(`{"steps": [
    {"op": "create", "newState": {"urn": "` + keyURN + `", "type": "aws:kms/key:Key", "inputs": {"policy": "a<b", "name": "x-12ab34c"}, "sourcePosition": "project:///x.go#1"}},
    {"op": "create", "newState": {"urn": "urn:pulumi:prod::p::progressive:key:Key::k", "type": "progressive:key:Key"}}
  ]}`))
	require.NoError(t, err)
	require.Equal(t, `{"urn":"`+keyURN+`","inputs":{"name":"x-0000000","policy":"a<b"}}`+"\n", string(raw), "neither components nor source positions are recorded")
	s, err := Parse(raw)
	require.NoError(t, err)
	require.Equal(t, "aws:kms/key:Key", s.Graph.All()[0].Type)
}

func TestParseRefusesAFileWithoutResources(t *testing.T) {
	for _, raw := range []string{"", "[]", "{}", `{"deployment": {"resources": []}}`} {
		_, err := Parse([]byte(raw))
		require.Error(t, err, raw)
	}
}
