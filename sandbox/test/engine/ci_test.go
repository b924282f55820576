package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// pf runs the operator's command on the stack, and returns its output and exit code.
func (s *stack) pf(t *testing.T, args ...string) (string, int) {
	t.Helper()
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	cmd := s.newCommand(ctx, s.dir, filepath.Join(root, ".sandbox", "bin", "pf"), append(args, "--stack", s.name)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	t.Logf("pf %v\n%s", args, out.String())
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out.String(), exit.ExitCode()
	}
	require.NoError(t, err)
	return out.String(), 0
}

// createPlan runs pf ci preview and returns the path of the plan.
func (s *stack) createPlan(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, code := s.pf(t, "ci", "preview", "--commit", "c1", "--out", dir)
	require.Zero(t, code, out)
	for _, file := range []string{"plan.json", "policy.json", "policy.sarif", "junit.xml", "summary.md"} {
		require.FileExists(t, filepath.Join(dir, file))
	}
	sarif, err := os.ReadFile(filepath.Join(dir, "policy.sarif"))
	require.NoError(t, err)
	require.Contains(t, string(sarif), `"uri": "components/`, "a finding names the file that registered its resource")
	return filepath.Join(dir, "plan.json")
}

// exportState returns the exported state of the stack. The state is too long for the test's
// log, so exportState does not use run, which logs all output.
func (s *stack) exportState(t *testing.T) string {
	t.Helper()
	cmd := s.newCommand(t.Context(), s.dir, filepath.Join(s.layout.Bin(), "pulumi"), "stack", "export")
	out, err := cmd.Output()
	require.NoError(t, err)
	return string(out)
}

// pf ci up applies only the approved plan. If the program, the configuration or the state has
// changed since the approval, pf ci up changes nothing. pf ci drift writes nothing.
func TestCIAppliesOnlyTheApprovedPlan(t *testing.T) {
	first := newPolicyStack(t, "sandbox")
	first.pulumi(t, "stack", "rm", "--yes")
	e := copyProject(t, first.environment)
	e.variables = first.variables
	s := newStack(t, e, "sandbox")

	requests := startFakeGitHub(t, e)
	planPath := s.createPlan(t)
	out, code := s.pf(t, "ci", "comment", "--pr", "7", "--in", filepath.Dir(planPath))
	require.Zero(t, code, out)
	require.Contains(t, requests.last(), "POST /repos/o/r/issues/7/comments <!-- progressive-framework: preview -->")
	require.Contains(t, requests.last(), "| `sandbox` |")
	sarif, err := os.ReadFile(filepath.Join(filepath.Dir(planPath), "policy.sarif"))
	require.NoError(t, err)
	require.Contains(t, string(sarif), `"uri": "components/`, "a violation is at the Go line that registered the resource")

	out, code = s.pf(t, "ci", "up", "--commit", "c1", "--approved", planPath)
	defer checkDestroyRemovesEverything(t, s)
	require.Zero(t, code, out)
	require.NotContains(t, out, "not approved", "the creation of a whole stack agrees with its plan")

	const key = "progressive-framework:services.mca.max"
	s.pulumi(t, "config", "set", "--path", key, "4")
	planPath = s.createPlan(t)
	requireRefused := func(reason string, want ...string) {
		t.Helper()
		stateBefore := s.exportState(t)
		out, code := s.pf(t, "ci", "up", "--commit", "c1", "--approved", planPath)
		require.Equal(t, 1, code, "%s\n%s", reason, out)
		for _, part := range append(want, "Nothing was changed") {
			require.Contains(t, out, part, reason)
		}
		require.Equal(t, stateBefore, s.exportState(t), reason)
	}

	s.pulumi(t, "config", "set", "--path", key, "3")
	requireRefused("the configuration has changed", "configuration: approved")
	s.pulumi(t, "config", "set", "--path", key, "4")

	source := filepath.Join(e.layout.Project, "agents", "mca", "greeting.go")
	originalSource, err := os.ReadFile(source)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(source, []byte(strings.Replace(string(originalSource), "MCA coordinates", "MCA leads", 1)), 0o600))
	requireRefused("the program has changed", "ko:index:Image progressive-framework-sandbox-mca: not approved, now update", "image progressive-framework-sandbox-mca: approved")
	require.NoError(t, os.WriteFile(source, originalSource, 0o600))

	urn := "urn:pulumi:sandbox::progressive-framework::pulumi:pulumi:Stack::progressive-framework-sandbox"
	s.pulumi(t, "state", "protect", urn, "--yes")
	requireRefused("the state has changed", "state: approved")
	s.pulumi(t, "state", "unprotect", urn, "--yes")
	planPath = s.createPlan(t) // a new plan, because each write of the state encrypts its secrets differently

	out, code = s.pf(t, "ci", "up", "--commit", "c1", "--approved", planPath)
	require.Zero(t, code, "nothing has changed since the approval\n%s", out)
	out, code = s.pf(t, "ci", "up", "--commit", "c1", "--approved", planPath)
	require.Equal(t, 1, code, "a plan can be applied only once\n%s", out)

	checkDriftIsReported(t, s, requests)
}

