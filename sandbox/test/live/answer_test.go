package live

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestURLAnswers waits until the platform answers requests.
func TestURLAnswers(t *testing.T) {
	client := &http.Client{Timeout: 5 * time.Second}
	for _, path := range []string{"/", "/health", "/health/ready", "/openapi.json", "/api/v1/agents/mca/health"} {
		url := stackOutput[string](t, "url") + path
		require.Eventually(t, func() bool {
			status, body, err := get(t.Context(), client, url)
			t.Logf("%s: %d %s %v", url, status, body, err)
			return err == nil && status == http.StatusOK
		}, 30*time.Second, time.Second, url)
	}
}

func TestPodRunsTheDigestOfTheOutput(t *testing.T) {
	reference := stackOutput[map[string]string](t, "images")["web"]
	_, digest, ok := strings.Cut(reference, "@")
	require.True(t, ok, "the output %q is a reference by digest", reference)
	// After an `up`, the old pod of a rollout still runs for some seconds.
	require.Eventually(t, func() bool {
		imageIDs := strings.Fields(mustRun(t, "kubectl", "-n", stackOutput[string](t, "namespace"), "get", "pods", "-l", "app=progressive-framework-v5",
			"--field-selector=status.phase=Running", "-o", "jsonpath={.items[*].status.containerStatuses[0].imageID}"))
		hasOtherDigest := func(imageID string) bool { return !strings.HasSuffix(imageID, digest) }
		return len(imageIDs) > 0 && !slices.ContainsFunc(imageIDs, hasOtherDigest)
	}, time.Minute, time.Second, "every pod runs %s", digest)
}

// TestPodAnswersThroughItsClusterIPAndName sends requests from a pod, because ClusterIPs and
// service names work only in the cluster. It tests kube-proxy's rules and CoreDNS.
func TestPodAnswersThroughItsClusterIPAndName(t *testing.T) {
	namespace := stackOutput[string](t, "namespace")
	ip := mustRun(t, "kubectl", "-n", namespace, "get", "service", "mca-service", "-o", "jsonpath={.spec.clusterIP}")
	image := buildRequesterImage(t)
	allowRequesters(t, namespace)
	for name, host := range map[string]string{
		"requester-by-ip":   ip,
		"requester-by-name": "mca-service." + namespace + ".svc.cluster.local",
	} {
		t.Run(name, func(t *testing.T) {
			logs := runRequester(t, name, image, "requester=admitted", fmt.Sprintf("http://%s/health", host), "5", "Succeeded")
			require.Equal(t, 5, strings.Count(logs, `"status":"ok"`), "five responses")
		})
	}
}

// TestMetricsServerMeasuresThePod runs kubectl top. Like an HPA, it reads the kubelet's
// metrics through the API server's aggregation layer and metrics-server.
func TestMetricsServerMeasuresThePod(t *testing.T) {
	namespace := stackOutput[string](t, "namespace")
	require.Eventually(t, func() bool {
		out, err := run(t, "kubectl", "top", "pods", "-n", namespace, "--no-headers")
		return err == nil && strings.Contains(out, "mca-")
	}, 2*time.Minute, 3*time.Second)
}
