package engine

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/project"
)

var update = flag.Bool("update", false, "write the recordings of policy/testdata")

// policyKey is the key of the policy pack's options in a stack's configuration.
const policyKey = "progressive-framework:policy"

// newPolicyStack creates a stack with the committed configuration. Its commands run the
// policy pack, as in a shell of make env.
func newPolicyStack(t *testing.T, name string) *stack {
	t.Helper()
	e := newEnvironment(t)
	packPath := e.layout.PolicyPack()
	require.FileExists(t, packPath, "run make build")
	s := newStack(t, &environment{layout: e.layout, variables: []string{layout.PolicyPackVariable + "=" + packPath}}, name)
	s.pulumi(t, "config", "rm", protectionKey)
	s.pulumi(t, "config", "rm", discardKey)
	if name == "sandbox" {
		s.pulumi(t, "config", "set", protectionKey, "false")
		s.pulumi(t, "config", "set", discardKey, "true")
	}
	return s
}

// A preview of each stack with the committed configuration breaks no mandatory rule. Each advisory
// rule that prod or staging breaks has a waiver.
func TestPolicyPackAcceptsTheStacks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"prod", "staging", "sandbox"} {
		t.Run(name, func(t *testing.T) {
			s := newPolicyStack(t, name)
			defer s.remove(t)
			file := filepath.Join(t.TempDir(), "report.json")
			s.variables = append(s.variables, "POLICY_REPORT="+file)
			out := s.pulumi(t, "preview")
			require.Contains(t, out, "progressive-framework@v", "the CLI names the pack")
			require.NotContains(t, out, "[mandatory]")
			if name != "sandbox" { // one machine can't keep each advisory rule
				requireNoAdvisoryViolation(t, file)
			}
		})
	}
	t.Run("sandbox before Prometheus and KEDA are built", func(t *testing.T) {
		s := newPolicyStack(t, "sandbox")
		defer s.remove(t)
		file, err := project.WriteConfigWithoutPodScaling(s.dir, s.name)
		require.NoError(t, err)
		require.NotContains(t, s.pulumi(t, "preview", "--config-file", file), "[mandatory]")
	})
}

// requireNoAdvisoryViolation fails if the report in a file has an advisory violation without a waiver.
func requireNoAdvisoryViolation(t *testing.T, file string) {
	t.Helper()
	var report struct {
		Findings []struct{ Kind, Rule, Resource, Message string } `json:"findings"`
	}
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &report))
	for _, f := range report.Findings {
		assert.NotEqual(t, "advisory", f.Kind, "fix or waive it: %s %s: %s", f.Rule, f.Resource, f.Message)
	}
}

// The tests of the rules use recorded previews. A recording must be equal to the current
// preview.
func TestPolicyRecordings(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"prod", "staging"} {
		t.Run(name, func(t *testing.T) {
			s := newPolicyStack(t, name)
			defer s.remove(t)
			s.withDocumentedZones(t)
			s.variables = nil
			file := filepath.Join(t.TempDir(), "preview.json")
			raw := s.runPreviewJSON(t)
			require.NoError(t, os.WriteFile(file, raw, 0o600))
			current, err := exec.CommandContext(t.Context(), s.layout.PolicyPack(), "record", file).Output()
			require.NoError(t, err)
			recordingPath := filepath.Join(s.layout.Project, "policy", "testdata", name+".jsonl")
			if *update {
				require.NoError(t, os.WriteFile(recordingPath, current, 0o644))
				return
			}
			want, err := os.ReadFile(recordingPath)
			require.NoError(t, err)
			require.True(t, string(want) == string(current), "%s is stale: go -C sandbox test ./test/engine -run TestPolicyRecordings -update", recordingPath)
		})
	}
}

// runPreviewJSON returns the standard output of pulumi preview --json.
func (s *stack) runPreviewJSON(t *testing.T) []byte {
	t.Helper()
	cmd := s.newCommand(t.Context(), s.dir, filepath.Join(s.layout.Bin(), "pulumi"), "preview", "--json", "--non-interactive")
	var messages strings.Builder
	cmd.Stderr = &messages
	out, err := cmd.Output()
	require.NoError(t, err, "%s%s", out, &messages)
	return out
}