// githubRequests records the requests to a test server that replaces GitHub's API.
type githubRequests struct {
	mu  sync.Mutex
	all []string
}

// last returns the method, the path and the text of the last request.
func (r *githubRequests) last() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) == 0 {
		return ""
	}
	return r.all[len(r.all)-1]
}

// startFakeGitHub starts a test server that replaces GitHub's API, and has no comments and no
// issues. The commands of e send their requests to the test server.
func startFakeGitHub(t *testing.T, e *environment) *githubRequests {
	t.Helper()
	requests := &githubRequests{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var content struct{ Title, Body string }
		_ = json.NewDecoder(r.Body).Decode(&content)
		requests.mu.Lock()
		requests.all = append(requests.all, r.Method+" "+r.URL.Path+" "+content.Title+content.Body)
		requests.mu.Unlock()
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte("[]"))
			return
		}
		_, _ = w.Write([]byte(`{"html_url": "https://github.example/1"}`))
	}))
	t.Cleanup(server.Close)
	e.variables = append(slices.Clone(e.variables), "GITHUB_API_URL="+server.URL, "GITHUB_REPOSITORY=o/r", "GITHUB_TOKEN=t", "GITHUB_ACTIONS=")
	return requests
}

// checkDriftIsReported changes resources without Pulumi and runs pf ci drift, which opens an issue.
func checkDriftIsReported(t *testing.T, s *stack, requests *githubRequests) {
	var vpc, namespace string
	s.readOutput(t, "vpcId", &vpc)
	s.readOutput(t, "namespace", &namespace)
	s.kubectl(t, "-n", namespace, "scale", "deployment/mca", "--replicas=3")
	out, code := s.pf(t, "ci", "drift")
	require.Zero(t, code, "a number of pods that an autoscaler has set is not drift\n%s", out)

	_, err := s.run(t, s.dir, "sandbox", "aws", "set", "aws:ec2/vpc:Vpc", vpc, "enableDnsHostnames=false")
	require.NoError(t, err)
	s.kubectl(t, "-n", namespace, "delete", "service", "mca-service", "--wait")
	stateBefore := s.exportState(t)
	out, code = s.pf(t, "ci", "drift", "--issue")
	require.Equal(t, 3, code, out)
	require.Contains(t, requests.last(), "POST /repos/o/r/issues ")
	require.Contains(t, requests.last(), "enableDnsHostnames")
	require.Contains(t, out, "aws:ec2/vpc:Vpc")
	require.Contains(t, out, "enableDnsHostnames")
	require.Contains(t, out, "mca-service: gone")
	require.Contains(t, out, "2 drifted")
	require.Equal(t, stateBefore, s.exportState(t), "nothing is written")
	s.pulumi(t, "refresh", "--yes", "--skip-preview")
}
