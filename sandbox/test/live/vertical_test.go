package live

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/resource"
)

// resizedServices are the services for which VPA sets the memory request.
var resizedServices = []string{"npa", "wpa"}

// findRunningPod returns a running pod of a service.
func findRunningPod(t *testing.T, namespace, app string) jsonObject {
	t.Helper()
	var list jsonObject
	require.NoError(t, json.Unmarshal([]byte(mustRun(t, "kubectl", "-n", namespace, "get", "pods", "-l", "app="+app, "--field-selector=status.phase=Running", "-o", "json")), &list))
	pods := list["items"].([]any)
	require.NotEmpty(t, pods, app)
	return pods[0].(jsonObject)
}

// readPod returns the pod with this name.
func readPod(t *testing.T, namespace, name string) jsonObject {
	t.Helper()
	var pod jsonObject
	require.NoError(t, json.Unmarshal([]byte(mustRun(t, "kubectl", "-n", namespace, "get", "pod", name, "-o", "json")), &pod))
	return pod
}

// containerStatus returns the status of a pod's only container.
func containerStatus(t *testing.T, pod jsonObject) jsonObject {
	t.Helper()
	statuses, _ := valueAt(pod, "status", "containerStatuses").([]any)
	require.Len(t, statuses, 1)
	return statuses[0].(jsonObject)
}

// parseMemory returns a quantity of memory in bytes, or 0 if v is not a quantity.
func parseMemory(v any) int64 {
	literal, _ := v.(string)
	quantity, err := resource.ParseQuantity(literal)
	if err != nil {
		return 0
	}
	return quantity.Value()
}

// readRecommendedMemory returns the memory that a VPA recommends, and the minimum that it may
// recommend, in bytes.
func readRecommendedMemory(t *testing.T, namespace, vpa string) (target, minimum int64) {
	t.Helper()
	var vpaObject jsonObject
	require.NoError(t, json.Unmarshal([]byte(mustRun(t, "kubectl", "-n", namespace, "get", "vpa", vpa, "-o", "json")), &vpaObject))
	firstItem := func(path ...string) any {
		if list, _ := valueAt(vpaObject, path...).([]any); len(list) > 0 {
			return list[0]
		}
		return nil
	}
	return parseMemory(valueAt(firstItem("status", "recommendation", "containerRecommendations"), "target", "memory")),
		parseMemory(valueAt(firstItem("spec", "resourcePolicy", "containerPolicies"), "minAllowed", "memory"))
}

// TestEveryVPARecommends requires a recommendation of every VPA. A VPA that resizes no pods
// must also have a recommendation.
func TestEveryVPARecommends(t *testing.T) {
	namespace := stackOutput[string](t, "namespace")
	for _, vpa := range []string{"progressive-framework-vpa", "mca-vpa", "npa-vpa", "wpa-vpa"} {
		require.Eventually(t, func() bool {
			target, _ := readRecommendedMemory(t, namespace, vpa)
			return target > 0
		}, 2*time.Minute, 3*time.Second, vpa)
	}
}

