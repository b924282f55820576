package canonicalplan

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const (
	roleURN   = "urn:pulumi:prod::p::progressive:iam:Role$aws:iam/role:Role::web-role"
	policyURN = "urn:pulumi:prod::p::aws:iam/rolePolicy:RolePolicy::web-policy"
	imageURN  = "urn:pulumi:prod::p::ko:index:Image::web"
	secretURN = "urn:pulumi:prod::p::aws:secretsmanager/secretVersion:SecretVersion::db"
)

// newPlan returns the plan of a preview with these steps, which are JSON.
func newPlan(t *testing.T, steps ...string) *Plan {
	t.Helper()
	preview, err := ParsePreview([]byte(`{"steps": [` + strings.Join(steps, ",") + `]}`))
	require.NoError(t, err)
	p, err := New(Origin{Stack: "prod", Commit: "c", Config: "g", State: "s"}, preview)
	require.NoError(t, err)
	return p
}

// stepJSON returns the JSON of a step of the engine.
func stepJSON(op, urn, inputs string) string {
	return fmt.Sprintf(`{"op": %q, "urn": %q, "newState": {"inputs": %s}}`, op, urn, inputs)
}

// Two runs of one program have equal plans, although some of their values differ.
func TestPlanLeavesOutValuesThatDifferInEachRun(t *testing.T) {
	newRunPlan := func(suffix, secret, order string) *Plan {
		steps := []string{
			stepJSON("create", roleURN, `{"name": "web-role-`+suffix+`", "__defaults": ["name"]}`),
			stepJSON("create", policyURN, `{"role": "web-role-`+suffix+`", "policy": "{\"Resource\":\"role/web-role-`+suffix+`\"}"}`),
			stepJSON("create", secretURN, `{"secretId": "x", "values": {"password": "[secret]", "`+secret+`": "[secret]"}}`),
		}
		if order == "reversed" {
			steps[0], steps[2] = steps[2], steps[0]
		}
		return newPlan(t, steps...)
	}
	first := newRunPlan("0a91f4b", "username", "")
	require.Equal(t, first.Digest, newRunPlan("2a85dbd", "username", "reversed").Digest, "a generated name and the order of registration")
	require.Equal(t, first.Digest, newRunPlan("0a91f4b", "other", "").Digest, "secrets are left out")
	require.Empty(t, Differences(first, newRunPlan("2a85dbd", "username", "reversed")))
}

// If the Kubernetes provider has generated the name of an object, it marks the object
// with an annotation.
func TestPlanLeavesOutTheRandomSuffixOfKubernetesNames(t *testing.T) {
	const job = "urn:pulumi:prod::p::kubernetes:batch/v1:Job::migrate-job"
	newJobPlan := func(name, annotations string) *Plan {
		return newPlan(t, stepJSON("replace", job, `{"metadata": {"name": "`+name+`", "annotations": {`+annotations+`}}}`))
	}
	const marked = `"pulumi.com/autonamed": "true"`
	first := newJobPlan("migrate-job-c81c1e20", marked)
	require.Equal(t, first.Digest, newJobPlan("migrate-job-d4d61a44", marked).Digest)
	require.NotEqual(t, first.Digest, newJobPlan("other-job-d4d61a44", marked).Digest, "a name that is not the resource's")
	require.NotEqual(t, newJobPlan("migrate-job-c81c1e20", "").Digest, newJobPlan("migrate-job-d4d61a44", "").Digest, "names that the program sets")
}

func TestOtherValuesNamesAndOperationsChangeThePlan(t *testing.T) {
	base := stepJSON("create", roleURN, `{"name": "web-role-0a91f4b", "__defaults": ["name"], "path": "/"}`)
	for _, tc := range []struct{ reason, other string }{
		{"a name that the program sets", stepJSON("create", roleURN, `{"name": "web-role-0a91f4b", "__defaults": [], "path": "/"}`)},
		{"another name before the random suffix", stepJSON("create", roleURN, `{"name": "webrole-0a91f4b", "__defaults": ["name"], "path": "/"}`)},
		{"another value", stepJSON("create", roleURN, `{"name": "web-role-0a91f4b", "__defaults": ["name"], "path": "/x/"}`)},
		{"an additional input", stepJSON("create", roleURN, `{"name": "web-role-0a91f4b", "__defaults": ["name"], "path": "/", "tags": {}}`)},
		{"another operation", stepJSON("update", roleURN, `{"name": "web-role-0a91f4b", "__defaults": ["name"], "path": "/"}`)},
		{"another resource", stepJSON("create", policyURN, `{"name": "web-role-0a91f4b", "__defaults": ["name"], "path": "/"}`)},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			a, b := newPlan(t, base), newPlan(t, tc.other)
			require.NotEqual(t, a.Digest, b.Digest)
			require.NotEmpty(t, Differences(a, b))
		})
	}
}

