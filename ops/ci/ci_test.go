package ci

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/ci/approval"
	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// ciProject is a project folder with a script in place of Pulumi. These tests cover files, exit
// codes and GitHub. The engine tests run the real Pulumi.
type ciProject struct {
	dir string
}

const (
	databaseURN = "urn:pulumi:prod::p::progressive:postgres:Postgres$aws:rds/instance:Instance::db"
	networkURN  = "urn:pulumi:prod::p::aws:ec2/vpc:Vpc::vpc"
)

// fakePulumi stands in for Pulumi. It prints files of the folder $FAKE_PULUMI_DIR, and appends the
// arguments of each call to the file commands.
const fakePulumi = `#!/bin/sh
echo "$*" >> "$FAKE_PULUMI_DIR/commands"
case "$1 $2" in
"stack export") cat "$FAKE_PULUMI_DIR/state.json" ;;
preview*) cp "$FAKE_PULUMI_DIR/report.json" "$POLICY_REPORT" 2>/dev/null; cat "$FAKE_PULUMI_DIR/preview.json"; exit "$(cat "$FAKE_PULUMI_DIR/code" 2>/dev/null || echo 0)" ;;
refresh*) cat "$FAKE_PULUMI_DIR/refresh.json"; cp "$FAKE_PULUMI_DIR/moved.json" "$FAKE_PULUMI_DIR/state.json" 2>/dev/null || true ;;
up*) cat "$FAKE_PULUMI_DIR/events.json"; exit "$(cat "$FAKE_PULUMI_DIR/upcode" 2>/dev/null || echo 0)" ;;
esac
`

// newCIProject returns a project with a preview that updates the VPC. A test replaces files of the
// project for another behaviour.
func newCIProject(t *testing.T) *ciProject {
	t.Helper()
	p := &ciProject{dir: t.TempDir()}
	t.Setenv("FAKE_PULUMI_DIR", p.dir)
	t.Setenv("PATH", p.dir+":"+os.Getenv("PATH"))
	t.Setenv("PULUMI_OPTION_POLICY_PACK", filepath.Join(p.dir, "pack"))
	for name, text := range map[string]string{
		"pulumi": fakePulumi, "pack": "", "Pulumi.yaml": "name: p\n", "Pulumi.prod.yaml": "config: {}\n",
		"state.json":   `{"deployment": {"resources": [{"urn": "` + networkURN + `", "type": "aws:ec2/vpc:Vpc"}]}}`,
		"report.json":  `{"stack": "prod", "environment": "prod", "findings": []}`,
		"preview.json": `{"steps": [{"op": "update", "urn": "` + networkURN + `", "newState": {"urn": "` + networkURN + `", "inputs": {"a": 1}}, "detailedDiff": {"a": {"kind": "update"}}}]}`,
		"events.json":  `{"resOutputsEvent": {"metadata": {"op": "update", "urn": "` + networkURN + `"}}}`,
		"refresh.json": `{"steps": [{"op": "refresh", "urn": "` + networkURN + `"}]}`,
	} {
		p.writeFile(t, name, text)
	}
	return p
}

func (p *ciProject) writeFile(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o700))
}

func (p *ciProject) path(name string) string { return filepath.Join(p.dir, name) }

// runCI runs pf ci with args. It returns the output and the exit code.
func (p *ciProject) runCI(t *testing.T, args ...string) (string, int) {
	t.Helper()
	c := Command(&stackoutput.Stack{Name: "prod", Dir: p.dir})
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceUsage, c.SilenceErrors = true, true
	if args[0] != "comment" && args[0] != "drift" {
		args = append(args, "--commit", "c1")
	}
	c.SetArgs(args)
	err := c.ExecuteContext(t.Context())
	code, _ := exitcode.FromError(err)
	if err != nil {
		out.WriteString(err.Error())
	}
	return out.String(), code
}

// runPreview runs pf ci preview, and returns the path of the plan.
func (p *ciProject) runPreview(t *testing.T) string {
	t.Helper()
	out, code := p.runCI(t, "preview", "--out", p.path("out"))
	require.Zero(t, code, out)
	return p.path("out/plan.json")
}

