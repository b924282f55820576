package engine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// failedMigrationRunsAgain lets the Job migrate fail. The next update creates the Job
// again, although the program has not changed.
func failedMigrationRunsAgain(t *testing.T, s *stack) {
	var namespace string
	s.output(t, "namespace", &namespace)
	first := s.migration(t, namespace)
	s.fail(t, namespace, first)

	var replaced bool
	for _, step := range s.preview(t).destructiveSteps() {
		require.Contains(t, step, "batch/v1:Job", "nothing else is replaced")
		replaced = true
	}
	require.True(t, replaced, "a failed Job is a difference")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	second := s.migration(t, namespace)
	require.NotEqual(t, first, second, "the failed Job is gone")
	s.kubectl(t, "-n", namespace, "wait", "--for=condition=complete", "job/"+second, "--timeout=60s")
	s.pulumi(t, "preview", "--expect-no-changes")
}

// migration returns the name of the program's only Job. Those of the CronJob have an
// owner.
func (s *stack) migration(t *testing.T, namespace string) string {
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

// fail replaces a Job by one of the same name with a pod that no node accepts. So the
// Job controller itself sets the Job to failed at its deadline.
func (s *stack) fail(t *testing.T, namespace, name string) {
	t.Helper()
	var job map[string]any
	require.NoError(t, json.Unmarshal([]byte(s.kubectl(t, "-n", namespace, "get", "job", name, "-o", "json")), &job))
	delete(job, "status")
	meta, spec := job["metadata"].(map[string]any), job["spec"].(map[string]any)
	for _, ofServer := range []string{"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"} {
		delete(meta, ofServer)
	}
	template := spec["template"].(map[string]any)
	for _, labels := range []any{meta["labels"], template["metadata"].(map[string]any)["labels"]} {
		for _, ofServer := range []string{"controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"} {
			delete(labels.(map[string]any), ofServer)
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
