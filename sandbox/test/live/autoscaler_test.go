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

// at returns the value at a path of keys, or nil if there is none.
func at(v any, path ...string) any {
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
	for name, v := range at(stack.Config, "progressive-framework:services").(fields) {
		bounds[name] = v.(fields)
	}
	return bounds
}

// TestHPAsAreTheDocuments reads the HPAs that KEDA has created, and compares all their fields
// with the design document. Only the minimum and maximum differ: they are those of the
// sandbox. KEDA provides a Pods metric of the document as an external metric. Its name has
// the position of the trigger in the ScaledObject.
func TestHPAsAreTheDocuments(t *testing.T) {
	namespace := output[string](t, "namespace")
	bounds := sandboxBounds(t)
	serviceOf := map[string]string{"progressive-framework-v5": "web"} // Deployments with another name than their service
	for _, want := range documentHPAs(t) {
		name := at(want, "metadata", "name").(string)
		t.Run(name, func(t *testing.T) {
			var hpa fields
			require.NoError(t, json.Unmarshal([]byte(must(t, "kubectl", "-n", namespace, "get", "hpa", name, "-o", "json")), &hpa))
			service := at(want, "spec", "scaleTargetRef", "name").(string)
			if name, ok := serviceOf[service]; ok {
				service = name
			}
			require.Equal(t, at(want, "spec", "scaleTargetRef"), at(hpa, "spec", "scaleTargetRef"))
			require.EqualValues(t, bounds[service]["min"], at(hpa, "spec", "minReplicas"))
			require.EqualValues(t, bounds[service]["max"], at(hpa, "spec", "maxReplicas"))
			for _, direction := range []string{"scaleDown", "scaleUp"} {
				behavior, _ := at(want, "spec", "behavior", direction).(fields)
				if behavior != nil && behavior["selectPolicy"] == nil {
					behavior["selectPolicy"] = "Max" // the API server's default
				}
				actual, _ := at(hpa, "spec", "behavior", direction).(fields)
				require.Equal(t, behavior, actual, direction)
			}
			require.ElementsMatch(t, asExternal(at(want, "spec", "metrics").([]any)), withoutSelectors(at(hpa, "spec", "metrics").([]any)))
		})
	}
}

// asExternal replaces the document's Pods metrics by the external metrics that KEDA provides
// for them.
func asExternal(metrics []any) []any {
	out := make([]any, len(metrics))
	for i, m := range metrics {
		out[i] = m
		if at(m, "type") == "Pods" {
			out[i] = fields{"type": "External", "external": fields{
				"metric": fields{"name": fmt.Sprintf("s%d-prometheus", i)}, "target": at(m, "pods", "target"),
			}}
		}
	}
	return out
}

// withoutSelectors removes the selectors of external metrics. KEDA adds them to find the
// ScaledObject, and the document has none.
func withoutSelectors(metrics []any) []any {
	for _, m := range metrics {
		if metric, ok := at(m, "external", "metric").(fields); ok {
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
		hpa, deployment := at(d, "metadata", "name").(string), at(d, "spec", "scaleTargetRef", "name").(string)
		require.Eventually(t, func() bool {
			return condition("hpa", hpa, "ScalingActive") == "True" && condition("scaledobject", deployment, "Ready") == "True" &&
				condition("scaledobject", deployment, "Fallback") != "True"
		}, 2*time.Minute, 3*time.Second, hpa)
	}
}
