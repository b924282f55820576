package engine

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// foreignImage is the reference, by digest, of an image in another registry.
const foreignImage = "docker.io/library/busybox@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// checkOtherPodsAreRefused creates pods that differ from the stack's own pods. The API server
// must refuse them and name the rule. The tests of sandbox/admission have more cases of the
// rules.
func checkOtherPodsAreRefused(t *testing.T, s *stack) {
	var namespace string
	s.readOutput(t, "namespace", &namespace)
	var deployment struct {
		Spec struct{ Template struct{ Spec podSpec } }
	}
	require.NoError(t, json.Unmarshal([]byte(s.kubectl(t, "-n", namespace, "get", "deployment", "mca", "-o", "json")), &deployment))
	image := deployment.Spec.Template.Spec.container()["image"].(string)
	repository, _, _ := strings.Cut(image, "@")

	for _, tc := range []struct {
		reason string
		change func(podSpec)
		// refusal is a part of the API server's message. It is empty if the pod is admitted.
		refusal string
	}{
		{"the stack's own pod", func(podSpec) {}, ""},
		{"an image of another registry", func(p podSpec) { p.container()["image"] = foreignImage }, "image-of-this-stack: mca runs an image that does not begin with "},
		{
			"a repository with a name that begins with the stack's name",
			func(p podSpec) { p.container()["image"] = strings.Replace(image, namespace, namespace+"-of-others", 1) },
			"image-of-this-stack",
		},
		{"an image by tag", func(p podSpec) { p.container()["image"] = repository + ":latest" }, "pod-image-by-digest: mca names its image by a tag. Fix: "},
		{"an init container", func(p podSpec) {
			initContainer := maps.Clone(p.container())
			initContainer["name"], initContainer["image"] = "init", foreignImage
			for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
				delete(initContainer, probe)
			}
			p["initContainers"] = []any{initContainer}
		}, "image-of-this-stack: init runs"},
		{"a root file system that can be written", func(p podSpec) {
			p.container()["securityContext"].(map[string]any)["readOnlyRootFilesystem"] = false
		}, "pod-read-only-root: mca can write"},
		{"a service account token for the API server", func(p podSpec) { p["automountServiceAccountToken"] = true }, "pod-no-api-token: kube-api-access-"},
		{"a service account token for EKS Pod Identity", func(p podSpec) { p.addToken("pods.eks.amazonaws.com") }, ""},
		{"a port of the node, by the Pod Security Standard", func(p podSpec) {
			p.container()["ports"] = []any{map[string]any{"containerPort": 8080, "hostPort": 8080}}
		}, `violates PodSecurity "restricted`},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			spec := deployment.Spec.Template.Spec.clone(t)
			tc.change(spec)
			out, err := s.createPod(t, namespace, spec, "--dry-run=server")
			if tc.refusal == "" {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			require.Contains(t, out, tc.refusal)
		})
	}

	t.Run("pods of another namespace are admitted", func(t *testing.T) {
		spec := deployment.Spec.Template.Spec.clone(t)
		spec.container()["image"] = foreignImage
		delete(spec, "serviceAccountName")
		delete(spec, "serviceAccount")
		_, err := s.createPod(t, "default", spec, "--dry-run=server")
		require.NoError(t, err)
	})
	t.Run("a container for debugging", func(t *testing.T) {
		pod := s.kubectl(t, "-n", namespace, "get", "pods", "-l", "app=mca", "-o", "jsonpath={.items[0].metadata.name}")
		out, err := s.run(t, s.dir, "kubectl", "-n", namespace, "debug", pod, "--profile=restricted", "--container=debugger", "--image="+foreignImage, "--attach=false")
		require.Error(t, err)
		require.Contains(t, out, "image-of-this-stack: debugger runs")
	})
	t.Run("the API server finds no type errors in the expressions", func(t *testing.T) {
		require.Eventually(t, func() bool {
			return s.kubectl(t, "get", "validatingadmissionpolicy", namespace, "-o", "jsonpath={.status.observedGeneration}") != ""
		}, time.Minute, time.Second, "the controller has checked the policy")
		require.Empty(t, s.kubectl(t, "get", "validatingadmissionpolicy", namespace, "-o", "jsonpath={.status.typeChecking.expressionWarnings}"))
	})
	t.Run("a pod that is older than the policy may get a label and no other image", func(t *testing.T) {
		s.kubectl(t, "delete", "validatingadmissionpolicybinding", namespace)
		spec := deployment.Spec.Template.Spec.clone(t)
		spec.container()["image"] = foreignImage
		require.Eventually(t, func() bool { // the API server reads its policies from a cache
			_, err := s.createPod(t, namespace, spec)
			return err == nil
		}, time.Minute, time.Second, "no policy is bound")

		s.pulumi(t, "up", "--yes", "--skip-preview", "--refresh")
		require.Eventually(t, func() bool {
			_, err := s.createPod(t, namespace, spec, "--dry-run=server")
			return err != nil
		}, time.Minute, time.Second, "the update has bound the policy again")
		s.kubectl(t, "-n", namespace, "label", "pod", "probe", "released=true")
		out, err := s.run(t, s.dir, "kubectl", "-n", namespace, "set", "image", "pod/probe", "mca="+strings.Replace(foreignImage, "busybox", "alpine", 1))
		require.Error(t, err, "a new image is checked")
		require.Contains(t, out, "image-of-this-stack")
		s.kubectl(t, "-n", namespace, "delete", "pod", "probe", "--wait=false")
	})
}

// podSpec is the spec of a pod with one container.
type podSpec map[string]any

func (p podSpec) container() map[string]any { return p["containers"].([]any)[0].(map[string]any) }

// addToken mounts a token of the service account for an audience.
func (p podSpec) addToken(audience string) {
	volumes, _ := p["volumes"].([]any)
	p["volumes"] = append(volumes, map[string]any{"name": "token", "projected": map[string]any{"sources": []any{
		map[string]any{"serviceAccountToken": map[string]any{"audience": audience, "path": "token"}},
	}}})
}

func (p podSpec) clone(t *testing.T) podSpec {
	t.Helper()
	encoded, err := json.Marshal(p)
	require.NoError(t, err)
	var c podSpec
	require.NoError(t, json.Unmarshal(encoded, &c))
	return c
}

// createPod creates the pod "probe" and returns kubectl's output.
func (s *stack) createPod(t *testing.T, namespace string, spec podSpec, flags ...string) (string, error) {
	t.Helper()
	encoded, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "probe", "namespace": namespace}, "spec": spec,
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "pod.json")
	require.NoError(t, os.WriteFile(file, encoded, 0o600))
	return s.run(t, s.dir, "kubectl", append([]string{"create", "-f", file}, flags...)...)
}
