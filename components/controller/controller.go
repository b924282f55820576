// Package controller owns the Kubernetes objects of a controller that runs as one pod,
// such as KEDA's operator: its namespace, ServiceAccount, Deployment, Service and network
// policy. Package rbac grants its permissions.
package controller

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/podresources"
	"github.com/progressive-framework/platform/components/podsecurity"
	"github.com/progressive-framework/platform/components/rbac"
	"github.com/progressive-framework/platform/components/scaling"
)

// Namespace is a namespace of the stack.
type Namespace struct {
	// Name is the name as plain text.
	Name string
	// Created is the same name as an output of the namespace. Objects in the namespace
	// use Created, so that Pulumi creates them after the namespace.
	Created pulumi.StringInput
}

// NewNamespace creates a namespace. In the namespace, the API server refuses pods that the Pod
// Security Standard "restricted" does not allow.
func NewNamespace(ctx *pulumi.Context, name string, opts ...pulumi.ResourceOption) (Namespace, error) {
	namespace, err := corev1.NewNamespace(ctx, name, &corev1.NamespaceArgs{
		Metadata: &metav1.ObjectMetaArgs{
			Name:   pulumi.String(name),
			Labels: pulumi.StringMap{"pod-security.kubernetes.io/enforce": pulumi.String("restricted")},
		},
	}, opts...)
	if err != nil {
		return Namespace{}, fmt.Errorf("namespace %s: %w", name, err)
	}
	return Namespace{Name: name, Created: namespace.Metadata.Name().Elem()}, nil
}

// Port is a port of the container.
type Port struct {
	Name string
	// Number is the port of the container, and Service the port of the Service. If
	// Service is zero, the Service does not have the port.
	Number, Service int
	// From are the clients that the network policy admits. Empty means no client.
	From []podnetwork.Peer
}

// Args configure a Controller.
type Args struct {
	Namespace Namespace
	// App is the name of the controller's objects, and the value of their label app.
	App string
	// Image is the reference of the image. ContainerArgs are the arguments of its entry point: args
	// in Kubernetes, not command.
	Image         pulumi.StringInput
	ContainerArgs []string
	// InitContainers are the init containers of the pod.
	InitContainers corev1.ContainerArray
	// Env are environment variables, in this order. Settings are further variables. The
	// values of Settings may be outputs, such as an endpoint. No variable is secret.
	Env      []scaling.EnvVar
	Settings pulumi.StringMap
	// Ports are the ports of the pod. The controller has a Service only if one of them
	// has a Service port.
	Ports []Port
	// Egress are the connections that the pod may open. Empty means none.
	Egress []podnetwork.Rule
	// Ready is the request of the startup and readiness probes, and Alive the request of the
	// liveness probe. A new pod may take two minutes to become ready.
	Ready, Alive corev1.HTTPGetActionArgs
	Resources    scaling.Resources
	// Volumes are the volumes of the pod, and Mounts their paths in the container.
	Volumes corev1.VolumeArray
	Mounts  corev1.VolumeMountArray
	// NodeSelector are labels that the pod's node must have. Empty means any node.
	NodeSelector map[string]string
	// Tokenless means that the pod gets no service account token.
	Tokenless bool
}

func (a *Args) validate() error {
	if a == nil || a.App == "" || a.Namespace.Name == "" || a.Namespace.Created == nil || a.Image == nil || len(a.Ports) == 0 {
		return errors.New("controller: Namespace, App, Image and Ports must be set")
	}
	return nil
}

// access returns the connections that the network policy allows.
func (a *Args) access() podnetwork.Access {
	access := podnetwork.Access{Egress: a.Egress}
	for _, p := range a.Ports {
		if len(p.From) > 0 {
			access.Ingress = append(access.Ingress, podnetwork.TCPRule(p.Number, p.From...))
		}
	}
	return access
}

// Account returns the controller's service account.
func (a *Args) Account() rbac.Account {
	return rbac.Account{Name: a.App, Namespace: a.Namespace.Created}
}

// Controller is a running controller.
type Controller struct {
	// Ready is the Deployment. Pulumi creates what depends on it only when the pod is ready.
	Ready pulumi.Resource
	// Policy is the network policy.
	Policy pulumi.Resource
	// ServiceName is the name of the Service. It is nil if no port has a Service port.
	ServiceName pulumi.StringInput
}

