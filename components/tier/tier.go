// Package tier owns a tier of EKS worker nodes: an Auto Scaling Group, its launch
// template, its scaling policies and its alarms. The size and the capacity owner come from
// package scaling, and the cluster from package cluster. Package loadbalancer owns the
// routing of requests to the nodes.
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

// Args configure a Tier.
type Args struct {
	// Profile is the tier's size, steps, alarms, labels and tags.
	Profile scaling.Tier
	// Owner is the owner of the capacity: the Cluster Autoscaler or scaling policies, which
	// add and remove instances.
	Owner scaling.Owner
	// Environment is the last part of the group's name, and the value of its tag Environment.
	Environment string
	// Cluster is the cluster of the nodes.
	Cluster *cluster.Cluster
	// SubnetIDs are private subnets, one in each zone that the tier spans.
	SubnetIDs pulumi.StringArrayInput
	// Fleet is the specification of the instances.
	Fleet instancespec.Fleet
	// Image is the image of the nodes. A change replaces every node.
	Image Image
	// KeyARN is the KMS key of the nodes' volumes. The key's policy must allow EC2 to use the key
	// for this account (key.ViaService).
	KeyARN pulumi.StringInput
	// LoadBalancer is the ARN suffix of the load balancer of Targets.
	LoadBalancer pulumi.StringInput
	// Targets are the target groups that every instance joins.
	Targets []Target
	// TargetsCheckNode means that the health checks of Targets check the node itself
	// (/healthz of kube-proxy on port 10256). The group then replaces instances that
	// fail the checks. TargetsCheckNode must be false for checks of a service. Otherwise a
	// broken or missing service would cause the replacement of every node.
	TargetsCheckNode bool
	// RefreshAlarms are names of alarms that stop a refresh. All of them must exist.
	RefreshAlarms pulumi.StringArray
	// AlarmTopicARN is the SNS topic of the alarms that notify people. Empty means no
	// notification.
	AlarmTopicARN string
	// Tags are further tags of the group and its instances. The provider's default tags do
	// not apply to them.
	Tags map[string]string
}

// Image is the image of a tier's nodes: a release of AWS's image, or an AMI.
type Image struct {
	Release instancespec.Release
	// ID is the id of an AMI. Its age is not known, so there is no alarm for its age.
	ID string
}

// Target is a target group of a load balancer.
type Target struct {
	// Name is part of the names of the target group's alarms.
	Name string
	ARN  pulumi.StringInput
	// ARNSuffix is the value of CloudWatch's dimension TargetGroup.
	ARNSuffix pulumi.StringInput
}

// validateAndPlan checks the args, and returns the plan of the tier.
func (a *Args) validateAndPlan() (scaling.Plan, error) {
	switch {
	case a == nil:
		return scaling.Plan{}, errors.New("tier: args must not be nil")
	case a.Environment == "" || a.Cluster == nil || a.SubnetIDs == nil || a.KeyARN == nil:
		return scaling.Plan{}, fmt.Errorf("tier %s: Environment, Cluster, SubnetIDs and KeyARN must be given", a.Profile.Name)
	case (a.Image.ID == "") == a.Image.Release.Date.IsZero():
		return scaling.Plan{}, fmt.Errorf("tier %s: Image must have either a Release or an ID", a.Profile.Name)
	case len(a.Targets) > 0 && a.LoadBalancer == nil:
		return scaling.Plan{}, fmt.Errorf("tier %s: Targets without their LoadBalancer", a.Profile.Name)
	}
	plan, err := scaling.PlanFor(a.Profile, a.Owner)
	if err != nil {
		return scaling.Plan{}, err
	}
	if err := a.Fleet.Validate(a.Profile.Size.Max); err != nil {
		return scaling.Plan{}, fmt.Errorf("tier %s: %w", a.Profile.Name, err)
	}
	return plan, nil
}

func (a *Args) groupName() string { return a.Profile.FullGroupName(a.Environment) }

// Tier is an Auto Scaling Group of worker nodes.
type Tier struct {
	pulumi.ResourceState

	// GroupName and GroupARN are the name and the ARN of the group.
	GroupName pulumi.StringOutput
	GroupARN  pulumi.StringOutput
	// Ready is the group. A resource that needs nodes must depend on Ready, and not on
	// the Tier (see network.Network.Ready).
	Ready []pulumi.Resource
	// ImageID is the AMI of new nodes.
	ImageID pulumi.StringOutput
}

// builder creates the children of a Tier with the same name prefix and parent.
type builder struct {
	ctx    *pulumi.Context
	name   string
	args   *Args
	plan   scaling.Plan
	parent pulumi.ResourceOrInvokeOption
	group  *autoscaling.Group
}

// NewTier creates the launch template, the group, its lifecycle hook, and the scaling
// policies and alarms of its plan (scaling.PlanFor).
func NewTier(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Tier, error) {
	plan, err := args.validateAndPlan()
	if err != nil {
		return nil, err
	}
	t := &Tier{}
	if err := ctx.RegisterComponentResource("progressive:tier:Tier", name, t, opts...); err != nil {
		return nil, fmt.Errorf("tier %s: %w", name, err)
	}
	b := &builder{ctx: ctx, name: name, args: args, plan: plan, parent: pulumi.Parent(t)}
	template, err := b.newLaunchTemplate()
	if err != nil {
		return nil, err
	}
	if b.group, err = b.newAutoScalingGroup(template); err != nil {
		return nil, err
	}
	if err := b.createDrainHook(); err != nil {
		return nil, err
	}
	if err := b.createScaling(); err != nil {
		return nil, err
	}
	if err := b.createImageAgeAlarm(); err != nil {
		return nil, err
	}
	t.Ready = []pulumi.Resource{b.group}
	t.GroupName, t.GroupARN, t.ImageID = b.group.Name, b.group.Arn, template.ImageId.Elem()
	return t, ctx.RegisterResourceOutputs(t, pulumi.Map{"groupName": t.GroupName, "groupArn": t.GroupARN, "imageId": t.ImageID})
}
