// Package cluster owns the EKS cluster: its control plane, its administrators, what
// its nodes share (security group, role, and the add-ons on every node), and the
// kubeconfig. Package tier owns the nodes, and package addons the add-ons that need
// nodes.
package cluster

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/network/access"
)

// Args configure a Cluster.
type Args struct {
	// Account is the account and region of the cluster.
	Account *account.Account
	// ClusterName is the cluster's name in EKS, at most 100 characters.
	ClusterName string
	// Version is the Kubernetes minor version, one of eksspec.Versions.
	Version string
	// Stage is the stage of the upgrade to Version. Empty means that all parts have
	// Version.
	Stage eksspec.Stage
	// ExtendedSupport keeps a version after its standard support, at extra cost.
	// Otherwise EKS upgrades the control plane when standard support ends.
	ExtendedSupport bool
	// VPCID is the VPC of the subnets.
	VPCID pulumi.StringInput
	// Subnets are private subnets by zone.
	Subnets map[string]pulumi.StringInput
	// ControlPlaneZones are the zones of the control plane's network interfaces. EKS
	// can't change them; see eksspec.CheckZones.
	ControlPlaneZones []string
	// PublicAccessCIDRs are the CIDR blocks that may reach the API endpoint over the
	// internet. Empty means that the endpoint is private.
	PublicAccessCIDRs []string
	// PrivateAccess are the networks that may reach the private API endpoint, in
	// addition to the nodes.
	PrivateAccess []access.Source
	// Admins are the ARNs of IAM roles and users that administer the cluster. The
	// creator of the cluster is always an administrator and must not be listed.
	Admins []string
	// KeyARN is the KMS key of Kubernetes' secrets and of the control plane's logs.
	// The key's policy must allow CloudWatch Logs to use it (key.Logs).
	KeyARN pulumi.StringInput
	// SessionManager allows operators to open a shell on nodes with AWS Systems
	// Manager. There is no other way to log in to a node.
	SessionManager bool
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.ClusterName == "":
		return errors.New("cluster: ClusterName must not be empty")
	case a.Account == nil || a.VPCID == nil || a.KeyARN == nil:
		return fmt.Errorf("cluster %s: Account, VPCID and KeyARN must not be nil", a.ClusterName)
	}
	errs := []error{eksspec.CheckZones(a.ControlPlaneZones, slices.Collect(maps.Keys(a.Subnets)))}
	if _, err := eksspec.ComponentVersionsAt(a.Version, a.Stage); err != nil {
		errs = append(errs, err)
	}
	if len(a.PublicAccessCIDRs)+len(a.PrivateAccess) == 0 {
		errs = append(errs, errors.New("PublicAccessCIDRs or PrivateAccess must not be empty: nodes alone would reach the API server, and nobody could deploy into the cluster"))
	}
	errs = append(errs, access.Check(a.PrivateAccess))
	errs = append(errs, eksspec.CheckAdmins(a.Admins)...)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cluster %s: %w", a.ClusterName, err)
	}
	return nil
}

// Cluster is an EKS cluster.
type Cluster struct {
	pulumi.ResourceState

	Name pulumi.StringOutput
	// ClusterName is Name as plain text, which is known before the cluster is created.
	ClusterName string
	// Versions are the Kubernetes minor versions of the cluster's parts.
	Versions eksspec.ComponentVersions
	Endpoint pulumi.StringOutput
	// CertificateAuthority is the CA certificate of the API server, in base64 as in EKS's API.
	CertificateAuthority pulumi.StringOutput
	// ServiceCIDR is the CIDR block from which Services get their cluster IPs.
	ServiceCIDR pulumi.StringOutput
	// SecurityGroupID is the security group that EKS creates for the control plane.
	SecurityGroupID pulumi.StringOutput
	// NodeSecurityGroupID is the security group of every node, and so of every pod.
	NodeSecurityGroupID pulumi.StringOutput
	NodeRoleARN         pulumi.StringOutput
	// InstanceProfileARN is the instance profile of the nodes.
	InstanceProfileARN pulumi.StringOutput
	// Kubeconfig has no secret: it gets a token from `aws eks get-token`.
	Kubeconfig pulumi.StringOutput
	// NodeDependencies are the resources that a node needs to join and become ready. A
	// resource that launches nodes must depend on them.
	NodeDependencies []pulumi.Resource
	// AccessRules are the security group rules for PrivateAccess. A resource that calls the
	// API server must depend on them.
	AccessRules []pulumi.Resource
	// Ready is the control plane. A resource that needs it must depend on Ready, and
	// not on the Cluster (see network.Network.Ready).
	Ready []pulumi.Resource
}

