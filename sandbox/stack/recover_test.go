package stack

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/home"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestHolds(t *testing.T) {
	m := machine{hostname: "here", started: func(pid int) (time.Time, bool) {
		began, ok := map[int]time.Time{10: noon.Add(-time.Minute), 11: noon.Add(time.Hour)}[pid]
		return began, ok
	}}
	cases := []struct {
		reason string
		lock   holder
		want   bool
	}{
		{"a pulumi that runs", holder{PID: 10, Hostname: "here", Timestamp: noon}, true},
		{"a pulumi that was killed", holder{PID: 12, Hostname: "here", Timestamp: noon}, false},
		{"its id was given to a later one", holder{PID: 11, Hostname: "here", Timestamp: noon}, false},
		{"another machine cannot be seen", holder{PID: 12, Hostname: "there", Timestamp: noon}, true},
		{"a lock that was cut short names nobody", holder{}, false},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) { require.Equal(t, c.want, m.holds(c.lock)) })
	}
}

func TestLocks(t *testing.T) {
	h, err := home.Create(t.TempDir(), home.Settings{})
	require.NoError(t, err)
	dir := filepath.Join(h.Backend(), ".pulumi/locks/organization/progressive-framework/sandbox")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	none, err := locks(h, "sandbox")
	require.NoError(t, err)
	require.Empty(t, none)

	whole, err := json.Marshal(holder{PID: 7, Hostname: "here", Username: "me", Timestamp: noon})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.json"), whole, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.json"), whole[:9], 0o600))
	got, err := locks(h, "sandbox")
	require.NoError(t, err)
	require.Equal(t, []holder{{PID: 7, Hostname: "here", Username: "me", Timestamp: noon}, {}}, got)

	other, err := locks(h, "staging")
	require.NoError(t, err)
	require.Empty(t, other, "locks of another stack are not ours")
}

const cut = `{"version":3,"deployment":{
 "manifest":{"magic":"m"},
 "resources":[
  {"urn":"urn:stack","type":"pulumi:pulumi:Stack","outputs":{"url":"http://x"}},
  {"urn":"urn:a","type":"aws:ec2/subnet:Subnet","id":"subnet-1","custom":true,"inputs":{"big":9007199254740993}}],
 "pending_operations":[
  {"type":"creating","resource":{"urn":"urn:b","type":"aws:ec2/subnet:Subnet","custom":true,"inputs":{"cidrBlock":"10.0.1.0/24"}}},
  {"type":"creating","resource":{"urn":"urn:c","type":"aws:ec2/subnet:Subnet","custom":true,"inputs":{"cidrBlock":"10.0.2.0/24"}}},
  {"type":"updating","resource":{"urn":"urn:a","type":"aws:ec2/subnet:Subnet","id":"subnet-1","custom":true}}]}}`

func TestSettle(t *testing.T) {
	// subnet-2 was made for one of the two; the other never was.
	find := func(_ context.Context, _ Resource, taken map[string]bool) (string, bool, error) {
		require.True(t, taken["subnet-1"], "what the state knows is no orphan")
		return "subnet-2", !taken["subnet-2"], nil
	}
	settled, report, err := settle(t.Context(), []byte(cut), find)
	require.NoError(t, err)
	require.Equal(t, []string{
		"creating urn:b: was made, as subnet-2",
		"creating urn:c: was not made",
		"updating urn:a: read anew",
	}, report)
	require.JSONEq(t, `{"version":3,"deployment":{
	 "manifest":{"magic":"m"},
	 "resources":[
	  {"urn":"urn:stack","type":"pulumi:pulumi:Stack","outputs":{"url":"http://x"}},
	  {"urn":"urn:a","type":"aws:ec2/subnet:Subnet","id":"subnet-1","custom":true,"inputs":{"big":9007199254740993}},
	  {"urn":"urn:b","type":"aws:ec2/subnet:Subnet","id":"subnet-2","custom":true,"inputs":{"cidrBlock":"10.0.1.0/24"}}]}}`, string(settled))
	require.Contains(t, string(settled), "9007199254740993", "numbers keep all their digits")
}

func TestSettleAReplacement(t *testing.T) {
	const state = `{"deployment":{
	 "resources":[
	  {"urn":"urn:vpc","type":"vpc","id":"old"},
	  {"urn":"urn:subnet","type":"subnet","id":"s","dependencies":["urn:vpc"]}],
	 "pending_operations":[{"type":"creating","resource":{"urn":"urn:vpc","type":"vpc"}}]}}`
	settled, _, err := settle(t.Context(), []byte(state), func(context.Context, Resource, map[string]bool) (string, bool, error) {
		return "new", true, nil
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"deployment":{"resources":[
	  {"urn":"urn:vpc","type":"vpc","id":"new"},
	  {"urn":"urn:subnet","type":"subnet","id":"s","dependencies":["urn:vpc"]},
	  {"urn":"urn:vpc","type":"vpc","id":"old","delete":true}]}}`, string(settled))
}

func TestSettleLeavesAWholeStateAlone(t *testing.T) {
	settled, report, err := settle(t.Context(), []byte(`{"version":3,"deployment":{"resources":[]}}`), nil)
	require.NoError(t, err)
	require.Nil(t, settled)
	require.Empty(t, report)
}

func TestSettleFailsWhereItCannotLook(t *testing.T) {
	_, _, err := settle(t.Context(), []byte(cut), func(context.Context, Resource, map[string]bool) (string, bool, error) {
		return "", false, errors.New("no answer")
	})
	require.ErrorContains(t, err, "what became of urn:b: no answer")
}

func TestOutput(t *testing.T) {
	state, err := parseExport([]byte(cut))
	require.NoError(t, err)
	require.Equal(t, "http://x", state.Output("url"))
	require.Empty(t, state.Output("none"))
}
