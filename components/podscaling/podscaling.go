// Package podscaling owns the autoscalers of one service: the ScaledObject, from which
// KEDA makes the HorizontalPodAutoscaler, and the VerticalPodAutoscaler. Their numbers
// come from package scaling, and the queries from scaling/promquery. KEDA, VPA and
// Prometheus are not its own.
package podscaling

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

// Args configure a PodScaling.
type Args struct {
	// Namespace is the namespace of the service.
	Namespace pulumi.StringInput
	// Profile has the HPA, the VPA and the floor.
	Profile scaling.Profile
	// PrometheusURL is where KEDA reads the metrics, such as http://prometheus:9090.
	PrometheusURL pulumi.StringInput
}

func (a *Args) validate() error {
	if a == nil || a.Namespace == nil || a.PrometheusURL == nil {
		return errors.New("pod scaling: Namespace and PrometheusURL must be set")
	}
	if !a.Profile.Autoscaled {
		return fmt.Errorf("pod scaling of %s: its Deployment has a fixed number of replicas, which would undo the autoscaler's: set Profile.Autoscaled", a.Profile.Name)
	}
	return a.Profile.Validate()
}

// PodScaling is the autoscalers of one service.
type PodScaling struct {
	pulumi.ResourceState

	// HPAName is the name of the HorizontalPodAutoscaler that KEDA creates.
	HPAName pulumi.StringOutput
}

// NewPodScaling creates the ScaledObject and the VerticalPodAutoscaler. KEDA and VPA
// install their kinds, so opts must depend on what is installed.
func NewPodScaling(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*PodScaling, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	s := &PodScaling{HPAName: pulumi.String(args.Profile.HPA.Name).ToStringOutput()}
	if err := ctx.RegisterComponentResource("progressive:podscaling:PodScaling", name, s, opts...); err != nil {
		return nil, fmt.Errorf("pod scaling %s: %w", name, err)
	}
	for _, o := range []object{
		{"scaledobject", "keda.sh/v1alpha1", "ScaledObject", args.Profile.Name, scaledObject(args)},
		{"vpa", "autoscaling.k8s.io/v1", "VerticalPodAutoscaler", args.Profile.VPA.Name, verticalPodAutoscaler(args.Profile)},
	} {
		if _, err := apiextensions.NewCustomResource(ctx, name+"-"+o.part, &apiextensions.CustomResourceArgs{
			ApiVersion:  pulumi.String(o.apiVersion),
			Kind:        pulumi.String(o.kind),
			Metadata:    &metav1.ObjectMetaArgs{Name: pulumi.String(o.name), Namespace: args.Namespace},
			OtherFields: kubernetes.UntypedArgs{"spec": o.spec},
		}, pulumi.Parent(s)); err != nil {
			return nil, fmt.Errorf("%s of %s: %w", o.kind, name, err)
		}
	}
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{"hpaName": s.HPAName})
}

// object is a custom resource.
type object struct {
	part, apiVersion, kind, name string
	spec                         pulumi.Map
}

// deployment is the reference to the service's Deployment.
func deployment(p scaling.Profile) pulumi.Map {
	return pulumi.Map{"apiVersion": pulumi.String("apps/v1"), "kind": pulumi.String("Deployment"), "name": pulumi.String(p.Name)}
}

// failures is after how many failed readings of a metric the floor holds. KEDA reads
// at each query of the HPA, every 15 s.
const failures = 3

// scaledObject returns the spec of a ScaledObject. It has no pollingInterval, because
// KEDA polls only to scale from zero, and no idleReplicaCount: KEDA never changes the
// count itself.
func scaledObject(args *Args) pulumi.Map {
	p := args.Profile
	triggers := pulumi.Array{}
	for _, m := range p.HPA.Metrics {
		triggers = append(triggers, trigger(args, m))
	}
	hpa := pulumi.Map{"name": pulumi.String(p.HPA.Name)}
	if b := behaviors(p.HPA); len(b) > 0 {
		hpa["behavior"] = b
	}
	return pulumi.Map{
		"scaleTargetRef":  deployment(p),
		"minReplicaCount": pulumi.Int(p.HPA.MinReplicas),
		"maxReplicaCount": pulumi.Int(p.HPA.MaxReplicas),
		"advanced":        pulumi.Map{"horizontalPodAutoscalerConfig": hpa},
		"triggers":        triggers,
		// While Prometheus can't be read: no pod is removed, and at least the floor
		// runs. CPU and memory are still read, and can add pods.
		"fallback": pulumi.Map{
			"failureThreshold": pulumi.Int(failures),
			"replicas":         pulumi.Int(p.Floor),
			"behavior":         pulumi.String("currentReplicasIfHigher"),
		},
	}
}