// TestVPAResizesPodsInPlace gives two running pods less memory than their VPAs allow. The VPAs
// must set the recommended requests, and raise the limits in proportion. No container may
// restart. The Go runtimes of the services must use the new limits. In the sandbox, VPA acts
// every 15 s (podScaling.resizeSeconds); the default is a minute.
func TestVPAResizesPodsInPlace(t *testing.T) {
	namespace := stackOutput[string](t, "namespace")
	const request, limit = "24Mi", "256Mi"
	podsBefore := map[string]jsonObject{}
	for _, app := range resizedServices {
		require.Eventually(t, func() bool {
			target, minimum := readRecommendedMemory(t, namespace, app+"-vpa")
			return target >= minimum && minimum > parseMemory(request)
		}, 2*time.Minute, 3*time.Second, app)
		podsBefore[app] = findRunningPod(t, namespace, app)
	}
	for _, app := range resizedServices {
		mustRun(t, "kubectl", "-n", namespace, "patch", "pod", valueAt(podsBefore[app], "metadata", "name").(string), "--subresource=resize", "-p", fmt.Sprintf(
			`{"spec":{"containers":[{"name":%q,"resources":{"requests":{"memory":%q},"limits":{"memory":%q}}}]}}`, app, request, limit))
	}
	began := time.Now()
	for _, app := range resizedServices {
		name := valueAt(podsBefore[app], "metadata", "name").(string)
		_, minimum := readRecommendedMemory(t, namespace, app+"-vpa")
		require.Eventually(t, func() bool {
			pod := readPod(t, namespace, name)
			require.Equal(t, valueAt(podsBefore[app], "metadata", "uid"), valueAt(pod, "metadata", "uid"))
			require.Equal(t, valueAt(containerStatus(t, podsBefore[app]), "restartCount"), valueAt(containerStatus(t, pod), "restartCount"), "%s restarted", name)
			resources := valueAt(containerStatus(t, pod), "resources")
			return parseMemory(valueAt(resources, "requests", "memory")) >= minimum && parseMemory(valueAt(resources, "limits", "memory")) > parseMemory(limit)
		}, 2*time.Minute-time.Since(began), 2*time.Second, "%s is resized", name)
		t.Logf("%s was resized after %s", name, time.Since(began).Round(time.Second))
	}
	for _, app := range resizedServices {
		name := valueAt(podsBefore[app], "metadata", "name").(string)
		events := mustRun(t, "kubectl", "-n", namespace, "get", "events", "--field-selector=reason=InPlaceResizedByVPA,involvedObject.name="+name, "-o", "jsonpath={.items[*].message}")
		require.NotEmpty(t, events, name)
		requireMemoryLimitFollows(t, namespace, name)
	}
}

// requireMemoryLimitFollows waits until the memory limit of the pod's Go runtime is nine tenths
// of the limit of its container. VPA may resize the pod again during the wait, so each attempt
// reads both.
func requireMemoryLimitFollows(t *testing.T, namespace, name string) {
	t.Helper()
	require.Eventually(t, func() bool {
		limit := float64(parseMemory(valueAt(containerStatus(t, readPod(t, namespace, name)), "resources", "limits", "memory")))
		value, found := queryPrometheus(t, fmt.Sprintf(`go_gc_gomemlimit_bytes{pod=%q}`, name))
		return found && value > 0.89*limit && value < 0.91*limit
	}, time.Minute, 2*time.Second, "the memory limit of %s follows its container's", name)
}

// TestNewPodGetsTheRecommendation creates a copy of a pod with a dry run. The API server sends
// the new pod to VPA's webhook, which sets the recommended memory. For this call, the API
// server must trust the certificate that the pod of the webhook has created.
func TestNewPodGetsTheRecommendation(t *testing.T) {
	namespace := stackOutput[string](t, "namespace")
	targetBefore, _ := readRecommendedMemory(t, namespace, "wpa-vpa")
	require.NotZero(t, targetBefore)
	pod := findRunningPod(t, namespace, "wpa")
	spec := valueAt(pod, "spec").(jsonObject)
	delete(spec, "nodeName")
	encoded, err := json.Marshal(jsonObject{
		"apiVersion": "v1", "kind": "Pod", "spec": spec,
		"metadata": jsonObject{"generateName": "wpa-copy-", "labels": valueAt(pod, "metadata", "labels"), "ownerReferences": valueAt(pod, "metadata", "ownerReferences")},
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "pod.json")
	require.NoError(t, os.WriteFile(file, encoded, 0o600))
	var created jsonObject
	require.NoError(t, json.Unmarshal([]byte(mustRun(t, "kubectl", "-n", namespace, "create", "--dry-run=server", "-o", "json", "-f", file)), &created))
	updates, _ := valueAt(created, "metadata", "annotations", "vpaUpdates").(string)
	require.True(t, strings.Contains(updates, "wpa-vpa") && strings.Contains(updates, "memory"), "annotation: %q", updates)
	containers := valueAt(created, "spec", "containers").([]any)
	targetAfter, _ := readRecommendedMemory(t, namespace, "wpa-vpa")
	require.Contains(t, []int64{targetBefore, targetAfter}, parseMemory(valueAt(containers[0], "resources", "requests", "memory")))
}
