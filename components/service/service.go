// Package service owns the Kubernetes objects of a service or of a task. A service has a
// Deployment, a disruption budget and a Service. A task has a Job and a CronJob. Both have a
// network policy, a ServiceAccount, and AWS permissions for their pods. The numbers come from
// package scaling, and the images from package image.
package service

import (
	"errors"
	"fmt"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/poddisruption"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/scaling"
)

// ServicePort is the port of every service of the platform inside the cluster
// (the design document calls http://npa-service:80).
const ServicePort = 80

// Pod has the namespace, image, role and environment of the pods of a service or a task.
type Pod struct {
	// Namespace is the namespace of the pods.
	Namespace pulumi.StringInput
	// Image is the reference of the image, by digest.
	Image pulumi.StringInput
	// Role has the AWS permissions of the pods. nil means none.
	Role *Role
	// NodeSelector are labels that the pods' nodes must have. Empty means any node.
	// Tolerations are the taints of such nodes, which the pods tolerate.
	NodeSelector map[string]string
	Tolerations  []scaling.Taint
	// Settings are environment variables with values from the stack, such as the
	// addresses of its stores. They are not secret.
	Settings pulumi.StringMap
	// Secrets are mounted as files. They are not environment variables, because
	// everybody who may read the pod object can read its environment.
	Secrets []SecretFiles
	// Access has the allowed connections to and from the pods.
	Access podnetwork.Access
}

func (p *Pod) validate() error {
	switch {
	case p.Namespace == nil || p.Image == nil:
		return errors.New("Namespace and Image must not be nil")
	case p.Role != nil && (p.Role.Account == nil || p.Role.ClusterName == nil || len(p.Role.Statements) == 0):
		return errors.New("its Role must have an Account, a ClusterName and Statements")
	}
	for _, f := range p.Secrets {
		if err := f.validate(); err != nil {
			return err
		}
	}
	return nil
}

// Args configure a Service.
type Args struct {
	Pod
	// Profile has the service's port, resources, probes and scaling.
	Profile scaling.Profile
	// NodePort is the service's port on every node, 30000 to 32767. Zero means that only
	// pods of the cluster can reach the service.
	NodePort int
}

func (a *Args) validate() error {
	if a == nil {
		return errors.New("service: args must not be nil")
	}
	if a.Profile.Name == "" {
		return errors.New("service: Profile must have a name")
	}
	if err := a.Pod.validate(); err != nil {
		return fmt.Errorf("service %s: %w", a.Profile.Name, err)
	}
	return a.Profile.Validate()
}

// Service is a running service of the platform.
type Service struct {
	pulumi.ResourceState

	// ServiceName is the name of the Kubernetes Service, such as mca-service.
	ServiceName pulumi.StringOutput
	// Host is the DNS name of the Kubernetes Service, valid in all namespaces.
	Host pulumi.StringOutput
	// Policy is the network policy of the pods.
	Policy pulumi.Resource
}

// NewService creates the ServiceAccount, the network policy, the Deployment, its disruption
// budget and the Service. During an update, an old pod stops only after a new pod is ready.
func NewService(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Service, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	s := &Service{}
	if err := ctx.RegisterComponentResource("progressive:service:Service", name, s, opts...); err != nil {
		return nil, fmt.Errorf("service %s: %w", name, err)
	}
	p := args.Profile
	parent := pulumi.Parent(s)
	selector := pulumi.StringMap{"app": pulumi.String(p.Name)}
	if p.Tier != "" {
		selector["tier"] = pulumi.String(p.Tier)
	}
	meta := func(objectName string) *metav1.ObjectMetaArgs {
		return &metav1.ObjectMetaArgs{Name: pulumi.String(objectName), Namespace: args.Namespace, Labels: selector}
	}

	serviceAccount, permissions, err := args.newIdentity(ctx, name, p.Name, selector, parent)
	if err != nil {
		return nil, err
	}
	s.Policy, err = args.newNetworkPolicy(ctx, name, p.Name, selector, parent)
	if err != nil {
		return nil, err
	}
	if _, err := appsv1.NewDeployment(ctx, name+"-deployment", &appsv1.DeploymentArgs{
		Metadata: meta(p.Name),
		Spec: &appsv1.DeploymentSpecArgs{
			Replicas: replicas(p),
			Selector: &metav1.LabelSelectorArgs{MatchLabels: selector},
			Strategy: &appsv1.DeploymentStrategyArgs{
				Type: pulumi.String("RollingUpdate"),
				RollingUpdate: &appsv1.RollingUpdateDeploymentArgs{
					MaxUnavailable: pulumi.Int(0),
					MaxSurge:       pulumi.Int(1),
				},
			},
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{Labels: selector},
				Spec:     podSpec(args, serviceAccount, selector),
			},
		},
	}, parent, pulumi.DependsOn(permissions)); err != nil {
		return nil, fmt.Errorf("deployment of %s: %w", name, err)
	}

	// A drain evicts one pod at a time. A budget with a minimum of available pods would block
	// every drain if the service has only one pod.
	if _, err := policyv1.NewPodDisruptionBudget(ctx, name+"-pdb", &policyv1.PodDisruptionBudgetArgs{
		Metadata: meta(p.Name),
		Spec:     poddisruption.OneAtATime(selector),
	}, parent); err != nil {
		return nil, fmt.Errorf("disruption budget of %s: %w", name, err)
	}

	service, err := corev1.NewService(ctx, name+"-service", &corev1.ServiceArgs{
		Metadata: meta(p.Name + "-service"),
		Spec:     serviceSpec(args, selector),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("service of %s: %w", name, err)
	}
	s.ServiceName = service.Metadata.Name().Elem()
	s.Host = pulumi.Sprintf("%s.%s.svc.cluster.local", s.ServiceName, service.Metadata.Namespace().Elem())
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{"serviceName": s.ServiceName, "host": s.Host})
}

// replicas returns the replicas of the Deployment, or nil for an autoscaled service.
func replicas(p scaling.Profile) pulumi.IntPtrInput {
	if count, fixed := p.Replicas(); fixed {
		return pulumi.Int(count)
	}
	return nil
}

// serviceSpec returns the spec of the Kubernetes Service.
func serviceSpec(args *Args, selector pulumi.StringMap) *corev1.ServiceSpecArgs {
	port := &corev1.ServicePortArgs{
		Name:       pulumi.String("http"),
		Port:       pulumi.Int(ServicePort),
		TargetPort: pulumi.String("http"),
		Protocol:   pulumi.String("TCP"),
	}
	serviceType := "ClusterIP"
	if args.NodePort != 0 {
		serviceType = "NodePort"
		port.NodePort = pulumi.Int(args.NodePort)
	}
	return &corev1.ServiceSpecArgs{
		Type:     pulumi.String(serviceType),
		Selector: selector,
		Ports:    corev1.ServicePortArray{port},
	}
}
