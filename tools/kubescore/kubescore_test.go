package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zegl/kube-score/parser"
	"github.com/zegl/kube-score/score"
)

const recordings = "../../policy/testdata/"

// On prod and staging, each CRITICAL finding of kube-score has an exemption. Every exemption is
// needed.
func TestEveryCriticalFindingHasAnExemption(t *testing.T) {
	var critical []finding
	for _, stack := range []string{"prod", "staging"} {
		objects, err := readObjects(recordings + stack + ".jsonl")
		require.NoError(t, err)
		result, err := grade(objects)
		require.NoError(t, err)
		require.Greater(t, result.grades, 300, "the checks see the objects")
		findings, _ := applyExemptions(result.critical, exemptions)
		require.Empty(t, findings, "fix the component, or add an exemption with its reason to exemptions.go")
		critical = append(critical, result.critical...)
	}
	_, unused := applyExemptions(critical, exemptions)
	require.Empty(t, unused, "remove the exemption from exemptions.go: no finding needs it")
}

// A broken object has a finding. This shows that TestEveryCriticalFindingHasAnExemption can fail.
func TestBrokenObjectsHaveFindings(t *testing.T) {
	for _, tc := range []struct {
		check, kind string
		edit        func(spec map[string]any)
	}{
		{"container-ephemeral-storage-request-and-limit", "Deployment", func(spec map[string]any) { delete(firstContainer(spec), "resources") }},
		{"container-security-context-readonlyrootfilesystem", "Deployment", func(spec map[string]any) { delete(firstContainer(spec), "securityContext") }},
		{"cronjob-has-deadline", "CronJob", func(spec map[string]any) { delete(spec, "startingDeadlineSeconds") }},
		{"networkpolicy-targets-pod", "NetworkPolicy", func(spec map[string]any) {
			spec["podSelector"] = map[string]any{"matchLabels": map[string]any{"app": "nobody"}}
		}},
		{"service-targets-pod", "Service", func(spec map[string]any) { spec["selector"] = map[string]any{"app": "nobody"} }},
		{"statefulset-has-servicename", "StatefulSet", func(spec map[string]any) { spec["serviceName"] = "nobody" }},
	} {
		objects, err := readObjects(recordings + "prod.jsonl")
		require.NoError(t, err)
		i := slices.IndexFunc(objects, func(o map[string]any) bool { return o["kind"] == tc.kind })
		require.GreaterOrEqual(t, i, 0, tc.kind)
		tc.edit(objects[i]["spec"].(map[string]any))
		result, err := grade(objects)
		require.NoError(t, err)
		findings, _ := applyExemptions(result.critical, exemptions)
		require.NotEmpty(t, findings, tc.check)
		for _, f := range findings {
			require.Equal(t, tc.kind, f.Kind, "%s", f)
		}
		require.True(t, slices.ContainsFunc(findings, func(f finding) bool { return f.Check == tc.check }), "%s: %v", tc.check, findings)
	}
}

// firstContainer returns the first container of a workload's spec.
func firstContainer(spec map[string]any) map[string]any {
	pod := spec["template"].(map[string]any)["spec"].(map[string]any)
	return pod["containers"].([]any)[0].(map[string]any)
}

// docs/policy-peers.md has a row for each check of kube-score.
func TestEveryCheckIsInTheTable(t *testing.T) {
	page, err := os.ReadFile("../../docs/policy-peers.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "## kube-score")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	checks := score.RegisterAllChecks(parser.Empty(), nil, nil).All()
	require.Greater(t, len(checks), 30)
	for _, c := range checks {
		require.Contains(t, section, "\n| "+c.ID+" |", "the page has no row for it")
	}
	require.Equal(t, len(checks), strings.Count(section, "\n| ")-1, "the page has a row for a check that does not exist")
}

// Generated names are not known in a preview. readObjects replaces each reference to such a name
// with the name of the object that it refers to.
func TestUnknownNamesAreResolved(t *testing.T) {
	objects, err := readObjects(recordings + "prod.jsonl")
	require.NoError(t, err)
	for _, o := range objects {
		require.NotEqual(t, unknownString, o["metadata"].(map[string]any)["namespace"], "%v", o["metadata"])
		if spec, ok := o["spec"].(map[string]any); ok {
			require.NotEqual(t, unknownString, spec["serviceName"], "%v", o["metadata"])
		}
	}
}

// In the output of kubectl, run skips every object with an owner, because kube-score checks the owner.
func TestObjectsWithAnOwnerAreSkipped(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"apiVersion":"v1","kind":"List","items":[
		{"apiVersion":"v1","kind":"Pod","metadata":{"name":"own","namespace":"n"},"spec":{"containers":[{"name":"c","image":"i"}]}},
		{"apiVersion":"v1","kind":"Pod","metadata":{"name":"owned","namespace":"n","ownerReferences":[{"kind":"ReplicaSet"}]},"spec":{"containers":[{"name":"c","image":"i"}]}}
	]}`), 0o600))
	findings, err := run([]string{file})
	require.NoError(t, err)
	require.NotEmpty(t, findings)
	for _, f := range findings {
		require.Equal(t, "own", f.Name)
	}
	_, err = run([]string{recordings + "missing.jsonl"})
	require.Error(t, err)
	_, err = run(nil)
	require.True(t, strings.Contains(err.Error(), "no file"))
}
