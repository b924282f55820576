package stack

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/layout"
)

func TestObjectMayComeFromInputsThatItContains(t *testing.T) {
	object := map[string]any{
		"cidrBlock": "10.0.0.0/16", "enable": true, "arn": "arn:x", "name": "role-1a2b3c4",
		"tags": map[string]any{"Name": "a"}, "list": []any{"x"},
	}
	for _, tc := range []struct {
		reason string
		inputs map[string]any
		want   bool
	}{
		{"outputs do not matter", map[string]any{"cidrBlock": "10.0.0.0/16", "__defaults": []any{}}, true},
		{"another value", map[string]any{"cidrBlock": "10.1.0.0/16"}, false},
		{"a property that the object lacks", map[string]any{"other": "x"}, false},
		{"an input with properties and lists", map[string]any{"tags": map[string]any{"Name": "a", "__defaults": []any{}}, "list": []any{"x"}}, true},
		{"the tags of another object", map[string]any{"cidrBlock": "10.0.0.0/16", "tags": map[string]any{"Name": "b"}}, false},
		{"a longer list", map[string]any{"list": []any{"x", "y"}}, false},
		{"a list instead of a boolean", map[string]any{"enable": []any{"x"}}, false},
		{"an unknown value, which the engine never sends", map[string]any{"cidrBlock": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}, false},
		{"a secret of a preview can't be compared", map[string]any{"cidrBlock": hiddenSecret}, true},
		{"a secret of a state can't be compared", map[string]any{"cidrBlock": map[string]any{secretSignature: "1b47", "ciphertext": "…"}}, true},
		{"a generated name with the same beginning", map[string]any{"name": "role-9f8e7d6", "__defaults": []any{"name"}}, true},
		{"a name from the program must be equal", map[string]any{"name": "role-9f8e7d6"}, false},
		{"a generated name with another beginning", map[string]any{"name": "rule-9f8e7d6", "__defaults": []any{"name"}}, false},
	} {
		t.Run(tc.reason, func(t *testing.T) { require.Equal(t, tc.want, MayComeFrom(newObject("vpc", "1", object), tc.inputs)) })
	}
}

// AWS and the provider keep some values in a different form than the program sends.
func TestMayComeFromComparesByMeaning(t *testing.T) {
	record := newObject("aws:route53/record:Record", "1", map[string]any{"name": "_1.example.com", "type": "CNAME", "records": []any{"a", "b"}})
	require.True(t, MayComeFrom(record, map[string]any{"name": "_1.example.com."}), "a domain with its final dot")
	require.True(t, MayComeFrom(record, map[string]any{"records": []any{"b", "a"}}), "a set in another order")
	require.False(t, MayComeFrom(record, map[string]any{"name": "_2.example.com."}), "another domain")
	role := newObject("aws:iam/role:Role", "1", map[string]any{"assumeRolePolicy": `{"Statement":[{"Action":["b","a"]}]}`})
	require.True(t, MayComeFrom(role, map[string]any{"assumeRolePolicy": `{"Statement": [{"Action": ["a", "b"]}]}`}), "a document of the same meaning")
}

const subnetType = "aws:ec2/subnet:Subnet"

// newObject returns an object of the AWS stand-in that AWS did not create by itself.
func newObject(typ, id string, state map[string]any) store.Object {
	return store.Object{Key: store.Key{Scope: store.Scope{Account: "1", Region: "r"}, Type: typ, ID: id}, State: state}
}

func TestOrphansAreInNoStateAndWereNotCreatedByAWS(t *testing.T) {
	l, err := layout.Create(t.TempDir(), layout.Settings{})
	require.NoError(t, err)
	s := &Stack{layout: l, name: "sandbox"}
	writeState(t, s, "other", `{"checkpoint":{"latest":{"resources":[{"type":"`+subnetType+`","id":"subnet-1"}]}}}`)
	objects, err := store.Open(l.AWS())
	require.NoError(t, err)
	require.NoError(t, objects.Update(t.Context(), func(tx *store.Tx) error {
		owned := newObject(subnetType, "subnet-3", nil)
		owned.Owner = "vpc-1"
		for _, o := range []store.Object{newObject(subnetType, "subnet-1", nil), newObject(subnetType, "subnet-2", nil), owned} {
			tx.Put(o)
		}
		return nil
	}))
	orphans, err := s.findOrphans(t.Context())
	require.NoError(t, err)
	require.Len(t, orphans, 1, "an object of another stack is not an orphan, and neither is one that AWS creates by itself")
	require.Equal(t, "subnet-2", orphans[0].ID)
}

// interruptedState is an exported state with pending operations.
const interruptedState = `{"version":3,"deployment":{
 "manifest":{"magic":"m"},
 "resources":[
  {"urn":"urn:stack","type":"pulumi:pulumi:Stack","outputs":{"url":"http://x"}},
  {"urn":"urn:a","type":"aws:ec2/subnet:Subnet","id":"subnet-1","custom":true,"inputs":{"big":9007199254740993}}],
 "pending_operations":[
  {"type":"creating","resource":{"urn":"urn:b","type":"aws:ec2/subnet:Subnet","custom":true,"inputs":{"cidrBlock":"10.0.1.0/24"}}},
  {"type":"creating","resource":{"urn":"urn:c","type":"aws:ec2/subnet:Subnet","custom":true,"inputs":{"cidrBlock":"10.0.2.0/24"}}},
  {"type":"creating","resource":{"urn":"urn:d","type":"kubernetes:core/v1:Service","custom":true,"inputs":{}}},
  {"type":"updating","resource":{"urn":"urn:a","type":"aws:ec2/subnet:Subnet","id":"subnet-1","custom":true}}]}}`