func TestPreviewWritesItsFiles(t *testing.T) {
	p := newCIProject(t)
	p.runPreview(t)
	for _, name := range []string{planFile, policyFile, sarifFile, junitFile, summaryFile, verdictFile} {
		require.FileExists(t, p.path("out/"+name))
	}
	require.NoFileExists(t, p.path("out/"+changeFile))
	text, err := os.ReadFile(p.path("out/summary.md"))
	require.NoError(t, err)
	require.Contains(t, string(text), "| `prod` | 0 | 1 | 0 | 0 |")
}

func TestPreviewIsRefused(t *testing.T) {
	violation := `{"stack": "prod", "environment": "prod", "findings": [{"rule": "a-rule", "kind": "mandatory", "urn": "` + networkURN + `", "new": true}]}`
	replaced := `{"steps": [{"op": "replace", "urn": "` + databaseURN + `", "newState": {"urn": "` + databaseURN + `"}, "replaceReasons": ["kmsKeyId"]}]}`
	// Version 3.259 of Pulumi's CLI prints this for a preview with a violation.
	failedPreview := `{"steps": [], "diagnostics": [{"severity": "error", "message": "error: preview failed\n"}]}`
	approvals := "approvals:\n- {stack: prod, resource: db, op: replace, reason: r, owner: o, until: \"2199-01-01\"}\n"
	for _, tc := range []struct {
		reason string
		files  map[string]string
		args   []string
		code   int
		want   string
	}{
		{"a violation", map[string]string{"report.json": violation, "preview.json": failedPreview, "code": "1"}, nil, exitcode.Found, "1 mandatory violation"},
		{"the database is replaced", map[string]string{"preview.json": replaced}, nil, exitcode.Found, "1 stateful resource would be replaced"},
		{"an approval that ends too late does not count", map[string]string{"preview.json": replaced, "approvals": approvals}, []string{"--approvals", "approvals"}, exitcode.Found, "without an approval"},
		{"the file of approvals is wrong", map[string]string{"approvals": "approval: []"}, []string{"--approvals", "approvals"}, exitcode.Usage, "approvals"},
		{"an error of the program", map[string]string{"preview.json": `{"diagnostics": [{"severity": "error", "message": "config: bad key"}]}`, "code": "255"}, nil, exitcode.Failed, "config: bad key"},
		{"an error and a violation", map[string]string{"report.json": violation, "preview.json": `{"diagnostics": [{"severity": "error", "message": "config: bad key"}]}`, "code": "255"}, nil, exitcode.Failed, "config: bad key"},
		{"the report of the policy pack is no JSON", map[string]string{"report.json": "-"}, nil, exitcode.Failed, "the report of the policy pack"},
		{"an update was interrupted", map[string]string{"state.json": `{"deployment": {"pending_operations": [{}]}}`}, nil, exitcode.Failed, "operations are pending"},
		{"--base without --offline", nil, []string{"--base", "x"}, exitcode.Usage, "--base is for --offline"},
		{"the sandbox is not built", nil, []string{"--offline"}, exitcode.Usage, "run make build"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			p := newCIProject(t)
			for name, text := range tc.files {
				p.writeFile(t, name, text)
			}
			args := []string{"preview", "--out", p.path("out")}
			for _, a := range tc.args {
				if a == "approvals" {
					a = p.path(a)
				}
				args = append(args, a)
			}
			out, code := p.runCI(t, args...)
			require.Equal(t, tc.code, code, out)
			require.Contains(t, out, tc.want)
		})
	}
}

// A change is not refused for a violation that the state already has. The real rules evaluate the
// state.
func TestExistingViolationIsNotNew(t *testing.T) {
	p := newCIProject(t)
	const group = "urn:pulumi:prod::p::aws:ec2/launchTemplate:LaunchTemplate::nodes"
	p.writeFile(t, "state.json", `{"deployment": {"resources": [{"urn": "`+group+`", "type": "aws:ec2/launchTemplate:LaunchTemplate", "inputs": {"keyName": "k"}}]}}`)
	p.writeFile(t, "report.json", `{"stack": "prod", "environment": "prod", "findings": [{"rule": "nodes-no-key-pair", "kind": "mandatory", "urn": "`+group+`", "new": true}]}`)
	p.writeFile(t, "code", "1")
	out, code := p.runCI(t, "preview", "--out", p.path("out"))
	require.Zero(t, code, out)
	require.Contains(t, out, "0 new, 1 existing")
}

