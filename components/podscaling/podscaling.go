// Package podscaling owns the autoscalers of one service: the ScaledObject, from which
// KEDA creates the HorizontalPodAutoscaler, and the VerticalPodAutoscaler. Their numbers
// come from package scaling, and the triggers from package trigger. Other packages own
// KEDA, VPA, Prometheus and the forecaster.
package podscaling

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/podscaling/trigger"
	"github.com/progressive-framework/platform/components/scaling"
)

// Args configure a PodScaling.
type Args struct {
	// Namespace is the namespace of the service.
	Namespace pulumi.StringInput
	// Profile has the HPA and the VPA. Its Floor is the smallest number of pods while KEDA can't
	// read Prometheus.
	Profile scaling.Profile
	// PrometheusURL is the URL from which KEDA reads the metrics, such as
	// http://prometheus:9090.
	PrometheusURL pulumi.StringInput
	// Forecast adds the forecast to the HPA. nil means the design document's HPA without a
	// forecast.
	Forecast *Forecast
}

// Forecast configures the use of the forecast that the forecaster publishes in Prometheus.
type Forecast struct {
	// Namespace is the namespace of the service. It is the label namespace of the
	// service's series in Prometheus.
	Namespace string
}

func (a *Args) validate() error {
	if a == nil || a.Namespace == nil || a.PrometheusURL == nil {
		return errors.New("pod scaling: Namespace and PrometheusURL must be set")
	}
	if !a.Profile.Autoscaled {
		return fmt.Errorf("pod scaling of %s: its Deployment has a fixed number of replicas, so each update would undo the changes of the autoscaler: set Profile.Autoscaled", a.Profile.Name)
	}
	if f := a.Forecast; f != nil {
		if f.Namespace == "" {
			return fmt.Errorf("pod scaling of %s: Forecast must have Namespace", a.Profile.Name)
		}
		if _, err := trigger.WithForecast(a.Profile, f.Namespace); err != nil {
			return err
		}
	}
	return a.Profile.Validate()
}

// PodScaling has the autoscalers of one service.
type PodScaling struct {
	pulumi.ResourceState

	// HPAName is the name of the HorizontalPodAutoscaler that KEDA creates.
	HPAName pulumi.StringOutput
}