// NewCluster creates a cluster with encrypted secrets and all control plane logs. Its
// endpoint is private unless PublicAccessCIDRs are set. Access entries are the only
// way to grant access. EKS installs no add-on by itself: this package and package addons
// create all of them, with pinned versions.
func NewCluster(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	versions, err := eksspec.ComponentVersionsAt(args.Version, args.Stage)
	if err != nil {
		return nil, err
	}
	c := &Cluster{ClusterName: args.ClusterName, Versions: versions}
	if err := ctx.RegisterComponentResource("progressive:cluster:Cluster", name, c, opts...); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, err)
	}
	b := &builder{ctx: ctx, name: name, args: args, parent: pulumi.Parent(c), cluster: c}
	controlPlane, err := b.newControlPlane()
	if err != nil {
		return nil, err
	}
	c.Name, c.Endpoint = controlPlane.Name, controlPlane.Endpoint
	c.CertificateAuthority = controlPlane.CertificateAuthority.Data().Elem()
	c.ServiceCIDR = controlPlane.KubernetesNetworkConfig.ServiceIpv4Cidr().Elem()
	c.SecurityGroupID = controlPlane.VpcConfig.ClusterSecurityGroupId().Elem()
	c.Kubeconfig = pulumi.All(c.Name, c.Endpoint, c.CertificateAuthority).ApplyT(func(values []any) (string, error) {
		return renderKubeconfig(values[0].(string), values[1].(string), values[2].(string), args.Account)
	}).(pulumi.StringOutput)
	for _, step := range []func() error{b.grantAdminAccess, b.admitOperators, b.createNodeSecurityGroup, b.createNodeRole, b.createNodeAddons} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"name": c.Name, "endpoint": c.Endpoint, "kubeconfig": c.Kubeconfig,
		"securityGroupId": c.SecurityGroupID, "nodeSecurityGroupId": c.NodeSecurityGroupID, "nodeRoleArn": c.NodeRoleARN,
	})
}

// builder creates the children of a Cluster with the same name prefix and parent.
type builder struct {
	ctx     *pulumi.Context
	name    string
	args    *Args
	parent  pulumi.ResourceOption
	cluster *Cluster
}

// grantAdminAccess gives the administrators (Args.Admins) full access to the cluster.
func (b *builder) grantAdminAccess() error {
	for _, arn := range b.args.Admins {
		name, err := eksspec.AdminName(arn)
		if err != nil {
			return err
		}
		entry, err := eks.NewAccessEntry(b.ctx, b.name+"-admin-"+name, &eks.AccessEntryArgs{
			ClusterName:  b.cluster.Name,
			PrincipalArn: pulumi.String(arn),
		}, b.parent)
		if err != nil {
			return fmt.Errorf("access entry of %s: %w", name, err)
		}
		if _, err := eks.NewAccessPolicyAssociation(b.ctx, b.name+"-admin-"+name, &eks.AccessPolicyAssociationArgs{
			ClusterName:  b.cluster.Name,
			PrincipalArn: entry.PrincipalArn,
			PolicyArn:    pulumi.Sprintf("arn:%s:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", b.args.Account.Partition),
			AccessScope:  &eks.AccessPolicyAssociationAccessScopeArgs{Type: pulumi.String("cluster")},
		}, b.parent); err != nil {
			return fmt.Errorf("access policy of %s: %w", name, err)
		}
	}
	return nil
}