// A different value of any input makes a different plan, unless the input is a secret.
func TestEveryInputChangesTheDigest(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		first, second := rapid.String().Draw(r, "first"), rapid.String().Draw(r, "second")
		inputs := rapid.SampledFrom([]string{`{"a": %s}`, `{"a": {"b": %s}}`, `{"a": [1, %s]}`}).Draw(r, "inputs")
		digest := func(value string) string {
			raw, err := json.Marshal(value)
			require.NoError(r, err)
			return newPlan(t, stepJSON("create", roleURN, fmt.Sprintf(inputs, raw))).Digest
		}
		require.Equal(r, first == second, digest(first) == digest(second))
	})
}

func TestReplacementIsOneStep(t *testing.T) {
	p := newPlan(t,
		`{"op": "create-replacement", "urn": "`+roleURN+`", "newState": {"inputs": {"path": "/x"}}, "diffReasons": ["path"], "replaceReasons": ["path"]}`,
		`{"op": "replace", "urn": "`+roleURN+`", "newState": {"inputs": {"path": "/x"}}, "detailedDiff": {"path": {"kind": "update-replace"}}}`,
		`{"op": "delete-replaced", "urn": "`+roleURN+`", "oldState": {}}`,
		`{"op": "same", "urn": "`+policyURN+`"}`,
		`{"op": "update", "urn": "`+imageURN+`", "oldState": {"inputs": {"digest": "sha256:a"}}, "newState": {"inputs": {"digest": "sha256:b"}}}`)
	require.Len(t, p.Steps, 2)
	require.Equal(t, Counts{Update: 1, Replace: 1}, p.Counts())
	require.Equal(t, []string{"path"}, p.Steps[1].Because)
	require.Equal(t, []string{"path"}, p.Steps[1].Changed)
	require.Equal(t, 1, p.Unchanged)
	require.Equal(t, []Image{{"web", "sha256:a", "sha256:b"}}, p.Images)
}

func TestDifferencesNameWhatHasChanged(t *testing.T) {
	approved := newPlan(t, stepJSON("create", roleURN, `{"path": "/"}`), stepJSON("update", policyURN, `{"policy": "a"}`))
	for _, tc := range []struct {
		reason  string
		current *Plan
		want    string
	}{
		{"program", withChange(newPlan(t, stepJSON("create", roleURN, `{"path": "/"}`), stepJSON("update", policyURN, `{"policy": "a"}`)), func(p *Plan) { p.Commit = "d" }), "commit: approved c, now d"},
		{"configuration", withChange(approved, func(p *Plan) { p.Config = "h" }), "configuration: approved g, now h"},
		{"state", withChange(approved, func(p *Plan) { p.State = "z" }), "state: approved s, now z"},
		{"stack", withChange(approved, func(p *Plan) { p.Stack = "staging" }), "stack: approved prod, now staging"},
		{"a value", newPlan(t, stepJSON("create", roleURN, `{"path": "/x"}`), stepJSON("update", policyURN, `{"policy": "a"}`)), "aws:iam/role:Role web-role: other new values of path"},
		{"a step is missing", newPlan(t, stepJSON("create", roleURN, `{"path": "/"}`)), "web-policy: approved update, now unchanged"},
		{"an additional step", newPlan(t, stepJSON("create", roleURN, `{"path": "/"}`), stepJSON("update", policyURN, `{"policy": "a"}`), stepJSON("delete", imageURN, "{}")), "ko:index:Image web: not approved, now delete"},
		{"another operation", newPlan(t, stepJSON("replace", roleURN, `{"path": "/"}`), stepJSON("update", policyURN, `{"policy": "a"}`)), "approved create, now replace"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			require.Contains(t, strings.Join(Differences(approved, tc.current), "\n"), tc.want)
		})
	}
}

// withChange returns a copy of a plan that edit has changed, with the new digest.
func withChange(p *Plan, edit func(*Plan)) *Plan {
	other := *p
	edit(&other)
	if err := other.sortAndSetDigest(); err != nil {
		panic(err)
	}
	return &other
}

func TestEditedPlanIsRefused(t *testing.T) {
	raw, err := newPlan(t, stepJSON("delete", roleURN, "{}")).Encode()
	require.NoError(t, err)
	decoded, err := Decode(raw)
	require.NoError(t, err)
	require.Equal(t, Delete, decoded.Steps[0].Op)
	for _, edit := range [][2]string{{`"delete"`, `"update"`}, {`"commit": "c"`, `"commit": "d"`}, {`"schema": 1`, `"schema": 2`}} {
		_, err := Decode([]byte(strings.Replace(string(raw), edit[0], edit[1], 1)))
		require.Error(t, err, edit)
	}
	_, err = Decode([]byte("x"))
	require.Error(t, err)
}

