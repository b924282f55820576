// Package cluster owns the EKS cluster: its control plane, the role that it
// runs under, and the kubeconfig by which others reach it.
package cluster

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Args are what a Cluster is made from.
type Args struct {
	// ClusterName is the cluster's name in EKS, at most 100 characters.
	ClusterName string
	// Region is where the cluster lives; its kubeconfig asks for tokens there.
	Region string
	// Version is the Kubernetes minor version, such as "1.34".
	Version string
	// SubnetIDs are subnets in at least two zones, for the control plane's
	// network interfaces.
	SubnetIDs pulumi.StringArrayInput
	// PublicAccessCIDRs are the blocks from which the API endpoint is reached
	// over the internet; none: only from inside the VPC.
	PublicAccessCIDRs []string
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.ClusterName == "":
		return errors.New("cluster: ClusterName must not be empty")
	case a.Region == "" || a.Version == "":
		return fmt.Errorf("cluster %s: Region and Version must not be empty", a.ClusterName)
	case a.SubnetIDs == nil:
		return fmt.Errorf("cluster %s: SubnetIDs must not be nil", a.ClusterName)
	}
	return nil
}

// Cluster is an EKS cluster.
type Cluster struct {
	pulumi.ResourceState

	Name     pulumi.StringOutput
	Endpoint pulumi.StringOutput
	// Kubeconfig holds no secret: it asks `aws eks get-token` for one.
	Kubeconfig pulumi.StringOutput
}

// controlPlaneLogs are all the types that EKS has.
var controlPlaneLogs = pulumi.ToStringArray([]string{"api", "audit", "authenticator", "controllerManager", "scheduler"})

// NewCluster makes a cluster whose endpoint is private unless blocks are
// named, whose access is given by access entries alone, and whose control
// plane logs everything.
func NewCluster(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	c := &Cluster{}
	if err := ctx.RegisterComponentResource("progressive:cluster:Cluster", name, c, opts...); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, err)
	}
	parent := pulumi.Parent(c)
	role, policy, err := controlPlaneRole(ctx, name, parent)
	if err != nil {
		return nil, err
	}
	vpc := &eks.ClusterVpcConfigArgs{
		SubnetIds:             args.SubnetIDs,
		EndpointPrivateAccess: pulumi.Bool(true),
		EndpointPublicAccess:  pulumi.Bool(len(args.PublicAccessCIDRs) > 0),
	}
	if len(args.PublicAccessCIDRs) > 0 {
		vpc.PublicAccessCidrs = pulumi.ToStringArray(args.PublicAccessCIDRs)
	}
	made, err := eks.NewCluster(ctx, name+"-cluster", &eks.ClusterArgs{
		Name:      pulumi.String(args.ClusterName),
		Version:   pulumi.String(args.Version),
		RoleArn:   role.Arn,
		VpcConfig: vpc,
		AccessConfig: &eks.ClusterAccessConfigArgs{
			AuthenticationMode: pulumi.String("API"),
			// Whoever runs `pulumi up` deploys into the cluster next.
			BootstrapClusterCreatorAdminPermissions: pulumi.Bool(true),
		},
		EnabledClusterLogTypes: controlPlaneLogs,
	}, parent, pulumi.DependsOn([]pulumi.Resource{policy})) // without it EKS can't release its interfaces at the end
	if err != nil {
		return nil, fmt.Errorf("EKS cluster %s: %w", args.ClusterName, err)
	}
	c.Name, c.Endpoint = made.Name, made.Endpoint
	c.Kubeconfig = pulumi.All(made.Name, made.Endpoint, made.CertificateAuthority.Data().Elem()).ApplyT(func(v []any) (string, error) {
		return kubeconfig(v[0].(string), v[1].(string), v[2].(string), args.Region)
	}).(pulumi.StringOutput)
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"name": c.Name, "endpoint": c.Endpoint, "kubeconfig": c.Kubeconfig,
	})
}

// controlPlaneRole makes the role that EKS acts under and gives it AWS's own
// policy for it.
func controlPlaneRole(ctx *pulumi.Context, name string, parent pulumi.ResourceOption) (*iam.Role, *iam.RolePolicyAttachment, error) {
	trust, err := json.Marshal(map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{map[string]any{
			"Effect":    "Allow",
			"Principal": map[string]any{"Service": "eks.amazonaws.com"},
			"Action":    []string{"sts:AssumeRole", "sts:TagSession"},
		}},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("trust policy: %w", err)
	}
	role, err := iam.NewRole(ctx, name+"-control-plane", &iam.RoleArgs{
		AssumeRolePolicy: pulumi.String(trust),
		Description:      pulumi.String("EKS control plane"),
	}, parent)
	if err != nil {
		return nil, nil, fmt.Errorf("control plane role: %w", err)
	}
	policy, err := iam.NewRolePolicyAttachment(ctx, name+"-control-plane", &iam.RolePolicyAttachmentArgs{
		Role:      role.Name,
		PolicyArn: pulumi.String("arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"),
	}, parent)
	if err != nil {
		return nil, nil, fmt.Errorf("control plane policy: %w", err)
	}
	return role, policy, nil
}
