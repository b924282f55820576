// Package containerlogs sends the logs of containers to CloudWatch Logs. It owns the log
// groups, and a pod of AWS for Fluent Bit on each node of the stack. The pod's role may only
// write to these groups. Package fluentbit decides which files the pod reads and sends.
package containerlogs

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/cluster"
	"github.com/progressive-framework/platform/components/containerlogs/fluentbit"
	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/logs"
	"github.com/progressive-framework/platform/components/podidentity"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// Repository is the name of the image's repository in the stack's mirror.
	Repository = "aws-for-fluent-bit"

	namespace = cluster.SystemNamespace
	appName   = fluentbit.App

	configFolder = "/fluent-bit/platform"
	configFile   = "fluent-bit.yaml"
)

// Args configure a Shipper.
type Args struct {
	// Account is the account of the log groups.
	Account *account.Account
	// Cluster is the cluster with the nodes.
	Cluster *cluster.Cluster
	// Namespace is the name of the platform's namespace. Its logs have a group of their own.
	Namespace string
	// KeyARN is the KMS key of the logs. The key's policy must allow CloudWatch Logs to use the key
	// (key.Logs).
	KeyARN pulumi.StringInput
	// Image is the reference of AWS for Fluent Bit.
	Image pulumi.StringInput
	// AlarmTopicARN is the SNS topic of the alarm. Empty means that the alarm notifies nobody.
	AlarmTopicARN string
	// Nodes are the resources that must exist before the pods can run: tiers and add-ons.
	Nodes []pulumi.Resource
}

func (a *Args) validate() error {
	if a == nil || a.Account == nil || a.Cluster == nil || a.Namespace == "" || a.KeyARN == nil || a.Image == nil {
		return errors.New("container logs: Account, Cluster, Namespace, KeyARN and Image must be set")
	}
	return nil
}

// Shipper is a running DaemonSet that sends the logs.
type Shipper struct{ pulumi.ResourceState }

// builder creates the children of a Shipper with the same name and parent.
type builder struct {
	ctx    *pulumi.Context
	name   string
	args   *Args
	parent pulumi.ResourceOption
	// dependencies are the resources that the pods need.
	dependencies []pulumi.Resource
}

// NewShipper creates the log groups, the permission to write to them, and the pods. It needs
// the AWS provider and the cluster's Kubernetes provider (pulumi.Providers).
func NewShipper(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Shipper, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	config, err := fluentbit.File(fluentbit.Input{Region: args.Account.Region, Cluster: args.Cluster.ClusterName, Namespace: args.Namespace})
	if err != nil {
		return nil, err
	}
	s := &Shipper{}
	if err := ctx.RegisterComponentResource("progressive:containerlogs:Shipper", name, s, opts...); err != nil {
		return nil, fmt.Errorf("container logs %s: %w", name, err)
	}
	b := &builder{ctx: ctx, name: name, args: args, parent: pulumi.Parent(s), dependencies: append([]pulumi.Resource{}, args.Nodes...)}
	var groupNames []string
	for _, g := range fluentbit.Groups() {
		groupNames = append(groupNames, string(g))
	}
	groups, err := logs.NewGroups(ctx, name, fluentbit.LogGroupPrefix(args.Cluster.ClusterName), groupNames, args.KeyARN, b.parent)
	if err != nil {
		return nil, err
	}
	if err := b.createRole(groups); err != nil {
		return nil, err
	}
	pods, err := b.newDaemonSet(config)
	if err != nil {
		return nil, err
	}
	dataplaneGroup := groups[slices.Index(fluentbit.Groups(), fluentbit.Dataplane)]
	if err := b.createAlarm(dataplaneGroup, pods); err != nil {
		return nil, err
	}
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{})
}

// createRole creates the IAM role of the pods.
func (b *builder) createRole(groups []*cloudwatch.LogGroup) error {
	var streamARNs []pulumi.StringInput
	for _, g := range groups {
		streamARNs = append(streamARNs, pulumi.Sprintf("%s:*", g.Arn))
	}
	permissions, err := podidentity.New(b.ctx, b.name, &podidentity.Args{
		Account:     b.args.Account,
		Description: "Container logs of EKS cluster " + b.args.Cluster.ClusterName,
		ClusterName: b.args.Cluster.Name, Namespace: pulumi.String(namespace), ServiceAccount: appName,
		Statements: []iam.Statement{{Sid: "Write", Actions: fluentbit.WriteActions(), Resources: streamARNs}},
	}, b.parent)
	b.dependencies = append(b.dependencies, permissions...)
	return err
}

// newDaemonSet creates the DaemonSet with its service account, network policy and ConfigMap.
// config is the text of Fluent Bit's configuration file.
func (b *builder) newDaemonSet(config string) (pulumi.Resource, error) {
	objects := &datastore.Objects{Context: b.ctx, Name: b.name, App: appName, Namespace: pulumi.String(namespace), Parent: b.parent}
	serviceAccount, err := corev1.NewServiceAccount(b.ctx, b.name, &corev1.ServiceAccountArgs{Metadata: objects.Meta(appName)}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("service account of %s: %w", b.name, err)
	}
	policy, err := objects.NewNetworkPolicy(podnetwork.Access{Egress: podnetwork.AWSAndAPIServerEgress()})
	if err != nil {
		return nil, err
	}
	configMap, err := objects.NewConfigMap(appName, map[string]string{configFile: config})
	if err != nil {
		return nil, err
	}
	daemonSet, err := appsv1.NewDaemonSet(b.ctx, b.name, &appsv1.DaemonSetArgs{
		Metadata: objects.Meta(appName),
		Spec: &appsv1.DaemonSetSpecArgs{
			Selector: &metav1.LabelSelectorArgs{MatchLabels: objects.Selector()},
			Template: objects.PodTemplate([]byte(config), podSpec(b.args.Image, configMap)),
		},
	}, b.parent, pulumi.DependsOn(append(b.dependencies, serviceAccount, policy)))
	if err != nil {
		return nil, fmt.Errorf("DaemonSet of %s: %w", b.name, err)
	}
	return daemonSet, nil
}

// nodeAffinity returns an affinity for the nodes of the stack's tiers. Other nodes of the cluster
// have no logs of the platform.
func nodeAffinity() *corev1.AffinityArgs {
	return &corev1.AffinityArgs{NodeAffinity: &corev1.NodeAffinityArgs{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelectorArgs{NodeSelectorTerms: corev1.NodeSelectorTermArray{&corev1.NodeSelectorTermArgs{
			MatchExpressions: corev1.NodeSelectorRequirementArray{&corev1.NodeSelectorRequirementArgs{
				Key: pulumi.String(scaling.NodeLabel), Operator: pulumi.String("Exists"),
			}},
		}}},
	}}
}
