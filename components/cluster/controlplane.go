package cluster

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/logs"
)

// controlPlaneLogs are all log types of EKS.
var controlPlaneLogs = pulumi.ToStringArray([]string{"api", "audit", "authenticator", "controllerManager", "scheduler"})

// newControlPlane creates the EKS cluster, after its role and its log group. So Pulumi deletes
// the cluster before the role, which EKS needs to release the network interfaces of the control
// plane. Without the log group, EKS would create a log group that is not encrypted and keeps
// its logs forever.
func (b *builder) newControlPlane() (*eks.Cluster, error) {
	args := b.args
	role, err := iam.NewRole(b.ctx, b.name+"-control-plane", &iam.RoleArgs{
		Account:         args.Account,
		Description:     "EKS control plane",
		Trust:           iam.Service("eks.amazonaws.com"),
		ManagedPolicies: []string{"AmazonEKSClusterPolicy"},
		Statements: []iam.Statement{{
			Sid:       "Secrets", // the same actions as in terraform-aws-modules/eks for a cluster with a KMS key
			Actions:   []string{"kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"},
			Resources: iam.ARNs(args.KeyARN),
		}},
	}, b.parent)
	if err != nil {
		return nil, err
	}
	logGroup, err := cloudwatch.NewLogGroup(b.ctx, b.name+"-control-plane", &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/aws/eks/" + args.ClusterName + "/cluster"), // where EKS writes
		RetentionInDays: pulumi.Int(logs.Days),
		KmsKeyId:        args.KeyARN,
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("log group of cluster %s: %w", args.ClusterName, err)
	}
	cluster, err := eks.NewCluster(b.ctx, b.name+"-cluster", &eks.ClusterArgs{
		Name:      pulumi.String(args.ClusterName),
		Version:   pulumi.String(b.cluster.Versions.ControlPlane),
		RoleArn:   role.ARN,
		VpcConfig: b.vpcConfig(),
		AccessConfig: &eks.ClusterAccessConfigArgs{
			AuthenticationMode: pulumi.String("API"),
			// The identity that runs `pulumi up` must be able to deploy into the cluster.
			BootstrapClusterCreatorAdminPermissions: pulumi.Bool(true),
		},
		// Otherwise EKS installs its own add-ons in versions that are not pinned.
		BootstrapSelfManagedAddons: pulumi.Bool(false),
		EncryptionConfig: &eks.ClusterEncryptionConfigArgs{
			Provider:  &eks.ClusterEncryptionConfigProviderArgs{KeyArn: args.KeyARN},
			Resources: pulumi.ToStringArray([]string{"secrets"}),
		},
		UpgradePolicy:          &eks.ClusterUpgradePolicyArgs{SupportType: pulumi.String(supportType(args.ExtendedSupport))},
		EnabledClusterLogTypes: controlPlaneLogs,
	}, b.parent, pulumi.DependsOn(append(slices.Clone(role.Policies), logGroup)))
	if err != nil {
		return nil, fmt.Errorf("EKS cluster %s: %w", args.ClusterName, err)
	}
	b.cluster.Ready = []pulumi.Resource{cluster}
	return cluster, nil
}

// vpcConfig returns the subnets of the control plane and the access to its API endpoint.
func (b *builder) vpcConfig() *eks.ClusterVpcConfigArgs {
	subnets := pulumi.StringArray{}
	for _, zone := range slices.Sorted(slices.Values(b.args.ControlPlaneZones)) {
		subnets = append(subnets, b.args.Subnets[zone])
	}
	publicCIDRs := b.args.PublicAccessCIDRs
	vpc := &eks.ClusterVpcConfigArgs{
		SubnetIds:             subnets,
		EndpointPrivateAccess: pulumi.Bool(true),
		EndpointPublicAccess:  pulumi.Bool(len(publicCIDRs) > 0),
	}
	if len(publicCIDRs) > 0 {
		vpc.PublicAccessCidrs = pulumi.ToStringArray(publicCIDRs)
	}
	return vpc
}

// supportType returns the support type in EKS's upgrade policy.
func supportType(extended bool) string {
	if extended {
		return "EXTENDED"
	}
	return "STANDARD"
}