func TestCompareOperationsListsOperationsThatWereNotApproved(t *testing.T) {
	p := newPlan(t, stepJSON("create", roleURN, "{}"), stepJSON("update", policyURN, "{}"), stepJSON("replace", imageURN, "{}"))
	unplanned, unneeded := p.CompareOperations([]DoneOperation{
		{roleURN, "create"}, {imageURN, "create-replacement"}, {imageURN, "replace"}, {imageURN, "delete-replaced"}, {policyURN, "same"},
	})
	require.Empty(t, unplanned)
	require.Equal(t, []string{"aws:iam/rolePolicy:RolePolicy web-policy: approved update, was not needed"}, unneeded)
	unplanned, _ = p.CompareOperations([]DoneOperation{{roleURN, "create"}, {policyURN, "replace"}, {"urn:pulumi:prod::p::a:b:C::new", "delete"}})
	require.Equal(t, []string{"aws:iam/rolePolicy:RolePolicy web-policy: done replace, approved update", "a:b:C new: done delete, not approved"}, unplanned)
}

// Two previews for an empty state show which resources a commit changes.
func TestPlanBetweenHasTheChangesOfACommit(t *testing.T) {
	before := newPlan(t, stepJSON("create", roleURN, `{"path": "/", "gone": 1}`), stepJSON("create", policyURN, "{}"), stepJSON("create", imageURN, `{"digest": "sha256:a"}`))
	after := newPlan(t, stepJSON("create", roleURN, `{"path": "/x"}`), stepJSON("create", "urn:pulumi:prod::p::a:b:C::new", "{}"), stepJSON("create", imageURN, `{"digest": "sha256:a"}`))
	p, err := PlanBetween(before, after)
	require.NoError(t, err)
	require.Equal(t, Counts{Create: 1, Update: 1, Delete: 1}, p.Counts())
	require.Equal(t, 1, p.Unchanged)
	for _, s := range p.Steps {
		if s.Op == Update {
			require.Equal(t, []string{"gone", "path"}, s.Changed)
		}
	}
	require.Equal(t, "sha256:a", p.Images[0].Before)
}

func TestStateFingerprintDependsOnResourcesOnly(t *testing.T) {
	fingerprint := func(resources string) string {
		f, err := StateFingerprint([]byte(`{"deployment": {"manifest": {"time": "now"}, "resources": [` + resources + `]}}`))
		require.NoError(t, err)
		return f
	}
	first := fingerprint(`{"urn": "a", "created": "1", "outputs": {"x": 1}}, {"urn": "b"}`)
	require.Equal(t, first, fingerprint(`{"urn": "b", "modified": "2"}, {"urn": "a", "created": "3", "outputs": {"x": 1}}`), "the times and the order do not count")
	require.NotEqual(t, first, fingerprint(`{"urn": "b"}, {"urn": "a", "outputs": {"x": 2}}`))
	require.NotEqual(t, first, fingerprint(`{"urn": "a", "outputs": {"x": 1}}`))
	_, err := StateFingerprint([]byte(`{"deployment": {"pending_operations": [{}]}}`))
	require.ErrorContains(t, err, "1 operations are pending")
	for _, bad := range []string{"", "{}", "[]"} {
		_, err := StateFingerprint([]byte(bad))
		require.Error(t, err, bad)
	}
}

func TestConfigDigestIgnoresCommentsAndOrder(t *testing.T) {
	digest := func(text string) string {
		d, err := ConfigDigest([]byte("name: x"), []byte(text))
		require.NoError(t, err)
		return d
	}
	require.Equal(t, digest("config:\n  a: 1\n  b: 2"), digest("# a comment\nconfig:\n  b: 2\n  a: 1"))
	require.NotEqual(t, digest("config:\n  a: 1"), digest("config:\n  a: 2"))
	_, err := ConfigDigest([]byte("name: x"), []byte("\ta"))
	require.Error(t, err)
}

func TestParsePreviewSkipsOtherLines(t *testing.T) {
	p, err := ParsePreview([]byte("a line of a plugin\n{\"steps\": [], \"diagnostics\": [{\"severity\": \"error\", \"message\": \"bad\\n\"}, {\"severity\": \"info\"}, {\"severity\": \"error\", \"message\": \"error: preview failed\\n\"}]}\n"))
	require.NoError(t, err)
	require.Equal(t, []string{"bad"}, p.Errors())
	for _, bad := range []string{"", "{}", "error: no"} {
		_, err := ParsePreview([]byte(bad))
		require.Error(t, err, bad)
	}
	require.Equal(t, "components/key/key.go:106", sourceLine("project:///../github.com/progressive-framework/platform/components/key/key.go#106,14"))
	require.Empty(t, sourceLine("project:///../github.com/pulumi/pulumi/sdk/v3@v3.259.0/go/pulumi/run.go#104"))
}
