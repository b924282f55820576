// Package autoscaler owns the Cluster Autoscaler of one cluster: its role in
// AWS, its rights in Kubernetes, and the Deployment that runs it. How it is
// told to scale comes from package scaling; which groups it may touch is said
// by the tags that their driver gives them.
package autoscaler

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/autoscaler/manifest"
	"github.com/progressive-framework/platform/components/cluster"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// namespace is where the design document runs it.
	namespace = cluster.SystemNamespace
	// appName names all of its objects, and is the value of their app label.
	appName = "cluster-autoscaler"
)

// Args are what an Autoscaler is made from.
type Args struct {
	// Account is where its groups lie.
	Account *account.Account
	// Cluster is what it scales, and what it runs on.
	Cluster *cluster.Cluster
	// Options are its settings; see scaling.DefaultClusterAutoscaler.
	Options scaling.ClusterAutoscalerOptions
	// Nodes are what must be there before it can run: tiers and add-ons.
	Nodes []pulumi.Resource
}

func (a *Args) validate() error {
	if a == nil || a.Account == nil || a.Cluster == nil {
		return errors.New("autoscaler: Account and Cluster must not be nil")
	}
	return nil
}

// Autoscaler is a running Cluster Autoscaler.
type Autoscaler struct {
	pulumi.ResourceState

	// MetricsHost answers /metrics on manifest.MetricsPort inside the cluster.
	MetricsHost pulumi.StringOutput
}

// builder makes an autoscaler's children, all named and parented alike.
type builder struct {
	ctx    *pulumi.Context
	name   string
	args   *Args
	parent pulumi.ResourceOption
	after  []pulumi.Resource // what its pod can't do without
}

// NewAutoscaler makes the autoscaler with its rights. It needs the AWS
// provider and the cluster's Kubernetes provider (pulumi.Providers).
func NewAutoscaler(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Autoscaler, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	image, err := manifest.Image(args.Cluster.Version)
	if err != nil {
		return nil, fmt.Errorf("autoscaler %s: %w", name, err)
	}
	command, err := manifest.Command(args.Options, args.Cluster.ClusterName)
	if err != nil {
		return nil, fmt.Errorf("autoscaler %s: %w", name, err)
	}
	a := &Autoscaler{}
	if err := ctx.RegisterComponentResource("progressive:autoscaler:Autoscaler", name, a, opts...); err != nil {
		return nil, fmt.Errorf("autoscaler %s: %w", name, err)
	}
	b := &builder{ctx: ctx, name: name, args: args, parent: pulumi.Parent(a), after: args.Nodes}
	for _, step := range []func() error{b.role, b.rights, b.disruptionBudget} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := b.deployment(image, command); err != nil {
		return nil, err
	}
	metrics, err := corev1.NewService(ctx, name+"-metrics", &corev1.ServiceArgs{
		Metadata: meta(),
		Spec: &corev1.ServiceSpecArgs{
			Selector: labels(),
			Ports: corev1.ServicePortArray{&corev1.ServicePortArgs{
				Name: pulumi.String("metrics"), Port: pulumi.Int(manifest.MetricsPort), TargetPort: pulumi.String("metrics"),
			}},
		},
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("service of %s: %w", name, err)
	}
	a.MetricsHost = pulumi.Sprintf("%s.%s.svc.cluster.local", metrics.Metadata.Name().Elem(), metrics.Metadata.Namespace().Elem())
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{"metricsHost": a.MetricsHost})
}

// role lets the autoscaler's pod look at everything it must, and change only
// the groups that carry the tags of this cluster.
func (b *builder) role() error {
	look, change := iam.Statement{Sid: "Look", Actions: manifest.Looks(), Resources: iam.AnyResource()},
		iam.Statement{Sid: "Scale", Actions: manifest.Changes(), Resources: iam.AnyResource()}
	for key, value := range manifest.Scope(b.args.Cluster.ClusterName) {
		change.Conditions = append(change.Conditions, iam.Equals(key, pulumi.String(value)))
	}
	role, err := iam.NewRole(b.ctx, b.name, &iam.RoleArgs{
		Account:     b.args.Account,
		Description: "Cluster Autoscaler of EKS cluster " + b.args.Cluster.ClusterName,
		Trust:       iam.Pod(b.args.Cluster.Name, pulumi.String(namespace), appName),
		Statements:  []iam.Statement{look, change},
	}, b.parent)
	if err != nil {
		return err
	}
	association, err := eks.NewPodIdentityAssociation(b.ctx, b.name, &eks.PodIdentityAssociationArgs{
		ClusterName:    b.args.Cluster.Name,
		Namespace:      pulumi.String(namespace),
		ServiceAccount: pulumi.String(appName),
		RoleArn:        role.ARN,
	}, b.parent)
	if err != nil {
		return fmt.Errorf("pod identity of %s: %w", b.name, err)
	}
	b.after = append(append([]pulumi.Resource{association}, role.Policies...), b.after...)
	return nil
}

func labels() pulumi.StringMap { return pulumi.StringMap{"app": pulumi.String(appName)} }

func meta() *metav1.ObjectMetaArgs {
	return &metav1.ObjectMetaArgs{Name: pulumi.String(appName), Namespace: pulumi.String(namespace), Labels: labels()}
}