// The annotation of a violation names the Go line that registered the resource.
func TestViolationIsAtTheLineThatRegisteredTheResource(t *testing.T) {
	p := newCIProject(t)
	p.writeFile(t, "state.json", `{"deployment": {}}`)
	p.writeFile(t, "preview.json", `{"steps": [{"op": "create", "urn": "`+networkURN+`", "newState": {"urn": "`+networkURN+`", "inputs": {},
		"sourcePosition": "project:///go/pkg/mod/github.com/progressive-framework/platform/components/network/network.go#42,7"}}]}`)
	p.writeFile(t, "report.json", `{"stack": "prod", "environment": "prod", "findings": [{"rule": "network-flow-logs", "kind": "mandatory", "urn": "`+networkURN+`", "new": true}]}`)
	p.writeFile(t, "code", "1")
	out, code := p.runCI(t, "preview", "--out", p.path("out"))
	require.Equal(t, exitcode.Found, code, out)
	raw, err := os.ReadFile(p.path("out/" + sarifFile))
	require.NoError(t, err)
	var sarif struct {
		Runs []struct {
			Results []struct {
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(raw, &sarif))
	require.Len(t, sarif.Runs[0].Results, 1)
	at := sarif.Runs[0].Results[0].Locations[0].PhysicalLocation
	require.Equal(t, "components/network/network.go", at.ArtifactLocation.URI)
	require.Equal(t, 42, at.Region.StartLine)
}

// For each stack, the comment uses the first folder that has a preview. It leaves out a stack without
// a preview.
func TestCommentFallsBackToAnotherPreview(t *testing.T) {
	p := newCIProject(t)
	p.runPreview(t)
	out, code := p.runCI(t, "comment", "--in", p.path("none")+","+p.path("out"), "--in", p.path("absent"))
	require.Zero(t, code, out)
	require.Contains(t, out, "| `prod` | 0 | 1 |")
	require.Contains(t, out, "no preview in "+p.path("absent")+": left out")
	out, code = p.runCI(t, "comment", "--in", p.path("none"))
	require.Equal(t, exitcode.Failed, code, out)
	require.Contains(t, out, "no folder has a plan.json")
}

// The project's file of approvals is read without a flag.
func TestApprovalsOfTheProjectAreTheDefault(t *testing.T) {
	p := newCIProject(t)
	require.NoError(t, os.MkdirAll(p.path(".ci"), 0o750))
	p.writeFile(t, approval.File, "approval: []\n")
	out, code := p.runCI(t, "preview", "--out", p.path("out"))
	require.Equal(t, exitcode.Usage, code, out)
	require.Contains(t, out, approval.File)
}

// The preview fails if a waiver has expired. The finding about the waiver counts as new, even if the
// current state has the same finding.
func TestFaultyWaiverIsNew(t *testing.T) {
	p := newCIProject(t)
	p.writeFile(t, "Pulumi.prod.yaml", `config:
  progressive-framework:policy:
    waivers:
      - {rule: key-rotates, resource: k, reason: r, owner: o, until: "2000-01-01"}
`)
	p.writeFile(t, "report.json", `{"stack": "prod", "environment": "prod", "findings": [{"rule": "policy-config", "kind": "mandatory", "message": "waiver of key-rotates for k: until: it expired on 2000-01-01", "new": true}]}`)
	p.writeFile(t, "code", "1")
	out, code := p.runCI(t, "preview", "--out", p.path("out"))
	require.Equal(t, exitcode.Found, code, out)
	require.Contains(t, out, "1 mandatory violation")
}

func TestOfflinePreviewShowsTheDifferenceFromTheBaseCommit(t *testing.T) {
	p := newCIProject(t)
	require.NoError(t, os.MkdirAll(p.path(".sandbox/bin"), 0o750))
	p.writeFile(t, ".sandbox/bin/sandbox", fakePulumi)
	create := func(value string) string {
		return `{"steps": [{"op": "create", "urn": "` + networkURN + `", "newState": {"urn": "` + networkURN + `", "inputs": {"a": ` + value + `}}}]}`
	}
	p.writeFile(t, "preview.json", create("1"))
	out, code := p.runCI(t, "preview", "--offline", "--out", p.path("base"))
	require.Zero(t, code, out)
	p.writeFile(t, "preview.json", create("2"))
	out, code = p.runCI(t, "preview", "--offline", "--base", p.path("base"), "--out", p.path("out"))
	require.Zero(t, code, out)
	require.Contains(t, out, "0 to create, 1 to update")
	out, code = p.runCI(t, "comment", "--in", p.path("out"))
	require.Zero(t, code, out)
	require.Contains(t, out, "| `prod` (offline) | 0 | 1 |")
	out, code = p.runCI(t, "up", "--approved", p.path("out/plan.json"))
	require.Equal(t, exitcode.Usage, code)
	require.Contains(t, out, "offline preview", "an offline plan approves nothing")
}

func TestUpChecksThePlanBeforeAndTheOperationsAfter(t *testing.T) {
	p := newCIProject(t)
	approvedPlan := p.runPreview(t)
	out, code := p.runCI(t, "up", "--approved", approvedPlan, "--out", p.path("done"))
	require.Zero(t, code, out)
	require.Contains(t, out, "1 operations done")
	var done updateRecord
	require.NoError(t, readJSON(p.path("done/done.json"), &done))
	require.Equal(t, "c1", done.Commit)
	require.Len(t, done.Operations, 1)

	p.writeFile(t, "events.json", `{"resOutputsEvent": {"metadata": {"op": "replace", "urn": "`+networkURN+`"}}}`)
	out, code = p.runCI(t, "up", "--approved", approvedPlan)
	require.Equal(t, exitcode.Found, code)
	require.Contains(t, out, "not approved: aws:ec2/vpc:Vpc vpc: done replace, approved update")

	p.writeFile(t, "upcode", "1")
	_, code = p.runCI(t, "up", "--approved", approvedPlan)
	require.Equal(t, exitcode.Failed, code)

	before, err := os.ReadFile(p.path("commands"))
	require.NoError(t, err)
	p.writeFile(t, "Pulumi.prod.yaml", "config: {a: 1}\n")
	out, code = p.runCI(t, "up", "--approved", approvedPlan)
	require.Equal(t, exitcode.Found, code)
	require.Contains(t, out, "configuration: approved")
	after, err := os.ReadFile(p.path("commands"))
	require.NoError(t, err)
	require.NotContains(t, strings.TrimPrefix(string(after), string(before)), "up --yes", "nothing was applied")
}

// startGitHub starts a server in place of GitHub, for a repository without comments and issues. It
// returns the requests that the server receives.
func startGitHub(t *testing.T) *[]string {
	t.Helper()
	var requests []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var content map[string]any
		_ = json.NewDecoder(r.Body).Decode(&content)
		body, _ := content["body"].(string)
		requests = append(requests, r.Method+" "+r.URL.Path+" "+body)
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte("[]"))
			return
		}
		_, _ = w.Write([]byte(`{"html_url": "https://github.example/1"}`))
	}))
	t.Cleanup(s.Close)
	for name, value := range map[string]string{"GITHUB_API_URL": s.URL, "GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "t", "GITHUB_ACTIONS": ""} {
		t.Setenv(name, value)
	}
	return &requests
}

