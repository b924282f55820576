package engine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// checkFailedMigrationRunsAgain makes the Job migrate fail in an update. The error of the
// update must have the last lines of the Job's log. After the cause is gone, the next update
// must create the Job again, although the program has not changed.
func checkFailedMigrationRunsAgain(t *testing.T, s *stack) {
	var namespace string
	s.readOutput(t, "namespace", &namespace)
	firstJob := s.findMigrationJob(t, namespace)
	s.makeJobFail(t, namespace, firstJob)
	s.requireOnlyTheJobIsReplaced(t)

	nodes := strings.Fields(s.kubectl(t, "get", "nodes", "-o", "name"))
	s.kubectl(t, append([]string{"cordon"}, nodes...)...) // so the pod stays Pending until the test sets its status
	out, secondJob := s.runUpWithFailingPod(t, namespace, firstJob)
	s.kubectl(t, append([]string{"uncordon"}, nodes...)...)
	for _, line := range strings.Split(lastLogLines, "\n") {
		require.Contains(t, out, line)
	}
	require.Contains(t, out, "batch/v1:Job", "the error names the Job")

	s.requireOnlyTheJobIsReplaced(t)
	s.pulumi(t, "up", "--yes", "--skip-preview")
	thirdJob := s.findMigrationJob(t, namespace)
	require.NotContains(t, []string{firstJob, secondJob}, thirdJob, "the failed Jobs are gone")
	s.kubectl(t, "-n", namespace, "wait", "--for=condition=complete", "job/"+thirdJob, "--timeout=60s")
	s.pulumi(t, "preview", "--expect-no-changes")
}

// requireOnlyTheJobIsReplaced requires that the preview replaces the Job and nothing else.
func (s *stack) requireOnlyTheJobIsReplaced(t *testing.T) {
	t.Helper()
	replaced := s.preview(t).destructiveSteps()
	require.NotEmpty(t, replaced, "the preview shows that the failed Job must be replaced")
	for _, step := range replaced {
		require.Contains(t, step, "batch/v1:Job", "nothing else is replaced")
	}
}

// lastLogLines are the last lines that the migration has written. The kubelet copies them from
// the log into the pod's status, because the container has the policy FallbackToLogsOnError.
const lastLogLines = `{"level":"INFO","msg":"migration 00007 began"}
{"level":"ERROR","msg":"migration 00007: canceling statement due to lock timeout"}`

// runUpWithFailingPod runs an update in which the only pod of the new Job fails. The test
// writes the status that a kubelet would write. jobBefore is the name of the Job before the
// update, or "". runUpWithFailingPod returns the output of the update and the name of the new
// Job.
func (s *stack) runUpWithFailingPod(t *testing.T, namespace, jobBefore string) (out, job string) {
	t.Helper()
	type upResult struct {
		out string
		err error
	}
	ended := make(chan upResult, 1)
	go func() {
		out, err := s.tryPulumi(t, "up", "--yes", "--skip-preview")
		ended <- upResult{out, err}
	}()
	var pod string
	require.Eventually(t, func() bool {
		out, err := s.run(t, s.dir, "kubectl", "-n", namespace, "get", "pods", "-l", "app=migrate", "--field-selector=status.phase=Pending",
			"-o", `jsonpath={range .items[*]}{.metadata.name} {.metadata.ownerReferences[0].name}{"\n"}{end}`)
		if err != nil {
			return false
		}
		for _, line := range strings.Split(out, "\n") {
			if pod, job, _ = strings.Cut(line, " "); pod != "" && job != jobBefore {
				return true
			}
		}
		return false
	}, 3*time.Minute, time.Second, "the update creates the Job again")
	s.kubectl(t, "-n", namespace, "patch", "job", job, "--type=merge", "-p", `{"spec":{"backoffLimit":0}}`)
	now := time.Now().UTC().Format(time.RFC3339)
	newCondition := func(kind, status string) map[string]any {
		return map[string]any{"type": kind, "status": status, "lastTransitionTime": now}
	}
	status, err := json.Marshal(map[string]any{"status": map[string]any{
		"phase": "Failed",
		"conditions": []any{newCondition("PodScheduled", "True"), newCondition("Initialized", "True"),
			newCondition("Ready", "False"), newCondition("ContainersReady", "False")},
		"containerStatuses": []any{map[string]any{
			"name": "migrate", "image": "migrate", "imageID": "migrate", "ready": false, "restartCount": 0,
			"state": map[string]any{"terminated": map[string]any{
				"exitCode": 1, "reason": "Error", "message": lastLogLines, "startedAt": now, "finishedAt": now,
			}},
		}},
	}})
	require.NoError(t, err)
	s.kubectl(t, "-n", namespace, "patch", "pod", pod, "--subresource=status", "--type=merge", "-p", string(status))
	up := <-ended
	require.Error(t, up.err)
	return up.out, job
}

// findMigrationJob returns the name of the program's only Job. It ignores the Jobs of the
// CronJob, which have an owner.
func (s *stack) findMigrationJob(t *testing.T, namespace string) string {
	t.Helper()
	var jobs struct {
		Items []struct {
			Metadata struct {
				Name            string
				OwnerReferences []any
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(s.kubectl(t, "-n", namespace, "get", "jobs", "-l", "app=migrate", "-o", "json")), &jobs))
	var names []string
	for _, job := range jobs.Items {
		if len(job.Metadata.OwnerReferences) == 0 {
			names = append(names, job.Metadata.Name)
		}
	}
	require.Len(t, names, 1)
	return names[0]
}

// makeJobFail replaces a Job by one with the same name. No node accepts the pod of the new
// Job, so the Job controller itself marks the Job as failed at its deadline.
func (s *stack) makeJobFail(t *testing.T, namespace, name string) {
	t.Helper()
	var job map[string]any
	require.NoError(t, json.Unmarshal([]byte(s.kubectl(t, "-n", namespace, "get", "job", name, "-o", "json")), &job))
	delete(job, "status")
	meta, spec := job["metadata"].(map[string]any), job["spec"].(map[string]any)
	for _, field := range []string{"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"} {
		delete(meta, field) // the API server has set this field
	}
	template := spec["template"].(map[string]any)
	for _, labels := range []any{meta["labels"], template["metadata"].(map[string]any)["labels"]} {
		for _, label := range []string{"controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"} {
			delete(labels.(map[string]any), label) // the API server has set this label
		}
	}
	delete(spec, "selector")
	spec["activeDeadlineSeconds"] = 1
	template["spec"].(map[string]any)["nodeSelector"] = map[string]any{"progressive-framework/tier": "nowhere"}
	encoded, err := json.Marshal(job)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "job.json")
	require.NoError(t, os.WriteFile(file, encoded, 0o600))
	s.kubectl(t, "-n", namespace, "delete", "job", name, "--wait")
	s.kubectl(t, "-n", namespace, "create", "-f", file)
	s.kubectl(t, "-n", namespace, "wait", "--for=condition=failed", "job/"+name, "--timeout=60s")
}
