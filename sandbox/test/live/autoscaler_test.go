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

type fields = map[string]any

// valueAt returns the value at a path of keys, or nil if there is none.
func valueAt(v any, path ...string) any {
	for _, key := range path {
		o, _ := v.(fields)
		v = o[key]
	}
	return v
}

// documentHPAs returns the HPAs of the design document.
func documentHPAs(t *testing.T) (all []fields) {
	t.Helper()
	f, err := os.Open(filepath.Join(root, "components/scaling/testdata/hpa.yaml"))
	require.NoError(t, err)
	defer f.Close()
	for d := yaml.NewDecoder(f); ; {
		var o fields
		err := d.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		text, err := json.Marshal(o) // this and the next step give numbers the types that objects of the API server have here
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &o))
		all = append(all, o)
	}
}

// sandboxBounds returns the minimum and maximum of each service in Pulumi.sandbox.yaml.
func sandboxBounds(t *testing.T) map[string]fields {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "Pulumi.sandbox.yaml"))
	require.NoError(t, err)
	var stack struct {
		Config map[string]any
	}
	require.NoError(t, yaml.Unmarshal(text, &stack))
	bounds := map[string]fields{}
	for name, v := range valueAt(stack.Config, "progressive-framework:services").(fields) {
		bounds[name] = v.(fields)
	}
	return bounds
}

// TestHPAsEqualTheDesignDocument reads the HPAs that KEDA has created, and compares all their fields
// with the design document. Only the minimum and maximum differ, because Pulumi.sandbox.yaml
// sets them. KEDA provides each Pods metric of the design document as an external metric. The
// name of the external metric has the position of the trigger in the ScaledObject.
func TestHPAsEqualTheDesignDocument(t *testing.T) {
	namespace := output[string](t, "namespace")
	bounds := sandboxBounds(t)
	serviceNames := map[string]string{"progressive-framework-v5": "web"} // by Deployment; other Deployments have the name of their service
	for _, want := range documentHPAs(t) {
		name := valueAt(want, "metadata", "name").(string)
		t.Run(name, func(t *testing.T) {
			var hpa fields
			require.NoError(t, json.Unmarshal([]byte(must(t, "kubectl", "-n", namespace, "get", "hpa", name, "-o", "json")), &hpa))
			service := valueAt(want, "spec", "scaleTargetRef", "name").(string)
			if name, ok := serviceNames[service]; ok {
				service = name
			}
			require.Equal(t, valueAt(want, "spec", "scaleTargetRef"), valueAt(hpa, "spec", "scaleTargetRef"))
			require.EqualValues(t, bounds[service]["min"], valueAt(hpa, "spec", "minReplicas"))
			require.EqualValues(t, bounds[service]["max"], valueAt(hpa, "spec", "maxReplicas"))
			for _, direction := range []string{"scaleDown", "scaleUp"} {
				behavior, _ := valueAt(want, "spec", "behavior", direction).(fields)
				if behavior != nil && behavior["selectPolicy"] == nil {
					behavior["selectPolicy"] = "Max" // the API server's default
				}
				actual, _ := valueAt(hpa, "spec", "behavior", direction).(fields)
				require.Equal(t, behavior, actual, direction)
			}
			require.ElementsMatch(t, asExternal(valueAt(want, "spec", "metrics").([]any)), withoutSelectors(valueAt(hpa, "spec", "metrics").([]any)))
		})
	}
}

// asExternal replaces the Pods metrics of the design document by the external metrics that
// KEDA provides for them.
func asExternal(metrics []any) []any {
	out := make([]any, len(metrics))
	for i, m := range metrics {
		out[i] = m
		if valueAt(m, "type") == "Pods" {
			out[i] = fields{"type": "External", "external": fields{
				"metric": fields{"name": fmt.Sprintf("s%d-prometheus", i)}, "target": valueAt(m, "pods", "target"),
			}}
		}
	}
	return out
}

// withoutSelectors removes the selectors of external metrics. KEDA adds the selectors to find
// the ScaledObject. The HPAs of the design document have no selectors.
func withoutSelectors(metrics []any) []any {
	for _, m := range metrics {
		if metric, ok := valueAt(m, "external", "metric").(fields); ok {
			delete(metric, "selector")
		}
	}
	return metrics
}

// TestAutoscalersReadTheirMetrics requires that each HPA can compute its number of pods. Each
// ScaledObject must be ready and must not use its fallback.
func TestAutoscalersReadTheirMetrics(t *testing.T) {
	namespace := output[string](t, "namespace")
	condition := func(kind, name, condition string) string {
		return must(t, "kubectl", "-n", namespace, "get", kind, name, "-o", fmt.Sprintf(`jsonpath={.status.conditions[?(@.type==%q)].status}`, condition))
	}
	for _, d := range documentHPAs(t) {
		hpa, deployment := valueAt(d, "metadata", "name").(string), valueAt(d, "spec", "scaleTargetRef", "name").(string)
		require.Eventually(t, func() bool {
			return condition("hpa", hpa, "ScalingActive") == "True" && condition("scaledobject", deployment, "Ready") == "True" &&
				condition("scaledobject", deployment, "Fallback") != "True"
		}, 2*time.Minute, 3*time.Second, hpa)
	}
}
