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

// Types of resources.
const (
	scaledObject          = "kubernetes:keda.sh/v1alpha1:ScaledObject"
	verticalPodAutoscaler = "kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler"
)

// newPodScaling returns a program that creates the autoscalers of a service. change can change
// the arguments.
func newPodScaling(p scaling.Profile, change func(*podscaling.Args)) program {
	return func(ctx *pulumi.Context, _ *account.Account) error {
		p.Autoscaled = true
		args := &podscaling.Args{Namespace: pulumi.String("platform"), Profile: p, PrometheusURL: pulumi.String("http://prometheus:9090")}
		change(args)
		_, err := podscaling.NewPodScaling(ctx, "app-"+p.ShortName, args)
		return err
	}
}

// noChange is a change for newPodScaling that changes nothing.
func noChange(*podscaling.Args) {}

// readDesignObjects reads the Kubernetes objects in a file of the design document. It returns the
// objects by the name of the Deployment that each object scales. referenceField is the field of the
// spec that has this name.
func readDesignObjects(t *testing.T, file, referenceField string) map[string]map[string]any {
	t.Helper()
	manifest, err := os.Open("../scaling/testdata/" + file)
	require.NoError(t, err)
	defer manifest.Close()
	objects := map[string]map[string]any{}
	for decoder := yaml.NewDecoder(manifest); ; {
		var object map[string]any
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		require.NoError(t, err)
		target := object["spec"].(map[string]any)[referenceField].(map[string]any)
		objects[target["name"].(string)] = object
	}
}

// intsToFloats converts the whole numbers in a YAML value to float64, as the mocks record
// numbers.
func intsToFloats(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case map[string]any:
		for k, e := range v {
			v[k] = intsToFloats(e)
		}
	case []any:
		for i, e := range v {
			v[i] = intsToFloats(e)
		}
	}
	return v
}

// The test builds the HPA that KEDA would create from the ScaledObject. This HPA must be equal to
// the HPA in the design document.
func TestScaledObjectMatchesTheDesignDocumentsHPA(t *testing.T) {
	designHPAs := readDesignObjects(t, "hpa.yaml", "scaleTargetRef")
	fallbackReplicas := map[string]int{"web": 6, "mca": 3, "npa": 2, "wpa": 2}
	require.Len(t, designHPAs, len(scaling.Services()))
	for _, p := range scaling.Services() {
		t.Run(p.ShortName, func(t *testing.T) {
			object := deploy(t, newPodScaling(p, noChange)).find(t, scaledObject)
			triggers, _ := object.input("spec.triggers").([]any)
			var metrics []any
			for _, trigger := range triggers {
				trigger := trigger.(map[string]any)
				metadata := trigger["metadata"].(map[string]any)
				switch trigger["type"] {
				case "cpu", "memory":
					utilization := resource.MustParse(metadata["value"].(string))
					metrics = append(metrics, map[string]any{"type": "Resource", "resource": map[string]any{
						"name":   trigger["type"],
						"target": map[string]any{"type": trigger["metricType"], "averageUtilization": float64(utilization.Value())},
					}})
				case "prometheus":
					target := resource.MustParse(metadata["threshold"].(string))
					metrics = append(metrics, map[string]any{"type": "Pods", "pods": map[string]any{
						"metric": map[string]any{"name": trigger["name"]},
						"target": map[string]any{"type": trigger["metricType"], "averageValue": target.String()},
					}})
					require.Equal(t, "http://prometheus:9090", metadata["serverAddress"])
					require.Equal(t, "false", metadata["ignoreNullValues"], "a metric without a value must not count as 0")
					require.NotContains(t, metadata["query"], "avg", "KEDA divides the sum by the number of pods; it would divide an average again")
				}
			}
			reference, _ := object.input("spec.scaleTargetRef").(map[string]any)
			spec := map[string]any{
				"scaleTargetRef": reference, "metrics": metrics,
				"minReplicas": object.input("spec.minReplicaCount"), "maxReplicas": object.input("spec.maxReplicaCount"),
			}
			if behavior := object.input("spec.advanced.horizontalPodAutoscalerConfig.behavior"); behavior != nil {
				spec["behavior"] = behavior
			}
			want := designHPAs[p.Name]
			require.Equal(t, want["metadata"].(map[string]any)["name"], object.input("spec.advanced.horizontalPodAutoscalerConfig.name"))
			require.Equal(t, intsToFloats(want["spec"]), spec)

			object.requireInputs(t, map[string]any{
				"metadata.name": p.Name, "metadata.namespace": "platform", "spec.pollingInterval": nil, "spec.idleReplicaCount": nil,
				"spec.fallback": map[string]any{"failureThreshold": 3.0, "replicas": float64(fallbackReplicas[p.ShortName]), "behavior": "currentReplicasIfHigher"},
			})
		})
	}
}

