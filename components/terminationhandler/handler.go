package terminationhandler

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	rbacv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/rbac/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/cluster"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/poddisruption"
	"github.com/progressive-framework/platform/components/podidentity"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/terminationhandler/terminationspec"
)

const (
	namespace = cluster.SystemNamespace
	// appName is the name of all objects and the value of their app label.
	appName   = "aws-node-termination-handler"
	rbacGroup = "rbac.authorization.k8s.io"
)

// Repository is the repository of the image below a mirror.
const Repository = "aws-node-termination-handler"

// Args configure a Handler.
type Args struct {
	// Account is the account of the groups.
	Account *account.Account
	// Cluster is the cluster of the nodes that the handler drains.
	Cluster *cluster.Cluster
	// Queue is the queue with the events.
	Queue *Queue
	// Groups are the Auto Scaling Groups of the nodes.
	Groups []Group
	// Image is the reference of the image in a mirror. The default is terminationspec.Image.
	Image pulumi.StringInput
	// Nodes are the resources of the tiers and the add-ons. The handler's pods need them to run.
	Nodes []pulumi.Resource
}

// Group is an Auto Scaling Group.
type Group struct {
	// ShortName identifies the group in the names of resources, such as "web".
	ShortName string
	Name, ARN pulumi.StringInput
}

func (a *Args) validate() error {
	if a == nil || a.Account == nil || a.Cluster == nil || a.Queue == nil || len(a.Groups) == 0 {
		return errors.New("termination handler: Account, Cluster, Queue and Groups must be set")
	}
	return nil
}

// Handler is the running handler.
type Handler struct{ pulumi.ResourceState }

// builder creates the children of a Handler with the same name and parent.
type builder struct {
	ctx          *pulumi.Context
	name         string
	args         *Args
	drain        scaling.DrainOptions
	parent       pulumi.ResourceOption
	dependencies []pulumi.Resource // of the pods
}

// NewHandler creates the handler's permissions and pods, and then the launch lifecycle hook of
// each group. It needs the AWS provider and the cluster's Kubernetes provider
// (pulumi.Providers).
func NewHandler(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Handler, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	h := &Handler{}
	if err := ctx.RegisterComponentResource("progressive:terminationhandler:Handler", name, h, opts...); err != nil {
		return nil, fmt.Errorf("termination handler %s: %w", name, err)
	}
	b := &builder{
		ctx: ctx, name: name + "-termination", args: args, drain: scaling.DefaultDrain(), parent: pulumi.Parent(h),
		dependencies: append(append([]pulumi.Resource{}, args.Nodes...), args.Queue.Ready...),
	}
	for _, step := range []func() error{b.createRole, b.createRBAC, b.createDisruptionBudget} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	deployment, err := b.newDeployment()
	if err != nil {
		return nil, err
	}
	for _, g := range args.Groups {
		if err := b.createJoinHook(g, deployment); err != nil {
			return nil, err
		}
	}
	return h, ctx.RegisterResourceOutputs(h, pulumi.Map{})
}

// createRole creates the IAM role of the handler's pods. The pods may describe every instance. They
// may complete lifecycle actions only of this cluster's groups.
func (b *builder) createRole() error {
	var groupARNs []pulumi.StringInput
	for _, g := range b.args.Groups {
		groupARNs = append(groupARNs, g.ARN)
	}
	permissions, err := podidentity.New(b.ctx, b.name, &podidentity.Args{
		Account:     b.args.Account,
		Description: "Node Termination Handler of EKS cluster " + b.args.Cluster.ClusterName,
		ClusterName: b.args.Cluster.Name, Namespace: pulumi.String(namespace), ServiceAccount: appName,
		Statements: []iam.Statement{
			{Sid: "Look", Actions: terminationspec.ReadActions(), Resources: iam.AnyResource()},
			{Sid: "Complete", Actions: terminationspec.GroupActions(), Resources: groupARNs},
			{Sid: "Receive", Actions: terminationspec.QueueActions(), Resources: iam.ARNs(b.args.Queue.ARN)},
		},
	}, b.parent)
	b.dependencies = append(b.dependencies, permissions...)
	return err
}

