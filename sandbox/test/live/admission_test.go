package live

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOnlyTheStacksPodsAreAdmitted creates pods that do not belong to the stack. The API
// server must reject these pods, and name the rule and the fix in its error. It must admit new
// pods of the stack's own Deployments.
func TestOnlyTheStacksPodsAreAdmitted(t *testing.T) {
	namespace := stackOutput[string](t, "namespace")
	webImage := stackOutput[map[string]string](t, "images")["web"]
	repository, _, _ := strings.Cut(webImage, "@")
	for _, tc := range []struct {
		reason, image string
		readOnlyRoot  bool
		rule, fix     string
	}{
		{"an image that the stack has not built", buildRequesterImage(t), true, "image-of-this-stack", "build the image in the stack"},
		{"an image by tag", repository + ":latest", true, "pod-image-by-digest", "end the reference in @sha256:DIGEST"},
		{"a root file system that can be written", webImage, false, "pod-read-only-root", "set securityContext.readOnlyRootFilesystem to true"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			t.Cleanup(func() {
				mustRun(t, "kubectl", "-n", namespace, "delete", "pod", "intruder", "--ignore-not-found", "--wait=false")
			})
			out, err := run(t, "sh", "-c", "kubectl -n "+namespace+" create -f "+writePodFile(t, tc.image, tc.readOnlyRoot)+" 2>&1")
			require.Error(t, err)
			require.Contains(t, out, tc.rule+": intruder ")
			require.Contains(t, out, "Fix: "+tc.fix)
		})
	}
	t.Run("a pod as root", func(t *testing.T) {
		file := writePodFile(t, webImage, true)
		manifest, err := os.ReadFile(file)
		require.NoError(t, err)
		manifestAsRoot := strings.Replace(string(manifest), `"runAsUser":65532`, `"runAsUser":0`, 1)
		require.NotEqual(t, string(manifest), manifestAsRoot)
		require.NoError(t, os.WriteFile(file, []byte(manifestAsRoot), 0o600))
		out, err := run(t, "sh", "-c", "kubectl -n "+namespace+" create -f "+file+" 2>&1")
		require.Error(t, err)
		require.Contains(t, out, `violates PodSecurity "restricted`)
	})
	mustRun(t, "kubectl", "-n", namespace, "rollout", "restart", "deployment/npa")
	mustRun(t, "kubectl", "-n", namespace, "rollout", "status", "deployment/npa", "--timeout=180s")
}

// writePodFile writes the manifest of a pod that the Pod Security Standard "restricted" admits. It
// returns the path of the file.
func writePodFile(t *testing.T, image string, readOnlyRoot bool) string {
	t.Helper()
	encoded, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "intruder"},
		"spec": map[string]any{
			"automountServiceAccountToken": false,
			"securityContext":              map[string]any{"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": map[string]any{"type": "RuntimeDefault"}},
			"containers": []any{map[string]any{"name": "intruder", "image": image, "securityContext": map[string]any{
				"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": readOnlyRoot, "capabilities": map[string]any{"drop": []string{"ALL"}},
			}}},
		},
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "pod.json")
	require.NoError(t, os.WriteFile(file, encoded, 0o600))
	return file
}
