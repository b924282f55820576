// Package podscaling owns the autoscalers of one service: the ScaledObject, from which
// KEDA makes the HorizontalPodAutoscaler, and the VerticalPodAutoscaler. Their numbers
// come from package scaling, and the triggers from package trigger. KEDA, VPA, Prometheus
// and the forecaster are not its own.
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
	// Profile has the HPA, the VPA and the floor.
	Profile scaling.Profile
	// PrometheusURL is where KEDA reads the metrics, such as http://prometheus:9090.
	PrometheusURL pulumi.StringInput
	// Forecast decides about the number of pods. nil: the HPA is the document's.
	Forecast *Forecast
}

// Forecast says that a forecaster publishes its pods in Prometheus.
type Forecast struct {
	// Namespace is the name of the namespace of the service, which its series have.
	Namespace string
}

func (a *Args) validate() error {
	if a == nil || a.Namespace == nil || a.PrometheusURL == nil {
		return errors.New("pod scaling: Namespace and PrometheusURL must be set")
	}
	if !a.Profile.Autoscaled {
		return fmt.Errorf("pod scaling of %s: its Deployment has a fixed number of replicas, which would undo the autoscaler's: set Profile.Autoscaled", a.Profile.Name)
	}
	if f := a.Forecast; f != nil {
		if f.Namespace == "" {
			return fmt.Errorf("pod scaling of %s: Forecast must have Namespace", a.Profile.Name)
		}
		if _, err := trigger.Predicted(a.Profile, f.Namespace); err != nil {
			return err
		}
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
	scaled, err := scaledObject(args)
	if err != nil {
		return nil, err
	}
	for _, o := range []object{
		{"scaledobject", "keda.sh/v1alpha1", "ScaledObject", args.Profile.Name, scaled},
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
func scaledObject(args *Args) (pulumi.Map, error) {
	p := args.Profile
	all, err := triggers(args)
	if err != nil {
		return nil, err
	}
	hpa := pulumi.Map{"name": pulumi.String(p.HPA.Name)}
	if b := behaviors(args); len(b) > 0 {
		hpa["behavior"] = b
	}
	return pulumi.Map{
		"scaleTargetRef":  deployment(p),
		"minReplicaCount": pulumi.Int(p.HPA.MinReplicas),
		"maxReplicaCount": pulumi.Int(p.HPA.MaxReplicas),
		"advanced":        pulumi.Map{"horizontalPodAutoscalerConfig": hpa},
		"triggers":        all,
		// While Prometheus can't be read: no pod is removed, and at least the floor
		// runs. CPU and memory are still read, and can add pods.
		"fallback": pulumi.Map{
			"failureThreshold": pulumi.Int(failures),
			"replicas":         pulumi.Int(p.Floor),
			"behavior":         pulumi.String("currentReplicasIfHigher"),
		},
	}, nil
}

// triggers gives the triggers the address of Prometheus.
func triggers(args *Args) (pulumi.Array, error) {
	all, err := trigger.Document(args.Profile), error(nil)
	if f := args.Forecast; f != nil {
		all, err = trigger.Predicted(args.Profile, f.Namespace)
	}
	var list pulumi.Array
	for _, t := range all {
		metadata := pulumi.StringMap{}
		for key, value := range t.Metadata {
			metadata[key] = pulumi.String(value)
		}
		if t.Type == trigger.Prometheus {
			metadata["serverAddress"] = args.PrometheusURL
		}
		object := pulumi.Map{"type": pulumi.String(t.Type), "metricType": pulumi.String(t.MetricType), "metadata": metadata}
		if t.Name != "" {
			object["name"] = pulumi.String(t.Name)
		}
		list = append(list, object)
	}
	return list, err
}

// behaviors returns the behaviour of the HPA: the document's, or with a forecast the one
// that the forecast simulates.
func behaviors(args *Args) pulumi.Map {
	h, both := args.Profile.HPA, pulumi.Map{}
	if args.Forecast != nil {
		down, up := trigger.Fast(h)
		return pulumi.Map{"scaleDown": rules(down), "scaleUp": rules(up)}
	}
	for direction, b := range map[string]*scaling.Behavior{"scaleDown": h.ScaleDown, "scaleUp": h.ScaleUp} {
		if b != nil {
			both[direction] = rules(trigger.Behavior{Behavior: *b})
		}
	}
	return both
}

func rules(b trigger.Behavior) pulumi.Map {
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