func TestCommentIsWrittenToThePullRequestAndTheSummary(t *testing.T) {
	p := newCIProject(t)
	requests := startGitHub(t)
	p.runPreview(t)
	t.Setenv("GITHUB_STEP_SUMMARY", p.path("summary"))
	out, code := p.runCI(t, "comment", "--pr", "7", "--in", p.path("out"))
	require.Zero(t, code, out)
	require.Equal(t, "https://github.example/1\n", out)
	require.Len(t, *requests, 2)
	require.Contains(t, (*requests)[1], "POST /repos/o/r/issues/7/comments <!-- progressive-framework: preview -->")
	text, err := os.ReadFile(p.path("summary"))
	require.NoError(t, err)
	require.Contains(t, string(text), "### Preview of `c1`")
	t.Setenv("GITHUB_TOKEN", "")
	out, code = p.runCI(t, "comment", "--pr", "7", "--in", p.path("out"))
	require.Equal(t, exitcode.Usage, code)
	require.Contains(t, out, "GITHUB_TOKEN is empty")
}

func TestDriftCreatesAnIssue(t *testing.T) {
	p := newCIProject(t)
	requests := startGitHub(t)
	out, code := p.runCI(t, "drift", "--issue")
	require.Zero(t, code, out)
	require.Contains(t, out, "1 resources, 0 drifted")
	require.Len(t, *requests, 1, "there is no issue to close")
	p.writeFile(t, "refresh.json", `{"steps": [{"op": "delete", "urn": "`+networkURN+`"}]}`)
	out, code = p.runCI(t, "drift", "--issue", "--out", p.path("drift"))
	require.Equal(t, exitcode.Drifted, code, out)
	require.Contains(t, (*requests)[2], "POST /repos/o/r/issues <!-- progressive-framework: drift of prod -->")
	require.FileExists(t, p.path("drift/drift.json"))
}