// trigger returns a metric of the HPA as KEDA's trigger. The HPA's metrics are in the
// order of the triggers, and KEDA names an external one by its position.
func trigger(args *Args, m scaling.Metric) pulumi.Map {
	switch m := m.(type) {
	case scaling.ResourceMetric:
		return pulumi.Map{
			"type":       pulumi.String(m.Resource),
			"metricType": pulumi.String("Utilization"),
			"metadata":   pulumi.StringMap{"value": pulumi.String(strconv.Itoa(int(m.Utilization)))},
		}
	case scaling.PodsMetric:
		return pulumi.Map{
			"type":       pulumi.String("prometheus"),
			"name":       pulumi.String(m.Name),
			"metricType": pulumi.String("AverageValue"),
			"metadata": pulumi.StringMap{
				"serverAddress": args.PrometheusURL,
				"query":         pulumi.String(promquery.Demand(args.Profile, m)),
				"threshold":     pulumi.String(strconv.FormatFloat(m.AverageValue.AsApproximateFloat64(), 'f', -1, 64)),
				// No value is an error. By default KEDA takes it for 0, and removes
				// the pods of a service that nobody can measure.
				"ignoreNullValues": pulumi.String("false"),
			},
		}
	default:
		return nil
	}
}

func behaviors(h scaling.HPA) pulumi.Map {
	both := pulumi.Map{}
	for direction, b := range map[string]*scaling.Behavior{"scaleDown": h.ScaleDown, "scaleUp": h.ScaleUp} {
		if b == nil {
			continue
		}
		policies := pulumi.Array{}
		for _, p := range b.Policies {
			policies = append(policies, pulumi.Map{
				"type":          pulumi.String(p.Type),
				"value":         pulumi.Int(p.Value),
				"periodSeconds": pulumi.Int(int(p.Period.Seconds())),
			})
		}
		rules := pulumi.Map{
			"stabilizationWindowSeconds": pulumi.Int(int(b.StabilizationWindow.Seconds())),
			"policies":                   policies,
		}
		if b.Select != "" {
			rules["selectPolicy"] = pulumi.String(b.Select)
		}
		both[direction] = rules
	}
	return both
}

// inPlace resizes a running pod, and evicts it only if its node has no room. VPA's
// mode Auto is deprecated and evicts always.
const inPlace = "InPlaceOrRecreate"

// verticalPodAutoscaler returns the spec of a VerticalPodAutoscaler.
func verticalPodAutoscaler(p scaling.Profile) pulumi.Map {
	mode := string(p.VPA.Mode)
	if p.VPA.Mode == scaling.UpdateAuto {
		mode = inPlace
	}
	resources, least, most := pulumi.StringArray{}, pulumi.StringMap{}, pulumi.StringMap{}
	for _, name := range p.VPA.Controls {
		b := p.VPA.Bounds[name]
		resources = append(resources, pulumi.String(name))
		least[string(name)], most[string(name)] = pulumi.String(b.Min.String()), pulumi.String(b.Max.String())
	}
	policy := pulumi.Map{
		"containerName":       pulumi.String(p.Name),
		"controlledResources": resources,
		"minAllowed":          least,
		"maxAllowed":          most,
	}
	if p.VPA.Values != "" {
		policy["controlledValues"] = pulumi.String(p.VPA.Values)
	}
	return pulumi.Map{
		"targetRef": deployment(p),
		"updatePolicy": pulumi.Map{
			"updateMode": pulumi.String(mode),
			// The updater leaves a service of fewer pods alone, and its default is 2.
			"minReplicas": pulumi.Int(1),
		},
		"resourcePolicy": pulumi.Map{"containerPolicies": pulumi.Array{policy}},
	}
}