// NewPodScaling creates the ScaledObject and the VerticalPodAutoscaler. opts must have a dependency
// on KEDA and VPA, because KEDA and VPA install the CustomResourceDefinitions.
func NewPodScaling(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*PodScaling, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	s := &PodScaling{HPAName: pulumi.String(args.Profile.HPA.Name).ToStringOutput()}
	if err := ctx.RegisterComponentResource("progressive:podscaling:PodScaling", name, s, opts...); err != nil {
		return nil, fmt.Errorf("pod scaling %s: %w", name, err)
	}
	scaledObject, err := scaledObjectSpec(args)
	if err != nil {
		return nil, err
	}
	for _, o := range []object{
		{"scaledobject", "keda.sh/v1alpha1", "ScaledObject", args.Profile.Name, scaledObject},
		{"vpa", "autoscaling.k8s.io/v1", "VerticalPodAutoscaler", args.Profile.VPA.Name, verticalPodAutoscalerSpec(args.Profile)},
	} {
		if _, err := apiextensions.NewCustomResource(ctx, name+"-"+o.suffix, &apiextensions.CustomResourceArgs{
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

// object has the fields of a custom resource. suffix is the last part of the resource's name in
// Pulumi.
type object struct {
	suffix, apiVersion, kind, name string
	spec                           pulumi.Map
}

// deploymentReference returns the reference to the service's Deployment.
func deploymentReference(p scaling.Profile) pulumi.Map {
	return pulumi.Map{"apiVersion": pulumi.String("apps/v1"), "kind": pulumi.String("Deployment"), "name": pulumi.String(p.Name)}
}

// failureThreshold is the number of failed reads of a metric after which the fallback applies.
// KEDA reads the metric when the HPA does, every 15 s. So the fallback applies after 45 s.
const failureThreshold = 3

// scaledObjectSpec returns the spec of a ScaledObject. The spec has no pollingInterval, because
// KEDA polls only to scale from zero. The spec has no idleReplicaCount, because no service scales
// to zero.
func scaledObjectSpec(args *Args) (pulumi.Map, error) {
	p := args.Profile
	triggers, err := triggerSpecs(args)
	if err != nil {
		return nil, err
	}
	hpa := pulumi.Map{"name": pulumi.String(p.HPA.Name)}
	if b := behaviorSpec(args); len(b) > 0 {
		hpa["behavior"] = b
	}
	return pulumi.Map{
		"scaleTargetRef":  deploymentReference(p),
		"minReplicaCount": pulumi.Int(p.HPA.MinReplicas),
		"maxReplicaCount": pulumi.Int(p.HPA.MaxReplicas),
		"advanced":        pulumi.Map{"horizontalPodAutoscalerConfig": hpa},
		"triggers":        triggers,
		// The fallback applies while KEDA can't read Prometheus. It removes no pod, and
		// keeps at least Floor pods. The HPA still reads CPU and memory, and can add pods.
		"fallback": pulumi.Map{
			"failureThreshold": pulumi.Int(failureThreshold),
			"replicas":         pulumi.Int(p.Floor),
			"behavior":         pulumi.String("currentReplicasIfHigher"),
		},
	}, nil
}

// triggerSpecs converts the triggers of package trigger to the form of the ScaledObject, and adds
// the address of Prometheus.
func triggerSpecs(args *Args) (pulumi.Array, error) {
	triggers := trigger.WithoutForecast(args.Profile)
	if f := args.Forecast; f != nil {
		var err error
		if triggers, err = trigger.WithForecast(args.Profile, f.Namespace); err != nil {
			return nil, err
		}
	}
	var specs pulumi.Array
	for _, t := range triggers {
		metadata := pulumi.StringMap{}
		for key, value := range t.Metadata {
			metadata[key] = pulumi.String(value)
		}
		if t.Type == trigger.Prometheus {
			metadata["serverAddress"] = args.PrometheusURL
		}
		spec := pulumi.Map{"type": pulumi.String(t.Type), "metricType": pulumi.String(t.MetricType), "metadata": metadata}
		if t.Name != "" {
			spec["name"] = pulumi.String(t.Name)
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

// behaviorSpec returns the behaviour of the HPA in both directions. Without a forecast, the result
// is the design document's behaviour. It is empty if the document sets none. With a forecast, the
// result is the behaviour that the forecaster assumes in its simulation.
func behaviorSpec(args *Args) pulumi.Map {
	h, spec := args.Profile.HPA, pulumi.Map{}
	if args.Forecast != nil {
		down, up := trigger.ForecastBehavior(h)
		return pulumi.Map{"scaleDown": scalingRules(down), "scaleUp": scalingRules(up)}
	}
	for direction, b := range map[string]*scaling.Behavior{"scaleDown": h.ScaleDown, "scaleUp": h.ScaleUp} {
		if b != nil {
			spec[direction] = scalingRules(trigger.Behavior{Behavior: *b})
		}
	}
	return spec
}

// scalingRules converts the behaviour in one direction to the HPAScalingRules of the HPA's API.
func scalingRules(b trigger.Behavior) pulumi.Map {
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
	if b.Tolerance != "" {
		rules["tolerance"] = pulumi.String(b.Tolerance)
	}
	return rules
}

// inPlace is VPA's mode that resizes a running pod, and evicts the pod only if its node has
// too few free resources. VPA's mode Auto is deprecated and always evicts.
const inPlace = "InPlaceOrRecreate"

// verticalPodAutoscalerSpec returns the spec of a VerticalPodAutoscaler.
func verticalPodAutoscalerSpec(p scaling.Profile) pulumi.Map {
	mode := string(p.VPA.Mode)
	if p.VPA.Mode == scaling.UpdateAuto {
		mode = inPlace
	}
	resources, minAllowed, maxAllowed := pulumi.StringArray{}, pulumi.StringMap{}, pulumi.StringMap{}
	for _, name := range p.VPA.Controls {
		b := p.VPA.Bounds[name]
		resources = append(resources, pulumi.String(name))
		minAllowed[string(name)], maxAllowed[string(name)] = pulumi.String(b.Min.String()), pulumi.String(b.Max.String())
	}
	policy := pulumi.Map{
		"containerName":       pulumi.String(p.Name),
		"controlledResources": resources,
		"minAllowed":          minAllowed,
		"maxAllowed":          maxAllowed,
	}
	if p.VPA.Values != "" {
		policy["controlledValues"] = pulumi.String(p.VPA.Values)
	}
	return pulumi.Map{
		"targetRef": deploymentReference(p),
		"updatePolicy": pulumi.Map{
			"updateMode": pulumi.String(mode),
			// The updater ignores a service with fewer pods than minReplicas. Its default
			// is 2.
			"minReplicas": pulumi.Int(1),
		},
		"resourcePolicy": pulumi.Map{"containerPolicies": pulumi.Array{policy}},
	}
}