// A waiver allows a violation until its last day, and not after it.
func TestPolicyWaiversEndAndMustBeNeeded(t *testing.T) {
	s := newPolicyStack(t, "prod")
	defer s.remove(t)
	s.pulumi(t, "config", "set", "--path", "progressive-framework:postgres.singleZone", "true")
	dateIn := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	newWaiver := func(rule, until string) map[string]any {
		return map[string]any{"rule": rule, "resource": "*", "reason": "an engine test", "owner": "tests", "until": until}
	}
	for _, tc := range []struct {
		reason  string
		waivers []map[string]any
		fails   bool
		want    []string
	}{
		{"no waiver", nil, true, []string{"postgres-two-zones", "[mandatory]"}},
		{"a waiver before its end", []map[string]any{newWaiver("postgres-two-zones", dateIn(30))}, false, []string{"waived until " + dateIn(30)}},
		{"a waiver after its end", []map[string]any{newWaiver("postgres-two-zones", dateIn(-2))}, true, []string{"postgres-two-zones", "policy-config", "it expired on " + dateIn(-2)}},
		{
			"a waiver that lasts too long, one that is not needed, and one of an unknown rule",
			[]map[string]any{newWaiver("postgres-two-zones", dateIn(200)), newWaiver("postgres-private", dateIn(9)), newWaiver("postgres-dreams", dateIn(9))},
			true, []string{"more than 180 days ahead", "nothing breaks the rule any more", `there is no rule "postgres-dreams"`},
		},
	} {
		s.addWaivers(t, tc.waivers)
		out, err := s.tryPulumi(t, "preview")
		require.Equal(t, tc.fails, err != nil, "%s\n%s", tc.reason, out)
		for _, want := range tc.want {
			require.Contains(t, strings.Join(strings.Fields(out), " "), want, tc.reason)
		}
	}
	out, code := s.pf(t, "ci", "preview", "--commit", "c1", "--out", t.TempDir())
	require.Equal(t, 1, code, "1 is the code of a refusal, and not of a failure of Pulumi")
	require.Contains(t, out, "mandatory violations that the state does not have")
}

// If the cost of a stack is above the budget, the preview fails before anything exists.
func TestPreviewFailsAboveTheBudget(t *testing.T) {
	s := newPolicyStack(t, "staging")
	defer s.remove(t)
	s.pulumi(t, "config", "set", "--path", policyKey+".cost.monthlyBudget", "500")
	out, err := s.tryPulumi(t, "preview")
	require.Error(t, err, out)
	output := strings.Join(strings.Fields(out), " ")
	require.Contains(t, output, "cost-within-budget")
	require.Contains(t, output, "with 0 items not known yet")
	require.Contains(t, output, "the budget is $500.00")
}

// addWaivers writes the committed waivers and additional ones to the copy of the stack's
// configuration.
func (s *stack) addWaivers(t *testing.T, additional []map[string]any) {
	t.Helper()
	readConfig := func(dir string) map[string]any {
		raw, err := os.ReadFile(filepath.Join(dir, "Pulumi."+s.name+".yaml"))
		require.NoError(t, err)
		var doc map[string]any
		require.NoError(t, yaml.Unmarshal(raw, &doc))
		return doc
	}
	committed := readConfig(s.layout.Project)["config"].(map[string]any)[policyKey].(map[string]any)["waivers"].([]any)
	doc := readConfig(s.dir)
	waivers := append([]any{}, committed...)
	for _, w := range additional {
		waivers = append(waivers, w)
	}
	doc["config"].(map[string]any)[policyKey] = map[string]any{"waivers": waivers}
	raw, err := yaml.Marshal(doc)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "Pulumi."+s.name+".yaml"), raw, 0o600))
}