// pulumi refresh --preview-only does not take the stack's lock. If an update runs at the same time,
// the changes of the update look like drift.
func TestDriftIsNotReportedDuringAnUpdate(t *testing.T) {
	for name, tc := range map[string]struct{ file, state, want string }{
		"an operation is pending":       {"state.json", `{"deployment": {"pending_operations": [{}]}}`, "an update is running or was interrupted"},
		"the state changes":             {"moved.json", `{"deployment": {"resources": []}}`, "prod is being updated"},
		"an operation begins meanwhile": {"moved.json", `{"deployment": {"pending_operations": [{}]}}`, "prod is being updated"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newCIProject(t)
			requests := startGitHub(t)
			p.writeFile(t, "refresh.json", `{"steps": [{"op": "delete", "urn": "`+networkURN+`"}]}`)
			p.writeFile(t, tc.file, tc.state)
			out, code := p.runCI(t, "drift", "--issue", "--out", p.path("drift"))
			require.Equal(t, exitcode.Failed, code, out)
			require.Contains(t, out, tc.want)
			require.Empty(t, *requests, "the issue stays as it is")
			require.NoFileExists(t, p.path("drift/drift.json"))
		})
	}
}

// A region without prices is shown as such, and never as a stack that costs nothing.
func TestRegionWithoutPricesIsShown(t *testing.T) {
	p := newCIProject(t)
	const provider = "urn:pulumi:prod::p::pulumi:providers:aws::aws"
	p.writeFile(t, "state.json", `{"deployment": {}}`)
	p.writeFile(t, "preview.json", `{"steps": [
		{"op": "create", "urn": "`+provider+`", "newState": {"urn": "`+provider+`", "inputs": {"region": "eu-central-1"}}},
		{"op": "create", "urn": "`+databaseURN+`", "newState": {"urn": "`+databaseURN+`", "inputs": {"instanceClass": "db.r7g.xlarge"}}}]}`)
	p.runPreview(t)
	out, code := p.runCI(t, "comment", "--in", p.path("out"))
	require.Zero(t, code, out)
	require.Contains(t, out, "| no figure: the price table has no row for the region eu-central-1 |")
	require.NotContains(t, out, "$")
	raw, err := os.ReadFile(p.path("out/" + costFile))
	require.NoError(t, err)
	require.Contains(t, string(raw), "no row for the region eu-central-1", "the gate cost of pf promote reads it")
}

func TestWrongUsageIsRefused(t *testing.T) {
	p := newCIProject(t)
	for _, args := range [][]string{{"preview"}, {"up"}, {"comment"}} {
		_, code := p.runCI(t, args...)
		require.Equal(t, exitcode.Usage, code, args)
	}
	for _, name := range []string{"", "../prod", "..", "a/b"} {
		_, err := (&options{}).newCLI(&stackoutput.Stack{Name: name})
		require.ErrorContains(t, err, "--stack", name)
	}
	t.Setenv("PULUMI_OPTION_POLICY_PACK", "")
	_, err := (&options{}).newCLI(&stackoutput.Stack{Name: "prod", Dir: t.TempDir()})
	require.ErrorContains(t, err, "the policy pack")
}
