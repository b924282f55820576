package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// jsonObject is a decoded object of JSON or YAML.
type jsonObject = map[string]any

// valueAt returns the value at a path of keys, or nil if there is none.
func valueAt(value any, path ...string) any {
	for _, key := range path {
		object, _ := value.(jsonObject)
		value = object[key]
	}
	return value
}

// readDocumentHPAs returns the HPAs of the design document.
func readDocumentHPAs(t *testing.T) (hpas []jsonObject) {
	t.Helper()
	f, err := os.Open(filepath.Join(projectRoot, "components/scaling/testdata/hpa.yaml"))
	require.NoError(t, err)
	defer f.Close()
	for decoder := yaml.NewDecoder(f); ; {
		var hpa jsonObject
		err := decoder.Decode(&hpa)
		if errors.Is(err, io.EOF) {
			return hpas
		}
		require.NoError(t, err)
		encoded, err := json.Marshal(hpa) // JSON gives the numbers the same Go types as in the objects of the API server
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(encoded, &hpa))
		hpas = append(hpas, hpa)
	}
}

// readSandboxBounds returns the minimum and maximum of each service in Pulumi.sandbox.yaml.
func readSandboxBounds(t *testing.T) map[string]jsonObject {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(projectRoot, "Pulumi.sandbox.yaml"))
	require.NoError(t, err)
	var stack struct {
		Config map[string]any
	}
	require.NoError(t, yaml.Unmarshal(content, &stack))
	bounds := map[string]jsonObject{}
	for name, value := range valueAt(stack.Config, "progressive-framework:services").(jsonObject) {
		bounds[name] = value.(jsonObject)
	}
	return bounds
}

// TestHPAsEqualTheDesignDocument reads the HPAs that KEDA has created, and compares all their fields
// with the design document. Only the minimum and maximum differ, because Pulumi.sandbox.yaml
// sets them. KEDA provides each Pods metric of the design document as an external metric. The
// name of the external metric has the position of the trigger in the ScaledObject.
func TestHPAsEqualTheDesignDocument(t *testing.T) {
	namespace := stackOutput[string](t, "namespace")
	bounds := readSandboxBounds(t)
	serviceNames := map[string]string{"progressive-framework-v5": "web"} // by Deployment; every other Deployment has the name of its service
	for _, documentHPA := range readDocumentHPAs(t) {
		name := valueAt(documentHPA, "metadata", "name").(string)
		t.Run(name, func(t *testing.T) {
			var hpa jsonObject
			require.NoError(t, json.Unmarshal([]byte(mustRun(t, "kubectl", "-n", namespace, "get", "hpa", name, "-o", "json")), &hpa))
			deployment := valueAt(documentHPA, "spec", "scaleTargetRef", "name").(string)
			service, ok := serviceNames[deployment]
			if !ok {
				service = deployment
			}
			require.Equal(t, valueAt(documentHPA, "spec", "scaleTargetRef"), valueAt(hpa, "spec", "scaleTargetRef"))
			require.EqualValues(t, bounds[service]["min"], valueAt(hpa, "spec", "minReplicas"))
			require.EqualValues(t, bounds[service]["max"], valueAt(hpa, "spec", "maxReplicas"))
			for _, direction := range []string{"scaleDown", "scaleUp"} {
				wantBehavior, _ := valueAt(documentHPA, "spec", "behavior", direction).(jsonObject)
				if wantBehavior != nil && wantBehavior["selectPolicy"] == nil {
					wantBehavior["selectPolicy"] = "Max" // the API server's default
				}
				behavior, _ := valueAt(hpa, "spec", "behavior", direction).(jsonObject)
				require.Equal(t, wantBehavior, behavior, direction)
			}
			wantMetrics := replacePodsMetrics(valueAt(documentHPA, "spec", "metrics").([]any))
			metrics := removeSelectors(valueAt(hpa, "spec", "metrics").([]any))
			require.ElementsMatch(t, wantMetrics, metrics)
		})
	}
}

// replacePodsMetrics replaces the Pods metrics of the design document by the external metrics that
// KEDA provides for them.
func replacePodsMetrics(metrics []any) []any {
	converted := make([]any, len(metrics))
	for i, m := range metrics {
		converted[i] = m
		if valueAt(m, "type") == "Pods" {
			converted[i] = jsonObject{"type": "External", "external": jsonObject{
				"metric": jsonObject{"name": fmt.Sprintf("s%d-prometheus", i)}, "target": valueAt(m, "pods", "target"),
			}}
		}
	}
	return converted
}

// removeSelectors removes the selectors of external metrics. KEDA adds the selectors to find
// the ScaledObject. The HPAs of the design document have no selectors.
func removeSelectors(metrics []any) []any {
	for _, m := range metrics {
		if metric, ok := valueAt(m, "external", "metric").(jsonObject); ok {
			delete(metric, "selector")
		}
	}
	return metrics
}

// TestAutoscalersReadTheirMetrics requires that each HPA can compute its number of pods. Each
// ScaledObject must be ready and must not use its fallback.
func TestAutoscalersReadTheirMetrics(t *testing.T) {
	namespace := stackOutput[string](t, "namespace")
	conditionStatus := func(kind, name, condition string) string {
		return mustRun(t, "kubectl", "-n", namespace, "get", kind, name, "-o", fmt.Sprintf(`jsonpath={.status.conditions[?(@.type==%q)].status}`, condition))
	}
	for _, documentHPA := range readDocumentHPAs(t) {
		hpa, deployment := valueAt(documentHPA, "metadata", "name").(string), valueAt(documentHPA, "spec", "scaleTargetRef", "name").(string)
		require.Eventually(t, func() bool {
			return conditionStatus("hpa", hpa, "ScalingActive") == "True" && conditionStatus("scaledobject", deployment, "Ready") == "True" &&
				conditionStatus("scaledobject", deployment, "Fallback") != "True"
		}, 2*time.Minute, 3*time.Second, hpa)
	}
}
