package live

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// requesterPolicy is a network policy. It allows connections to mca from pods of the namespace
// default that have the label requester=admitted.
const requesterPolicy = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: test-requesters}
spec:
  podSelector: {matchLabels: {app: mca}}
  ingress:
  - from:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}
      podSelector: {matchLabels: {requester: admitted}}
    ports: [{port: http}]
`

// allowRequesters creates requesterPolicy and deletes it at the end of the test.
func allowRequesters(t *testing.T, namespace string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(file, []byte(requesterPolicy), 0o600))
	mustRun(t, "kubectl", "-n", namespace, "apply", "-f", file)
	t.Cleanup(func() { mustRun(t, "kubectl", "-n", namespace, "delete", "networkpolicy", "test-requesters") })
}

// runRequester runs a pod in the namespace default. The pod sends count requests to a URL.
// runRequester waits until the pod is in the phase, and returns the pod's log.
func runRequester(t *testing.T, pod, image, labels, url, count, phase string) string {
	t.Helper()
	return runRequesterIn(t, "default", pod, image, labels, url, count, phase)
}

// runRequesterIn runs a pod in a namespace. The pod sends count requests to a URL.
// runRequesterIn waits until the pod is in the phase, and returns the pod's log. The pod
// satisfies the Pod Security Standard "restricted".
func runRequesterIn(t *testing.T, namespace, pod, image, labels, url, count, phase string) string {
	t.Helper()
	_, err := run(t, "kubectl", "-n", namespace, "delete", "pod", pod, "--ignore-not-found", "--wait")
	require.NoError(t, err)
	t.Cleanup(func() { mustRun(t, "kubectl", "-n", namespace, "delete", "pod", pod, "--wait=false") })
	overrides := `{"spec":{"automountServiceAccountToken":false,"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},` +
		`"containers":[{"name":"` + pod + `","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}`
	mustRun(t, "kubectl", "-n", namespace, "run", pod, "--image="+image, "--labels="+labels, "--restart=Never",
		"--override-type=strategic", "--overrides="+overrides, "--", url, count)
	mustRun(t, "kubectl", "-n", namespace, "wait", "pod/"+pod, "--for=jsonpath={.status.phase}="+phase, "--timeout=60s")
	return mustRun(t, "kubectl", "-n", namespace, "logs", pod)
}

// TestNetworkPoliciesAreEnforced sends requests from two equal pods. The pod with the label of
// requesterPolicy must get a response of mca. The other pod must not reach mca through the name
// of its service, and must not reach PostgreSQL through the address of its pod.
func TestNetworkPoliciesAreEnforced(t *testing.T) {
	namespace, image := stackOutput[string](t, "namespace"), buildRequesterImage(t)
	allowRequesters(t, namespace)
	mcaURL := "http://mca-service." + namespace + ".svc.cluster.local/health"
	postgresURL := "http://" + mustRun(t, "kubectl", "-n", namespace, "get", "pod", "postgres-0", "-o", "jsonpath={.status.podIP}") + ":5432/"

	require.Contains(t, runRequester(t, "requester-admitted", image, "requester=admitted", mcaURL, "1", "Succeeded"), `"status":"ok"`)
	for pod, url := range map[string]string{"requester-of-a-service": mcaURL, "requester-of-a-database": postgresURL} {
		require.Contains(t, runRequester(t, pod, image, "requester=other", url, "1", "Failed"), "Client.Timeout exceeded", url)
	}
}

// TestControllersConnectOnlyToWhatTheyCall sends requests from two equal pods in the namespace
// of VPA. The first pod has the label of VPA's updater, so the egress policy of the updater
// selects the pod. This pod must reach the API server, and must not reach the metrics of
// CoreDNS. No policy selects the other pod, which must reach these metrics.
func TestControllersConnectOnlyToWhatTheyCall(t *testing.T) {
	namespace, image := stackOutput[string](t, "namespace")+"-vpa", buildRequesterImage(t)
	coreDNSIP := mustRun(t, "kubectl", "-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns", "-o", "jsonpath={.items[0].status.podIP}")
	metricsURL := "http://" + coreDNSIP + ":9153/metrics"
	require.Contains(t, runRequesterIn(t, namespace, "requester-free", image, "requester=other", metricsURL, "1", "Succeeded"), "coredns_")
	require.Contains(t, runRequesterIn(t, namespace, "requester-updater", image, "app=vpa-updater", metricsURL, "1", "Failed"), "Client.Timeout exceeded")
	logs := runRequesterIn(t, namespace, "requester-of-the-api", image, "app=vpa-updater", "https://kubernetes.default.svc.cluster.local/", "1", "Failed")
	require.Contains(t, logs, "certificate", "the connection works; only the certificate is unknown to the requester")
}
