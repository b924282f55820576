package live

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// visitors admits pods of the namespace default with a label to mca.
const visitors = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: test-visitors}
spec:
  podSelector: {matchLabels: {app: mca}}
  ingress:
  - from:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}
      podSelector: {matchLabels: {visitor: admitted}}
    ports: [{port: http}]
`

// admitVisitors creates the policy visitors for the time of the test.
func admitVisitors(t *testing.T, namespace string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(file, []byte(visitors), 0o600))
	must(t, "kubectl", "-n", namespace, "apply", "-f", file)
	t.Cleanup(func() { must(t, "kubectl", "-n", namespace, "delete", "networkpolicy", "test-visitors") })
}

// visit runs a pod in the namespace default that sends requests to a URL. It returns what
// the pod wrote when it is in the phase.
func visit(t *testing.T, pod, image, labels, url, count, phase string) string {
	t.Helper()
	_, err := run(t, "kubectl", "delete", "pod", pod, "--ignore-not-found", "--wait")
	require.NoError(t, err)
	t.Cleanup(func() { must(t, "kubectl", "delete", "pod", pod, "--wait=false") })
	must(t, "kubectl", "run", pod, "--image="+image, "--labels="+labels, "--restart=Never", "--", url, count)
	must(t, "kubectl", "wait", "pod/"+pod, "--for=jsonpath={.status.phase}="+phase, "--timeout=60s")
	return must(t, "kubectl", "logs", pod)
}

// TestNetworkPoliciesAreEnforced: of two equal pods, the one with the label of a policy is
// answered. The other one waits in vain for a service, by its ClusterIP, and for a store,
// by the address of its pod.
func TestNetworkPoliciesAreEnforced(t *testing.T) {
	namespace, image := output[string](t, "namespace"), visitorImage(t)
	admitVisitors(t, namespace)
	mca := "http://mca-service." + namespace + ".svc.cluster.local/health"
	postgres := "http://" + must(t, "kubectl", "-n", namespace, "get", "pod", "postgres-0", "-o", "jsonpath={.status.podIP}") + ":5432/"

	require.Contains(t, visit(t, "visitor-admitted", image, "visitor=admitted", mca, "1", "Succeeded"), `"status":"ok"`)
	for pod, url := range map[string]string{"visitor-of-a-service": mca, "visitor-of-a-store": postgres} {
		require.Contains(t, visit(t, pod, image, "visitor=other", url, "1", "Failed"), "Client.Timeout exceeded", url)
	}
}