// KEDA names an HPA's metrics by the positions of the triggers. So each position must have the
// query of its metric.
func TestEachTriggerHasTheQueryOfItsMetric(t *testing.T) {
	web := scaling.Web()
	object := deploy(t, newPodScaling(web, noChange)).find(t, scaledObject)
	object.requireInputs(t, map[string]any{
		"spec.triggers[2].name":           "http_requests_per_second",
		"spec.triggers[2].metadata.query": promquery.Demand(web, web.HPA.Metrics[2].(scaling.PodsMetric)),
		"spec.triggers[3].name":           "http_request_duration_seconds",
		"spec.triggers[3].metadata.query": promquery.Demand(web, web.HPA.Metrics[3].(scaling.PodsMetric)),
	})
}

// The VPA is equal to the design document's VPA, with two differences. The platform's VPA does not
// control a resource on which the HPA scales, and it resizes pods in place.
func TestVPAHasTheBoundsOfTheDesignDocument(t *testing.T) {
	designVPAs := readDesignObjects(t, "vpa.yaml", "targetRef")
	want := map[string]struct {
		mode      string
		resources []any
	}{
		"web": {"Off", []any{"cpu", "memory"}}, // its HPA scales on both resources
		"mca": {"Off", []any{"cpu", "memory"}}, // the mode in the design document
		"npa": {"InPlaceOrRecreate", []any{"memory"}},
		"wpa": {"InPlaceOrRecreate", []any{"memory"}},
	}
	for _, p := range scaling.Services() {
		t.Run(p.ShortName, func(t *testing.T) {
			spec := designVPAs[p.Name]["spec"].(map[string]any)
			policy := spec["resourcePolicy"].(map[string]any)["containerPolicies"].([]any)[0].(map[string]any)
			vpa := deploy(t, newPodScaling(p, noChange)).find(t, verticalPodAutoscaler)
			const policyPath = "spec.resourcePolicy.containerPolicies[0]."
			vpa.requireInputs(t, map[string]any{
				"metadata.name":  designVPAs[p.Name]["metadata"].(map[string]any)["name"],
				"spec.targetRef": spec["targetRef"],
				"spec.updatePolicy": map[string]any{
					"updateMode": want[p.ShortName].mode, "minReplicas": 1.0,
				},
				policyPath + "containerName": p.Name, policyPath + "controlledResources": want[p.ShortName].resources,
				policyPath + "controlledValues": policy["controlledValues"],
			})
			for _, bound := range []string{"minAllowed", "maxAllowed"} {
				for _, name := range want[p.ShortName].resources {
					documented := resource.MustParse(policy[bound].(map[string]any)[name.(string)].(string))
					actual := resource.MustParse(vpa.input(policyPath + bound + "." + name.(string)).(string))
					require.Zero(t, documented.Cmp(actual), "%s of %s", bound, name)
				}
				require.Len(t, vpa.input(policyPath+bound), len(want[p.ShortName].resources))
			}
		})
	}
}

func TestPodScalingRefusesInvalidProfiles(t *testing.T) {
	for _, tc := range []struct {
		reason string
		change func(*podscaling.Args)
		want   string
	}{
		{"an HPA and a VPA that control the same resource", func(a *podscaling.Args) { a.Profile.VPA.Controls = []scaling.ResourceName{scaling.CPU, scaling.Memory} }, "HPA npa-hpa and VPA npa-vpa both own cpu"},
		{"a floor below the minimum of pods", func(a *podscaling.Args) { a.Profile.Floor = 1 }, "floor of 1 pods"},
		{"a service that is not autoscaled", func(a *podscaling.Args) { a.Profile.Autoscaled = false }, "its Deployment has a fixed number of replicas"},
		{"no URL of Prometheus", func(a *podscaling.Args) { a.PrometheusURL = nil }, "PrometheusURL must be set"},
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
