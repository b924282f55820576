// Package autoscaler owns the Cluster Autoscaler of one cluster: its IAM role, its
// Kubernetes permissions and its Deployment. Its options come from package
// scaling. It may change only groups with the discovery tags of its cluster; see
// scaling.PlanFor.
package autoscaler

import (
	"errors"
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/autoscaler/manifest"
	"github.com/progressive-framework/platform/components/cluster"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/podidentity"
	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// namespace is the autoscaler's namespace in the design document.
	namespace = cluster.SystemNamespace
	// appName is the name of all objects and the value of their app label.
	appName = "cluster-autoscaler"
	// Repository is the repository of the image below a mirror.
	Repository = "cluster-autoscaler"
)

// Args configure an Autoscaler.
type Args struct {
	// Account is the account of the Auto Scaling Groups.
	Account *account.Account
	// Cluster is the cluster that the autoscaler scales. The autoscaler's pod also runs in this
	// cluster.
	Cluster *cluster.Cluster
	// Options are the autoscaler's settings; see scaling.DefaultClusterAutoscaler.
	Options scaling.ClusterAutoscalerOptions
	// Image is the reference of the image in a mirror. The default is the image in
	// the upstream registry.
	Image pulumi.StringInput
	// Nodes are the tiers and add-ons that the autoscaler's pod needs to run.
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

	// MetricsHost is the host of /metrics inside the cluster. The port is
	// manifest.MetricsPort.
	MetricsHost pulumi.StringOutput
}

// builder creates the children of an Autoscaler with the same name and parent.
type builder struct {
	ctx          *pulumi.Context
	name         string
	args         *Args
	parent       pulumi.ResourceOption
	dependencies []pulumi.Resource // of the pod
}

// NewAutoscaler creates the autoscaler with its permissions. It needs the AWS
// provider and the cluster's Kubernetes provider (pulumi.Providers).
func NewAutoscaler(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Autoscaler, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	upstreamImage, err := manifest.Image(args.Cluster.Versions.Autoscaler)
	if err != nil {
		return nil, fmt.Errorf("autoscaler %s: %w", name, err)
	}
	image := args.Image
	if image == nil {
		image = pulumi.String(upstreamImage)
	}
	command, err := manifest.Command(args.Options, args.Cluster.ClusterName)
	if err != nil {
		return nil, fmt.Errorf("autoscaler %s: %w", name, err)
	}
	a := &Autoscaler{}
	if err := ctx.RegisterComponentResource("progressive:autoscaler:Autoscaler", name, a, opts...); err != nil {
		return nil, fmt.Errorf("autoscaler %s: %w", name, err)
	}
	b := &builder{ctx: ctx, name: name, args: args, parent: pulumi.Parent(a), dependencies: args.Nodes}
	for _, step := range []func() error{b.createRole, b.createRBAC, b.createDisruptionBudget} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := b.createDeployment(image, command); err != nil {
		return nil, err
	}
	metrics, err := corev1.NewService(ctx, name+"-metrics", &corev1.ServiceArgs{
		Metadata: objectMeta(),
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

// createRole creates the IAM role of the autoscaler's pod. The read actions apply to all
// resources. The actions that change a group apply only to groups with the tags of this
// cluster.
func (b *builder) createRole() error {
	read := iam.Statement{Sid: "Look", Actions: manifest.ReadActions(), Resources: iam.AnyResource()}
	scale := iam.Statement{Sid: "Scale", Actions: manifest.ScaleActions(), Resources: iam.AnyResource()}
	for key, value := range manifest.ScopeTags(b.args.Cluster.ClusterName) {
		scale.Conditions = append(scale.Conditions, iam.Equals(key, pulumi.String(value)))
	}
	permissions, err := podidentity.New(b.ctx, b.name, &podidentity.Args{
		Account:     b.args.Account,
		Description: "Cluster Autoscaler of EKS cluster " + b.args.Cluster.ClusterName,
		ClusterName: b.args.Cluster.Name, Namespace: pulumi.String(namespace), ServiceAccount: appName,
		Statements: []iam.Statement{read, scale},
	}, b.parent)
	b.dependencies = append(b.dependencies, permissions...)
	return err
}

// labels returns the labels of the autoscaler's objects, and the selector of its pods.
func labels() pulumi.StringMap { return pulumi.StringMap{"app": pulumi.String(appName)} }

// objectMeta returns the metadata of the autoscaler's objects in its namespace.
func objectMeta() *metav1.ObjectMetaArgs {
	return &metav1.ObjectMetaArgs{Name: pulumi.String(appName), Namespace: pulumi.String(namespace), Labels: labels()}
}
