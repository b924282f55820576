package cluster

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/iam"
)

// SystemNamespace is the namespace of the cluster's system pods.
const SystemNamespace = "kube-system"

// OwnedTag returns the key of a tag that all instances of the cluster have. Kubernetes' cloud
// controller manager finds the nodes of the cluster by this tag.
func (c *Cluster) OwnedTag() string { return "kubernetes.io/cluster/" + c.ClusterName }

// createNodeRole creates the role with which nodes join the cluster. The role may describe
// the cluster, get credentials of pods (both are in AmazonEKSWorkerNodePolicy) and pull
// images. Pods can't use the role, because they can't reach the instance metadata service.
func (b *builder) createNodeRole() error {
	managedPolicies := []string{"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}
	if b.args.SessionManager {
		managedPolicies = append(managedPolicies, "AmazonSSMManagedInstanceCore")
	}
	role, err := iam.NewRole(b.ctx, b.name+"-node", &iam.RoleArgs{
		Account:         b.args.Account,
		Description:     "Nodes of EKS cluster " + b.args.ClusterName,
		Trust:           iam.Service("ec2.amazonaws.com"),
		ManagedPolicies: managedPolicies,
	}, b.parent)
	if err != nil {
		return err
	}
	profile, err := awsiam.NewInstanceProfile(b.ctx, b.name+"-node", &awsiam.InstanceProfileArgs{Role: role.Name}, b.parent)
	if err != nil {
		return fmt.Errorf("instance profile of nodes: %w", err)
	}
	entry, err := eks.NewAccessEntry(b.ctx, b.name+"-node", &eks.AccessEntryArgs{
		ClusterName:  b.cluster.Name,
		PrincipalArn: role.ARN,
		Type:         pulumi.String("EC2_LINUX"),
	}, b.parent)
	if err != nil {
		return fmt.Errorf("access entry of nodes: %w", err)
	}
	b.cluster.NodeRoleARN, b.cluster.InstanceProfileARN = role.ARN, profile.Arn
	b.cluster.NodeDependencies = append(append(b.cluster.NodeDependencies, entry), role.Policies...)
	return nil
}

// createNodeAddons creates the add-ons without which a node does not become ready. The
// network plugin gets its own role from the Pod Identity agent, so that the nodes' role
// needs no network permissions. The agent is created first. It uses the host network, so
// it does not need the network plugin to run.
func (b *builder) createNodeAddons() error {
	release, err := eksspec.ForVersion(b.cluster.Versions.Addons)
	if err != nil {
		return err
	}
	role, err := iam.NewRole(b.ctx, b.name+"-vpc-cni", &iam.RoleArgs{
		Account:         b.args.Account,
		Description:     "Pod network of EKS cluster " + b.args.ClusterName,
		Trust:           iam.Pod(b.cluster.Name, pulumi.String(SystemNamespace), "aws-node"),
		ManagedPolicies: []string{"AmazonEKS_CNI_Policy"},
	}, b.parent)
	if err != nil {
		return err
	}
	cniConfig, err := json.Marshal(map[string]any{
		"enableNetworkPolicy": "true",
		// A node gets addresses in blocks of /28. So 110 pods fit on a node of any
		// size, with fewer calls to EC2. Source: EKS User Guide, "Assign more IP
		// addresses to Amazon EKS nodes with prefixes".
		"env": map[string]string{"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"},
	})
	if err != nil {
		return fmt.Errorf("settings of %s: %w", eksspec.VPCCNI, err)
	}
	agent, err := b.createAddon(eksspec.PodIdentityAgent, release, nil)
	if err != nil {
		return err
	}
	if _, err := b.createAddon(eksspec.KubeProxy, release, nil); err != nil {
		return err
	}
	_, err = b.createAddon(eksspec.VPCCNI, release, func(a *eks.AddonArgs) {
		a.ConfigurationValues = pulumi.String(cniConfig)
		a.PodIdentityAssociations = eks.AddonPodIdentityAssociationArray{&eks.AddonPodIdentityAssociationArgs{
			RoleArn: role.ARN, ServiceAccount: pulumi.String("aws-node"),
		}}
	}, append(role.Policies, agent)...)
	return err
}

// createAddon creates an add-on after its dependencies. configure may change the arguments; nil
// changes nothing.
func (b *builder) createAddon(name string, release eksspec.Release, configure func(*eks.AddonArgs), dependencies ...pulumi.Resource) (*eks.Addon, error) {
	args := &eks.AddonArgs{
		ClusterName:              b.cluster.Name,
		AddonName:                pulumi.String(name),
		AddonVersion:             pulumi.String(release.Addons[name]),
		ResolveConflictsOnUpdate: pulumi.String("OVERWRITE"), // the stack's values win over manual changes
	}
	if configure != nil {
		configure(args)
	}
	addon, err := eks.NewAddon(b.ctx, b.name+"-"+name, args, b.parent, pulumi.DependsOn(dependencies))
	if err != nil {
		return nil, fmt.Errorf("add-on %s: %w", name, err)
	}
	b.cluster.NodeDependencies = append(b.cluster.NodeDependencies, addon)
	return addon, nil
}