// An up stops before it creates a resource that breaks a mandatory rule.
func TestPolicyPackStopsUp(t *testing.T) {
	s := newPolicyStack(t, "staging")
	s.pulumi(t, "config", "set", protectionKey, "false")
	s.pulumi(t, "config", "set", discardKey, "true")
	out, err := s.tryPulumi(t, "up", "--yes", "--skip-preview")
	defer checkDestroyRemovesEverything(t, s)
	require.Error(t, err)
	require.Contains(t, out, "the key deletionProtection", "the fix of a broken rule")
	for _, r := range s.listAWSResources(t) {
		require.NotEqual(t, "aws:rds/instance:Instance", r.Type, "the database was created although it breaks a rule")
	}
	s.variables = nil // without the policy pack, because a destroy evaluates no policies
}

// A preview fails if the executable of the policy pack is missing or does not work.
func TestBrokenPolicyPackFails(t *testing.T) {
	s := newPolicyStack(t, "sandbox")
	defer s.remove(t)
	script := filepath.Join(t.TempDir(), "pack")
	for _, tc := range []struct{ reason, content string }{
		{"the file is missing", ""},
		{"the pack ends at once", "#!/bin/sh\nexit 3\n"},
		{"the pack prints no port", "#!/bin/sh\necho no port\nsleep 1\n"},
	} {
		if tc.content != "" {
			require.NoError(t, os.WriteFile(script, []byte(tc.content), 0o700))
		}
		s.variables = []string{layout.PolicyPackVariable + "=" + script}
		_, err := s.tryPulumi(t, "preview")
		require.Error(t, err, tc.reason)
	}
}

// A rule that panics is reported as broken, and all other rules still work.
func TestPanickingRuleDoesNotStopTheOthers(t *testing.T) {
	s := newPolicyStack(t, "sandbox")
	defer s.remove(t)
	s.buildAndUsePack(t, "panicpack")
	out, err := s.tryPulumi(t, "preview")
	require.Error(t, err)
	output := strings.Join(strings.Fields(out), " ")
	require.Contains(t, output, "the rule itself failed: a rule of a test")
	require.Contains(t, output, "another rule of a test")
}

// If the process of a pack ends in the middle, preview and up fail. up creates at most the two
// resources that the pack has checked.
func TestPolicyPackThatEndsEarlyFails(t *testing.T) {
	s := newPolicyStack(t, "sandbox")
	defer checkDestroyRemovesEverything(t, s)
	s.buildAndUsePack(t, "exitpack")
	_, err := s.tryPulumi(t, "preview")
	require.Error(t, err)
	_, err = s.tryPulumi(t, "up", "--yes", "--skip-preview")
	require.Error(t, err)
	require.LessOrEqual(t, len(s.listAWSResources(t)), 2, "a resource was created that no policy has checked")
	s.variables = nil // a destroy needs no policy pack
}

// buildAndUsePack builds a policy pack of policy/server/testdata. The commands of the stack
// then run it.
func (s *stack) buildAndUsePack(t *testing.T, name string) {
	t.Helper()
	packPath := filepath.Join(t.TempDir(), name)
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", packPath, "./policy/server/testdata/"+name)
	build.Dir = s.layout.Project
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	raw, err := build.CombinedOutput()
	require.NoError(t, err, string(raw))
	s.variables = []string{layout.PolicyPackVariable + "=" + packPath}
}

// `pulumi policy analyze` and the pack's own command check can check the state of a stack
// that exists.
func TestPolicyPackChecksAnExistingStack(t *testing.T) {
	s := newPolicyStack(t, "sandbox")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	defer checkDestroyRemovesEverything(t, s)
	out, err := s.tryPulumi(t, "policy", "analyze", "--stack", s.name)
	require.NoError(t, err, out)
	export := filepath.Join(t.TempDir(), "export.json")
	s.pulumi(t, "stack", "export", "--file", export)
	check := exec.CommandContext(t.Context(), s.layout.PolicyPack(), "check", "-format", "json", export)
	check.Dir = s.dir
	raw, err := check.Output()
	require.NoError(t, err, string(raw))
	var report struct {
		Summary map[string]int `json:"summary"`
	}
	require.NoError(t, json.Unmarshal(raw, &report))
	require.Zero(t, report.Summary["mandatory"])
	require.Zero(t, report.Summary["undecided"], "existing resources have no unknown values: %s", raw)
	require.Greater(t, report.Summary["holds"], 100)
}
