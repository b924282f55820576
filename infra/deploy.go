package main

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/cdn"
	"github.com/progressive-framework/platform/components/cluster"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/key"
	"github.com/progressive-framework/platform/components/loadbalancer"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/infra/config"
)

// platform is what has been laid so far. Each layer reads those below it.
type platform struct {
	ctx   *pulumi.Context
	stack *config.Stack
	name  string
	// aws makes every AWS resource but those that CloudFront takes from
	// config.EdgeRegion; kubernetes makes what is in the cluster, and both are
	// for components that do the one and the other.
	awsProvider      *aws.Provider
	aws              pulumi.ResourceOrInvokeOption
	kubernetes, both pulumi.ResourceOption
	where            *account.Account

	key     *key.Key
	network *network.Network
	cluster *cluster.Cluster
	// nodes are what pods need to run, where the stack makes it.
	nodes []pulumi.Resource
	// groups are the Auto Scaling Groups' names by tier.
	groups       pulumi.StringMap
	dns          *dns
	loadBalancer *loadbalancer.LoadBalancer
	namespace    pulumi.StringOutput
	stores       stores
	services     services
	cdn          *cdn.CDN
}

// deploy lays the layers in order, from the account up to the edge.
func deploy(ctx *pulumi.Context, stack *config.Stack) error {
	p := &platform{ctx: ctx, stack: stack, name: stack.Name()}
	for _, layer := range []func() error{
		p.layAccount, p.layNetwork, p.layCluster, p.layLoadBalancer, p.layNodes, p.layStores, p.layServices, p.layCDN,
	} {
		if err := layer(); err != nil {
			return err
		}
	}
	p.export()
	return nil
}

// layAccount looks at the account and makes the key of what belongs to the
// whole platform: logs, the cluster's secrets, the nodes' volumes.
func (p *platform) layAccount() (err error) {
	provider, err := p.provider("aws", p.stack.Region)
	if err != nil {
		return err
	}
	p.awsProvider, p.aws = provider, pulumi.Provider(provider)
	p.where = account.Lookup(p.ctx, p.stack.Region, p.aws)
	p.key, err = key.NewKey(p.ctx, p.name, &key.Args{
		Account:     p.where,
		Description: "Secrets, logs and volumes of " + p.name,
		Users:       []iam.Statement{key.Logs(p.where), key.Via(p.where, "Volumes", "ec2")},
	}, p.aws)
	return err
}

// provider gives a provider for a region: its tags, and the one account that it
// may touch.
func (p *platform) provider(name, region string) (*aws.Provider, error) {
	args := &aws.ProviderArgs{
		Region:      pulumi.String(region),
		DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(p.tags())},
	}
	if p.stack.Account != "" {
		args.AllowedAccountIds = pulumi.ToStringArray([]string{p.stack.Account})
	}
	provider, err := aws.NewProvider(p.ctx, name, args)
	if err != nil {
		return nil, fmt.Errorf("AWS provider %s: %w", name, err)
	}
	return provider, nil
}

// tags are on everything that can have them.
func (p *platform) tags() map[string]string {
	return map[string]string{"Project": config.Project, "Environment": p.stack.Environment, "ManagedBy": "pulumi"}
}

func (p *platform) layNetwork() (err error) {
	n := p.stack.Network
	p.network, err = network.NewNetwork(p.ctx, p.name, &network.Args{
		Account:   p.where,
		Block:     n.Block,
		Zones:     n.Zones,
		NAT:       n.NATGateways,
		Endpoints: n.Endpoints,
		LogKeyARN: p.key.ARN,
	}, p.aws)
	return err
}

func (p *platform) layCluster() (err error) {
	c := p.stack.Cluster
	p.cluster, err = cluster.NewCluster(p.ctx, p.name, &cluster.Args{
		Account:           p.where,
		ClusterName:       p.name,
		Version:           string(c.Version),
		ExtendedSupport:   c.ExtendedSupport,
		VPCID:             p.network.VPCID,
		Subnets:           byZone(p.stack.Network.Zones, p.network.SubnetIDs[subnet.PrivateApp]),
		ControlPlaneZones: c.Zones,
		PublicAccessCIDRs: c.PublicAccessCIDRs,
		Admins:            c.Admins,
		KeyARN:            p.key.ARN,
	}, p.aws)
	if err != nil {
		return err
	}
	if err := p.network.AdmitToEndpoints("nodes", p.cluster.NodeSecurityGroupID); err != nil {
		return err
	}
	inside, err := kubernetes.NewProvider(p.ctx, "eks", &kubernetes.ProviderArgs{
		Kubeconfig:            p.cluster.Kubeconfig,
		EnableServerSideApply: pulumi.Bool(true),
	}, pulumi.Parent(p.cluster))
	if err != nil {
		return fmt.Errorf("Kubernetes provider: %w", err)
	}
	p.kubernetes, p.both = pulumi.Provider(inside), pulumi.Providers(p.awsProvider, inside)
	namespace, err := corev1.NewNamespace(p.ctx, p.name, &corev1.NamespaceArgs{
		Metadata: &metav1.ObjectMetaArgs{
			Name: pulumi.String(p.name),
			// The API server refuses pods that ask for more than the services need.
			Labels: pulumi.StringMap{"pod-security.kubernetes.io/enforce": pulumi.String("restricted")},
		},
	}, p.kubernetes)
	if err != nil {
		return fmt.Errorf("namespace: %w", err)
	}
	p.namespace = namespace.Metadata.Name().Elem()
	return nil
}

// byZone names a tier's subnets by their zones.
func byZone(zones []string, subnets pulumi.StringArray) map[string]pulumi.StringInput {
	named := make(map[string]pulumi.StringInput, len(zones))
	for i, zone := range zones {
		named[zone] = subnets[i]
	}
	return named
}
