// Package tier owns a tier of EKS worker nodes: an Auto Scaling Group, the
// template of its instances, and what scales it. How big it is and who takes
// instances away come from package scaling; the cluster that its nodes join
// from package cluster. Which traffic reaches it is the load balancer's.
package tier

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/cluster"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier/instancespec"
)

// Args are what a Tier is made from.
type Args struct {
	// Profile is the tier's size, steps, alarms, labels and tags.
	Profile scaling.Tier
	// Owner is the scale-in owner: what removes instances.
	Owner scaling.Owner
	// Environment ends the group's name and is its tag.
	Environment string
	// Cluster is what the nodes join.
	Cluster *cluster.Cluster
	// SubnetIDs are private subnets, one in each zone that the tier spans.
	SubnetIDs pulumi.StringArrayInput
	// Fleet is what the instances are.
	Fleet instancespec.Fleet
	// ImageID is the image that nodes start from. Empty: AWS's recommended one
	// of the day on which the tier is made, or the cluster's version changes;
	// it then stays, because a new one replaces every node. To take a newer
	// image, name it.
	ImageID string
	// KeyARN encrypts the nodes' volumes; its policy must let EC2 use it for
	// this account (key.ViaService).
	KeyARN pulumi.StringInput
	// LoadBalancer is the ARN suffix of the load balancer of Targets.
	LoadBalancer pulumi.StringInput
	// Targets are the target groups that every instance joins.
	Targets []Target
	// TargetsAskNode says that the health checks of Targets ask the node itself
	// (kube-proxy answers /healthz on port 10256), so that the group may
	// replace instances that fail them. Checks that ask a service must not: one
	// that is not deployed yet, or is broken, would cost every node.
	TargetsAskNode bool
	// Tags are put on the group, its instances and their volumes beside the
	// profile's; the provider's default tags do not reach them.
	Tags map[string]string
}

// Target is a target group of a load balancer.
type Target struct {
	// Name tells its alarms from those of other targets.
	Name string
	ARN  pulumi.StringInput
	// ARNSuffix is CloudWatch's name of it.
	ARNSuffix pulumi.StringInput
}

func (a *Args) validate() (scaling.Plan, error) {
	switch {
	case a == nil:
		return scaling.Plan{}, errors.New("tier: args must not be nil")
	case a.Environment == "" || a.Cluster == nil || a.SubnetIDs == nil || a.KeyARN == nil:
		return scaling.Plan{}, fmt.Errorf("tier %s: Environment, Cluster, SubnetIDs and KeyARN must be given", a.Profile.Name)
	case len(a.Targets) > 0 && a.LoadBalancer == nil:
		return scaling.Plan{}, fmt.Errorf("tier %s: Targets without their LoadBalancer", a.Profile.Name)
	}
	driven, err := scaling.PlanFor(a.Profile, a.Owner)
	if err != nil {
		return scaling.Plan{}, err
	}
	if err := a.Fleet.Validate(a.Profile.Size.Max); err != nil {
		return scaling.Plan{}, fmt.Errorf("tier %s: %w", a.Profile.Name, err)
	}
	return driven, nil
}

// groupName is the design document's name of the group.
func (a *Args) groupName() string { return a.Profile.GroupName + "-" + a.Environment }

// Tier is an Auto Scaling Group of worker nodes.
type Tier struct {
	pulumi.ResourceState

	// GroupName and GroupARN are the group's.
	GroupName pulumi.StringOutput
	GroupARN  pulumi.StringOutput
	// ImageID is the image that new nodes start from.
	ImageID pulumi.StringOutput
}

// builder makes a tier's children, all named and parented alike.
type builder struct {
	ctx    *pulumi.Context
	name   string
	args   *Args
	plan   scaling.Plan
	parent pulumi.ResourceOrInvokeOption
	group  *autoscaling.Group
}

// NewTier makes the launch template, the group, its lifecycle hook, both of
// its scaling policies, and the alarms that its scale-in owner leaves to them.
func NewTier(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Tier, error) {
	driven, err := args.validate()
	if err != nil {
		return nil, err
	}
	t := &Tier{}
	if err := ctx.RegisterComponentResource("progressive:tier:Tier", name, t, opts...); err != nil {
		return nil, fmt.Errorf("tier %s: %w", name, err)
	}
	b := &builder{ctx: ctx, name: name, args: args, plan: driven, parent: pulumi.Parent(t)}
	template, err := b.launchTemplate()
	if err != nil {
		return nil, err
	}
	if b.group, err = b.autoScalingGroup(template); err != nil {
		return nil, err
	}
	if err := b.lifecycleHook(); err != nil {
		return nil, err
	}
	if err := b.scale(); err != nil {
		return nil, err
	}
	t.GroupName, t.GroupARN, t.ImageID = b.group.Name, b.group.Arn, template.ImageId.Elem()
	return t, ctx.RegisterResourceOutputs(t, pulumi.Map{"groupName": t.GroupName, "groupArn": t.GroupARN, "imageId": t.ImageID})
}