// New creates the objects of a controller. The Deployment is created after the dependencies.
func New(ctx *pulumi.Context, name string, args *Args, dependencies []pulumi.Resource, opts ...pulumi.ResourceOption) (*Controller, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	labels := pulumi.StringMap{"app": pulumi.String(args.App)}
	meta := &metav1.ObjectMetaArgs{Name: pulumi.String(args.App), Namespace: args.Namespace.Created, Labels: labels}
	serviceAccount, err := corev1.NewServiceAccount(ctx, name, &corev1.ServiceAccountArgs{Metadata: meta}, opts...)
	if err != nil {
		return nil, fmt.Errorf("service account of %s: %w", name, err)
	}
	// Earlier versions registered the policy with the name of the controller. The alias keeps the
	// policies of existing stacks.
	policy, err := podnetwork.New(ctx, name, &podnetwork.Args{
		Name: args.App, Namespace: args.Namespace.Created, Selector: labels, Access: args.access(),
	}, append([]pulumi.ResourceOption{pulumi.Aliases([]pulumi.Alias{{Name: pulumi.String(name)}})}, opts...)...)
	if err != nil {
		return nil, err
	}
	c := &Controller{Policy: policy}
	if c.ServiceName, err = newService(ctx, name, args, meta, labels, opts); err != nil {
		return nil, err
	}
	deployment, err := appsv1.NewDeployment(ctx, name, &appsv1.DeploymentArgs{
		Metadata: meta,
		Spec: &appsv1.DeploymentSpecArgs{
			Replicas: pulumi.Int(1),
			Selector: &metav1.LabelSelectorArgs{MatchLabels: labels},
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{Labels: labels},
				Spec:     podSpec(args, serviceAccount.Metadata.Name().Elem()),
			},
		},
	}, append([]pulumi.ResourceOption{pulumi.DependsOn(append([]pulumi.Resource{serviceAccount}, dependencies...))}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("deployment of %s: %w", name, err)
	}
	c.Ready = deployment
	return c, nil
}

// podSpec returns the spec of the controller's pod. serviceAccount is the name of the pod's service
// account.
func podSpec(args *Args, serviceAccount pulumi.StringInput) *corev1.PodSpecArgs {
	var ports corev1.ContainerPortArray
	for _, p := range args.Ports {
		ports = append(ports, &corev1.ContainerPortArgs{Name: pulumi.String(p.Name), ContainerPort: pulumi.Int(p.Number), Protocol: pulumi.String("TCP")})
	}
	var env corev1.EnvVarArray
	for _, v := range args.Env {
		env = append(env, &corev1.EnvVarArgs{Name: pulumi.String(v.Name), Value: pulumi.String(v.Value)})
	}
	for _, name := range slices.Sorted(maps.Keys(args.Settings)) {
		env = append(env, &corev1.EnvVarArgs{Name: pulumi.String(name), Value: args.Settings[name]})
	}
	var automountToken pulumi.BoolPtrInput // nil is Kubernetes' default: the pod gets a token
	if args.Tokenless {
		automountToken = pulumi.Bool(false)
	}
	return &corev1.PodSpecArgs{
		ServiceAccountName:            serviceAccount,
		AutomountServiceAccountToken:  automountToken,
		EnableServiceLinks:            pulumi.Bool(false),
		TerminationGracePeriodSeconds: pulumi.Int(int(scaling.TerminationGrace.Seconds())),
		SecurityContext:               podsecurity.PodWithVolumes(podsecurity.NonRoot),
		NodeSelector:                  pulumi.ToStringMap(args.NodeSelector),
		Volumes:                       args.Volumes,
		InitContainers:                args.InitContainers,
		Containers: corev1.ContainerArray{&corev1.ContainerArgs{
			Name:            pulumi.String(args.App),
			Image:           args.Image,
			Args:            pulumi.ToStringArray(args.ContainerArgs),
			Env:             env,
			Ports:           ports,
			StartupProbe:    &corev1.ProbeArgs{HttpGet: args.Ready, PeriodSeconds: pulumi.Int(2), TimeoutSeconds: pulumi.Int(5), FailureThreshold: pulumi.Int(60)},
			ReadinessProbe:  &corev1.ProbeArgs{HttpGet: args.Ready, PeriodSeconds: pulumi.Int(10), TimeoutSeconds: pulumi.Int(5)},
			LivenessProbe:   &corev1.ProbeArgs{HttpGet: args.Alive, PeriodSeconds: pulumi.Int(20), TimeoutSeconds: pulumi.Int(5)},
			SecurityContext: podsecurity.Container(),
			VolumeMounts:    args.Mounts,
			Resources:       podresources.Requirements(args.Resources),
		}},
	}
}

// newService creates a Service with every port whose field Service is not 0, and returns the name of
// the Service. If the field is 0 for every port, newService creates nothing and returns nil.
func newService(ctx *pulumi.Context, name string, args *Args, meta *metav1.ObjectMetaArgs, labels pulumi.StringMap, opts []pulumi.ResourceOption) (pulumi.StringInput, error) {
	var ports corev1.ServicePortArray
	for _, p := range args.Ports {
		if p.Service != 0 {
			ports = append(ports, &corev1.ServicePortArgs{
				Name: pulumi.String(p.Name), Port: pulumi.Int(p.Service), TargetPort: pulumi.String(p.Name), Protocol: pulumi.String("TCP"),
			})
		}
	}
	if len(ports) == 0 {
		return nil, nil
	}
	// A pod may need its own Service to become ready. So Pulumi must not wait until the
	// Service has a ready pod.
	service, err := corev1.NewService(ctx, name, &corev1.ServiceArgs{
		Metadata: &metav1.ObjectMetaArgs{
			Name: meta.Name, Namespace: meta.Namespace, Labels: labels,
			Annotations: pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")},
		},
		Spec: &corev1.ServiceSpecArgs{Selector: labels, Ports: ports},
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("service of %s: %w", name, err)
	}
	return service.Metadata.Name().Elem(), nil
}
