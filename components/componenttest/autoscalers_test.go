package componenttest

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/podscaling"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

const (
	scaledObject = "kubernetes:keda.sh/v1alpha1:ScaledObject"
	verticalPA   = "kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler"
)

func newPodScaling(p scaling.Profile, change func(*podscaling.Args)) program {
	return func(ctx *pulumi.Context, _ *account.Account) error {
		p.Autoscaled = true
		args := &podscaling.Args{Namespace: pulumi.String("platform"), Profile: p, PrometheusURL: pulumi.String("http://prometheus:9090")}
		change(args)
		_, err := podscaling.NewPodScaling(ctx, "app-"+p.Short, args)
		return err
	}
}

func unchanged(*podscaling.Args) {}

// documentObjects are the objects of a file of the design document, by the name of
// the Deployment that they scale.
func documentObjects(t *testing.T, file, reference string) map[string]map[string]any {
	t.Helper()
	f, err := os.Open("../scaling/testdata/" + file)
	require.NoError(t, err)
	defer f.Close()
	objects := map[string]map[string]any{}
	for d := yaml.NewDecoder(f); ; {
		var o map[string]any
		err := d.Decode(&o)
		if errors.Is(err, io.EOF) {
			return objects
		}
		require.NoError(t, err)
		target := o["spec"].(map[string]any)[reference].(map[string]any)
		objects[target["name"].(string)] = o
	}
}

// floats turns the whole numbers of a YAML value into those that the mocks record.
func floats(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case map[string]any:
		for k, e := range v {
			v[k] = floats(e)
		}
	case []any:
		for i, e := range v {
			v[i] = floats(e)
		}
	}
	return v
}

// TestScaledObjectIsTheDocumentsHPA rebuilds the document's HPA from the ScaledObject
// by the rules of KEDA, and compares it field by field, metric by metric.
func TestScaledObjectIsTheDocumentsHPA(t *testing.T) {
	document := documentObjects(t, "hpa.yaml", "scaleTargetRef")
	floors := map[string]int{"web": 6, "mca": 3, "npa": 2, "wpa": 2}
	require.Len(t, document, len(scaling.Services()))
	for _, p := range scaling.Services() {
		t.Run(p.Short, func(t *testing.T) {
			o := deploy(t, newPodScaling(p, unchanged)).one(t, scaledObject)
			triggers, _ := o.get("spec.triggers").([]any)
			var metrics []any
			for _, trigger := range triggers {
				trigger := trigger.(map[string]any)
				data := trigger["metadata"].(map[string]any)
				switch trigger["type"] {
				case "cpu", "memory":
					utilization := resource.MustParse(data["value"].(string))
					metrics = append(metrics, map[string]any{"type": "Resource", "resource": map[string]any{
						"name":   trigger["type"],
						"target": map[string]any{"type": trigger["metricType"], "averageUtilization": float64(utilization.Value())},
					}})
				case "prometheus":
					target := resource.MustParse(data["threshold"].(string))
					metrics = append(metrics, map[string]any{"type": "Pods", "pods": map[string]any{
						"metric": map[string]any{"name": trigger["name"]},
						"target": map[string]any{"type": trigger["metricType"], "averageValue": target.String()},
					}})
					require.Equal(t, "http://prometheus:9090", data["serverAddress"])
					require.Equal(t, "false", data["ignoreNullValues"], "a metric without a value must not count as 0")
					require.NotContains(t, data["query"], "avg", "an average would be divided by the number of pods twice")
				}
			}
			reference, _ := o.get("spec.scaleTargetRef").(map[string]any)
			spec := map[string]any{
				"scaleTargetRef": reference, "metrics": metrics,
				"minReplicas": o.get("spec.minReplicaCount"), "maxReplicas": o.get("spec.maxReplicaCount"),
			}
			if b := o.get("spec.advanced.horizontalPodAutoscalerConfig.behavior"); b != nil {
				spec["behavior"] = b
			}
			want := document[p.Name]
			require.Equal(t, want["metadata"].(map[string]any)["name"], o.get("spec.advanced.horizontalPodAutoscalerConfig.name"))
			require.Equal(t, floats(want["spec"]), spec)

			o.has(t, map[string]any{
				"metadata.name": p.Name, "metadata.namespace": "platform", "spec.pollingInterval": nil, "spec.idleReplicaCount": nil,
				"spec.fallback": map[string]any{"failureThreshold": 3.0, "replicas": float64(floors[p.Short]), "behavior": "currentReplicasIfHigher"},
			})
		})
	}
}