// editPendingOperations parses an exported state, calls resolvePending for it, and returns the
// edit and the edited state.
func editPendingOperations(t *testing.T, exported string, orphans ...store.Object) (*stateEdit, string) {
	t.Helper()
	state, err := parseExport([]byte(exported))
	require.NoError(t, err)
	e, err := newStateEdit([]byte(exported), orphans)
	require.NoError(t, err)
	e.resolvePending(state.Operations)
	raw, err := json.Marshal(e.export)
	require.NoError(t, err)
	return e, string(raw)
}

func TestPendingCreationsBecomeResourcesIfTheirObjectsExist(t *testing.T) {
	// subnet-2 belongs to urn:b; the subnet of urn:c was never created.
	e, state := editPendingOperations(t, interruptedState, newObject(subnetType, "subnet-2", map[string]any{"cidrBlock": "10.0.1.0/24"}))
	require.Equal(t, []string{
		"urn:b: was created, as subnet-2",
		"urn:c: was not recorded; the next update creates it",
		"urn:d: was not recorded; the next update creates it",
		"urn:a: updating was interrupted; the refresh reads the resource",
	}, e.report)
	require.Empty(t, e.orphans)
	require.JSONEq(t, `{"version":3,"deployment":{
	 "manifest":{"magic":"m"},
	 "resources":[
	  {"urn":"urn:stack","type":"pulumi:pulumi:Stack","outputs":{"url":"http://x"}},
	  {"urn":"urn:a","type":"aws:ec2/subnet:Subnet","id":"subnet-1","custom":true,"inputs":{"big":9007199254740993}},
	  {"urn":"urn:b","type":"aws:ec2/subnet:Subnet","id":"subnet-2","custom":true,"inputs":{"cidrBlock":"10.0.1.0/24"}}]}}`, state)
	require.Contains(t, state, "9007199254740993", "numbers keep all their digits")
}

func TestPendingReplacementTakesTheOldPosition(t *testing.T) {
	const state = `{"deployment":{
	 "resources":[
	  {"urn":"urn:vpc","type":"vpc","id":"old"},
	  {"urn":"urn:subnet","type":"subnet","id":"s","dependencies":["urn:vpc"]}],
	 "pending_operations":[{"type":"creating","resource":{"urn":"urn:vpc","type":"vpc"}}]}}`
	_, edited := editPendingOperations(t, state, newObject("vpc", "new", nil))
	require.JSONEq(t, `{"deployment":{"resources":[
	  {"urn":"urn:vpc","type":"vpc","id":"new"},
	  {"urn":"urn:subnet","type":"subnet","id":"s","dependencies":["urn:vpc"]},
	  {"urn":"urn:vpc","type":"vpc","id":"old","delete":true}]}}`, edited)
}

func TestCreationsOfAPreviewAreAdopted(t *testing.T) {
	const preview = `{"steps":[
	 {"op":"same","newState":{"urn":"urn:vpc","type":"aws:ec2/vpc:Vpc"}},
	 {"op":"create","newState":{"urn":"urn:a","type":"aws:ec2/eip:Eip","custom":true,"inputs":{"domain":"vpc"},"parent":"urn:net"}},
	 {"op":"create-replacement","newState":{"urn":"urn:b","type":"aws:ec2/eip:Eip","custom":true,"inputs":{"domain":"vpc"}}},
	 {"op":"create","newState":{"urn":"urn:c","type":"kubernetes:core/v1:Service","custom":true,"inputs":{}}}]}`
	creations, err := parseCreations([]byte(preview))
	require.NoError(t, err)
	require.Len(t, creations, 3)

	bucket := newObject("aws:s3/bucketV2:BucketV2", "b", nil)
	e, err := newStateEdit([]byte(`{"deployment":{"resources":[{"urn":"urn:net"}]}}`),
		[]store.Object{bucket, newObject("aws:ec2/eip:Eip", "eipalloc-1", map[string]any{"domain": "vpc"})})
	require.NoError(t, err)
	for _, c := range creations {
		e.adopt(c)
	}
	require.Equal(t, []string{"urn:a: was created, as eipalloc-1"}, e.report, "one object is adopted once")
	require.Equal(t, []store.Object{bucket}, e.orphans, "an object that the preview does not create is not adopted")
	raw, err := json.Marshal(e.export)
	require.NoError(t, err)
	require.JSONEq(t, `{"deployment":{"resources":[{"urn":"urn:net"},
	 {"urn":"urn:a","type":"aws:ec2/eip:Eip","custom":true,"id":"eipalloc-1","inputs":{},"outputs":{},"parent":"urn:net"}]}}`, string(raw))
}

func TestOutputReadsAStackOutput(t *testing.T) {
	state, err := parseExport([]byte(interruptedState))
	require.NoError(t, err)
	require.Equal(t, "http://x", state.Output("url"))
	require.Empty(t, state.Output("none"))
}