// createRBAC creates the handler's service account, and binds it to a ClusterRole with the rules of
// package terminationspec.
func (b *builder) createRBAC() error {
	serviceAccount, err := corev1.NewServiceAccount(b.ctx, b.name, &corev1.ServiceAccountArgs{Metadata: objectMeta()}, b.parent)
	if err != nil {
		return fmt.Errorf("service account of %s: %w", b.name, err)
	}
	var rules rbacv1.PolicyRuleArray
	for _, r := range terminationspec.ClusterRules() {
		rules = append(rules, &rbacv1.PolicyRuleArgs{
			ApiGroups: pulumi.ToStringArray(r.Groups), Resources: pulumi.ToStringArray(r.Resources), Verbs: pulumi.ToStringArray(r.Verbs),
		})
	}
	clusterMeta := &metav1.ObjectMetaArgs{Name: pulumi.String(appName), Labels: labels()}
	role, err := rbacv1.NewClusterRole(b.ctx, b.name, &rbacv1.ClusterRoleArgs{Metadata: clusterMeta, Rules: rules}, b.parent)
	if err != nil {
		return fmt.Errorf("cluster role of %s: %w", b.name, err)
	}
	binding, err := rbacv1.NewClusterRoleBinding(b.ctx, b.name, &rbacv1.ClusterRoleBindingArgs{
		Metadata: clusterMeta,
		RoleRef:  &rbacv1.RoleRefArgs{ApiGroup: pulumi.String(rbacGroup), Kind: pulumi.String("ClusterRole"), Name: role.Metadata.Name().Elem()},
		Subjects: rbacv1.SubjectArray{&rbacv1.SubjectArgs{
			Kind: pulumi.String("ServiceAccount"), Name: serviceAccount.Metadata.Name().Elem(), Namespace: pulumi.String(namespace),
		}},
	}, b.parent)
	if err != nil {
		return fmt.Errorf("cluster role binding of %s: %w", b.name, err)
	}
	b.dependencies = append(b.dependencies, serviceAccount, binding)
	return nil
}

// createDisruptionBudget creates the budget that allows a drain to evict one pod of the handler at a
// time.
func (b *builder) createDisruptionBudget() error {
	_, err := policyv1.NewPodDisruptionBudget(b.ctx, b.name, &policyv1.PodDisruptionBudgetArgs{
		Metadata: objectMeta(),
		Spec:     poddisruption.OneAtATime(labels()),
	}, b.parent)
	if err != nil {
		return fmt.Errorf("disruption budget of %s: %w", b.name, err)
	}
	return nil
}

// createJoinHook creates the lifecycle hook that keeps a new instance out of service until its
// node is ready. The handler then completes the hook. If the node does not become ready in
// time, the group terminates the instance. So a refresh fails if the nodes of a new image
// can't join. The hook is created after the handler, because the first instances must be in
// service before the handler can run.
func (b *builder) createJoinHook(g Group, handler pulumi.Resource) error {
	_, err := autoscaling.NewLifecycleHook(b.ctx, b.name+"-"+g.ShortName+"-join", &autoscaling.LifecycleHookArgs{
		Name:                 pulumi.Sprintf("%s-join", g.Name),
		AutoscalingGroupName: g.Name,
		LifecycleTransition:  pulumi.String("autoscaling:EC2_INSTANCE_LAUNCHING"),
		HeartbeatTimeout:     pulumi.Int(int(b.drain.JoinTimeout.Seconds())),
		DefaultResult:        pulumi.String("ABANDON"),
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{handler}))
	if err != nil {
		return fmt.Errorf("lifecycle hook at launch of %s: %w", g.ShortName, err)
	}
	return nil
}

// labels returns the labels of every object of the handler.
func labels() pulumi.StringMap { return pulumi.StringMap{"app": pulumi.String(appName)} }

// objectMeta returns the metadata of every object in the handler's namespace.
func objectMeta() *metav1.ObjectMetaArgs {
	return &metav1.ObjectMetaArgs{Name: pulumi.String(appName), Namespace: pulumi.String(namespace), Labels: labels()}
}

// newDeployment creates the handler's network policy and Deployment. All pods read the queue.
// If two pods complete the same hook, only the first completion has an effect.
func (b *builder) newDeployment() (pulumi.Resource, error) {
	policy, err := podnetwork.New(b.ctx, b.name, &podnetwork.Args{
		Name: appName, Namespace: pulumi.String(namespace), Selector: labels(), Access: podnetwork.Access{Egress: podnetwork.AWSAndAPIServerEgress()},
	}, b.parent)
	if err != nil {
		return nil, err
	}
	image := b.args.Image
	if image == nil {
		image = pulumi.String(terminationspec.Image)
	}
	deployment, err := appsv1.NewDeployment(b.ctx, b.name, &appsv1.DeploymentArgs{
		Metadata: objectMeta(),
		Spec: &appsv1.DeploymentSpecArgs{
			Replicas: pulumi.Int(b.drain.Replicas),
			Selector: &metav1.LabelSelectorArgs{MatchLabels: labels()},
			Template: &corev1.PodTemplateSpecArgs{Metadata: &metav1.ObjectMetaArgs{Labels: labels()}, Spec: b.podSpec(image)},
		},
	}, b.parent, pulumi.DependsOn(append(b.dependencies, policy)))
	if err != nil {
		return nil, fmt.Errorf("deployment of %s: %w", b.name, err)
	}
	return deployment, nil
}