// KEDA names the metrics of an HPA by the positions of the triggers.
func TestTriggersHaveTheQueriesOfTheirMetrics(t *testing.T) {
	web := scaling.Web()
	o := deploy(t, newPodScaling(web, unchanged)).one(t, scaledObject)
	o.has(t, map[string]any{
		"spec.triggers[2].name":           "http_requests_per_second",
		"spec.triggers[2].metadata.query": promquery.Demand(web, web.HPA.Metrics[2].(scaling.PodsMetric)),
		"spec.triggers[3].name":           "http_request_duration_seconds",
		"spec.triggers[3].metadata.query": promquery.Demand(web, web.HPA.Metrics[3].(scaling.PodsMetric)),
	})
}

// The VPA is the document's, without what the HPA scales on, and resizes in place.
func TestVerticalPodAutoscalerIsTheDocuments(t *testing.T) {
	document := documentObjects(t, "vpa.yaml", "targetRef")
	want := map[string]struct {
		mode      string
		resources []any
	}{
		"web": {"Off", []any{"cpu", "memory"}}, // its HPA scales on both
		"mca": {"Off", []any{"cpu", "memory"}}, // the document's
		"npa": {"InPlaceOrRecreate", []any{"memory"}},
		"wpa": {"InPlaceOrRecreate", []any{"memory"}},
	}
	for _, p := range scaling.Services() {
		t.Run(p.Short, func(t *testing.T) {
			spec := document[p.Name]["spec"].(map[string]any)
			policy := spec["resourcePolicy"].(map[string]any)["containerPolicies"].([]any)[0].(map[string]any)
			v := deploy(t, newPodScaling(p, unchanged)).one(t, verticalPA)
			const at = "spec.resourcePolicy.containerPolicies[0]."
			v.has(t, map[string]any{
				"metadata.name":  document[p.Name]["metadata"].(map[string]any)["name"],
				"spec.targetRef": spec["targetRef"],
				"spec.updatePolicy": map[string]any{
					"updateMode": want[p.Short].mode, "minReplicas": 1.0,
				},
				at + "containerName": p.Name, at + "controlledResources": want[p.Short].resources,
				at + "controlledValues": policy["controlledValues"],
			})
			for _, bound := range []string{"minAllowed", "maxAllowed"} {
				for _, name := range want[p.Short].resources {
					document := resource.MustParse(policy[bound].(map[string]any)[name.(string)].(string))
					actual := resource.MustParse(v.get(at + bound + "." + name.(string)).(string))
					require.Zero(t, document.Cmp(actual), "%s of %s", bound, name)
				}
				require.Len(t, v.get(at+bound), len(want[p.Short].resources))
			}
		})
	}
}

func TestPodScalingRefuses(t *testing.T) {
	for _, tc := range []struct {
		reason string
		change func(*podscaling.Args)
		want   string
	}{
		{"an HPA and a VPA on one resource", func(a *podscaling.Args) { a.Profile.VPA.Controls = []scaling.ResourceName{scaling.CPU, scaling.Memory} }, "HPA npa-hpa and VPA npa-vpa both own cpu"},
		{"a floor outside the bounds", func(a *podscaling.Args) { a.Profile.Floor = 1 }, "floor of 1 pods"},
		{"an autoscaler of a fixed number", func(a *podscaling.Args) { a.Profile.Autoscaled = false }, "its Deployment has a fixed number of replicas"},
		{"no Prometheus", func(a *podscaling.Args) { a.PrometheusURL = nil }, "PrometheusURL must be set"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			d, err := run(newPodScaling(scaling.NPA(), tc.change))
			require.ErrorContains(t, err, tc.want)
			for _, r := range d {
				require.False(t, strings.HasPrefix(r.Type, "kubernetes:"), "%s was registered", r.Name)
			}
		})
	}
}
