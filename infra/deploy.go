package main

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/cluster"
	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/key"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/network/access"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/protection"
	"github.com/progressive-framework/platform/infra/config"
)

// deploy deploys a stack. Each step needs the results of earlier steps.
func deploy(ctx *pulumi.Context, stack *config.Stack) error {
	if err := refuseDraft(ctx, stack); err != nil {
		return err
	}
	protected := protection.New(stack.DeletionProtection)
	if err := ctx.RegisterStackTransformation(protected.Transform); err != nil {
		return fmt.Errorf("protection of the resources: %w", err)
	}
	recordedFixed, err := guardFixedValues(ctx, stack)
	if err != nil {
		return err
	}
	if err := previewAppliedValues(ctx, stack); err != nil {
		return err
	}
	provider, err := newProvider(ctx, stack, "aws", stack.Region)
	if err != nil {
		return err
	}
	if err := refuseDowngrade(ctx, stack, pulumi.Provider(provider)); err != nil {
		return err
	}
	images, err := checkNodeImages(ctx, stack, recordedFixed, pulumi.Provider(provider))
	if err != nil {
		return err
	}
	placed, err := placeStack(ctx, stack, pulumi.Provider(provider))
	if err != nil {
		return err
	}
	base, err := deployBase(ctx, stack, provider)
	if err != nil {
		return err
	}
	vpc, err := deployNetwork(ctx, stack, base, recordedFixed, placed)
	if err != nil {
		return err
	}
	eks, err := deployCluster(ctx, stack, base, vpc, placed)
	if err != nil {
		return err
	}
	origin, err := deployOrigin(ctx, stack, base, vpc, eks, placed)
	if err != nil {
		return err
	}
	nodes, err := deployNodes(ctx, stack, base, vpc, eks, origin, images)
	if err != nil {
		return err
	}
	if err := deployContainerLogs(ctx, stack, base, eks, nodes); err != nil {
		return err
	}
	admission, err := deployAdmission(ctx, stack, base, eks)
	if err != nil {
		return err
	}
	nodes.ready = append(nodes.ready, admission.Ready...)
	stores, err := deployStores(ctx, stack, base, vpc, eks, nodes)
	if err != nil {
		return err
	}
	monitoring, err := deployObservability(ctx, stack, base, eks, nodes)
	if err != nil {
		return err
	}
	services, err := deployServices(ctx, stack, base, vpc, eks, nodes, stores)
	if err != nil {
		return err
	}
	if err := deployPodScaling(ctx, stack, eks, services, monitoring); err != nil {
		return err
	}
	if err := expireImages(ctx, base); err != nil {
		return err
	}
	distribution, err := deployCDN(ctx, stack, base, origin)
	if err != nil {
		return err
	}
	if err := guardAppliedValues(ctx, stack, eks, stores, monitoring); err != nil {
		return err
	}
	if types := protected.Unclassified(); len(types) > 0 {
		return fmt.Errorf("resource types %q are not classified: say in components/protection/stateful/types.go whether they hold data, an address or an identity", types)
	}
	stackOutputs := outputs{
		URL:               platformURL(stack, services.front, distribution),
		Images:            base.images,
		Namespace:         eks.namespace,
		ClusterName:       eks.Name,
		Kubeconfig:        eks.Kubeconfig,
		VPCID:             vpc.VPCID,
		KeyARN:            base.key.ARN,
		AutoScalingGroups: nodes.groups,
		Postgres:          stores.postgres.output(),
		Redis:             stores.redis.output(),
		Mongo:             stores.mongo.output(),
	}
	if distribution != nil {
		stackOutputs.DistributionID = distribution.DistributionID
		stackOutputs.DistributionDomain = distribution.DomainName
		stackOutputs.StaticBucket = distribution.StaticBucket
		stackOutputs.LoadBalancerDomain = origin.balancer.DNSName
	}
	stackOutputs.export(ctx)
	return nil
}

// base is what the stack's AWS resources have in common.
type base struct {
	// account is the AWS account, with the region, that has the resources.
	account *account.Account
	// provider creates the resources in the stack's region. inRegion is the option that selects
	// this provider.
	provider *aws.Provider
	inRegion pulumi.ResourceOrInvokeOption
	// key encrypts what belongs to no single store: logs, the cluster's secrets,
	// the nodes' volumes.
	key *key.Key
	// images are the images that the stack builds or promotes, as references by digest,
	// by their short names.
	images pulumi.StringMap
	// repositories are the repositories of the images. workloads are the resources that run the
	// images.
	repositories []imageRepository
	workloads    []pulumi.Resource
}

// deployBase looks up the stack's AWS account and creates the stack's KMS keys.
func deployBase(ctx *pulumi.Context, stack *config.Stack, provider *aws.Provider) (*base, error) {
	inRegion := pulumi.Provider(provider)
	account := account.Lookup(ctx, stack.Region, inRegion)
	account.Profile, account.RoleARN = stack.AWS.Profile, stack.AWS.AssumeRole.RoleARN
	account.PermissionsBoundary = stack.PermissionsBoundary
	key, err := key.NewKey(ctx, stack.Name(), &key.Args{
		Account:     account,
		Description: "Secrets, logs and volumes of " + stack.Name(),
		Users:       []iam.Statement{key.AllowLogs(account), key.AllowViaService(account, "Volumes", "ec2")},
	}, inRegion)
	if err != nil {
		return nil, err
	}
	if len(stack.Images.KMSSigners) > 0 {
		if _, err := newSigningKey(ctx, stack, account, inRegion); err != nil {
			return nil, err
		}
	}
	return &base{account: account, provider: provider, inRegion: inRegion, key: key, images: pulumi.StringMap{}}, nil
}

// newSigningKey creates a KMS key for the signatures of images. The key signs them only after
// images.signingKey names it.
func newSigningKey(ctx *pulumi.Context, stack *config.Stack, account *account.Account, inRegion pulumi.ResourceOption) (*key.Key, error) {
	return key.NewSigningKey(ctx, stack.Name()+"-signing", &key.SigningArgs{
		Account:     account,
		Description: "Statements about the images of " + stack.Name(),
		Signers:     stack.Images.KMSSigners,
	}, inRegion)
}

// newProvider creates the AWS provider of a region. It sets the stack's tags on every resource, and
// refuses every account except the stack's account. An explicit provider does not read the
// configuration keys of namespace aws, so the program passes their values on.
func newProvider(ctx *pulumi.Context, stack *config.Stack, name, region string) (*aws.Provider, error) {
	args := &aws.ProviderArgs{
		Region:      pulumi.String(region),
		DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(stack.OwnTags())},

		AllowedAccountIds: pulumi.ToStringArray([]string{stack.Account}),
	}
	if profile := stack.AWS.Profile; profile != "" {
		args.Profile = pulumi.String(profile)
	}
	if role := stack.AWS.AssumeRole.RoleARN; role != "" {
		args.AssumeRole = &aws.ProviderAssumeRoleArgs{RoleArn: pulumi.String(role)}
	}
	if ignored := stack.AWS.IgnoreTags; len(ignored.Keys)+len(ignored.KeyPrefixes) > 0 {
		args.IgnoreTags = &aws.ProviderIgnoreTagsArgs{Keys: pulumi.ToStringArray(ignored.Keys), KeyPrefixes: pulumi.ToStringArray(ignored.KeyPrefixes)}
	}
	provider, err := aws.NewProvider(ctx, name, args)
	if err != nil {
		return nil, fmt.Errorf("AWS provider %s: %w", name, err)
	}
	return provider, nil
}

// deployNetwork creates the VPC, unless the stack uses one that exists.
func deployNetwork(ctx *pulumi.Context, stack *config.Stack, base *base, recorded recordedValues, placed *placement) (*network.Network, error) {
	if placed.vpc != nil {
		return network.UseExisting(ctx, stack.Name(), placed.vpc, base.inRegion)
	}
	return network.NewNetwork(ctx, stack.Name(), &network.Args{
		Account:      base.account,
		Block:        stack.Network.Block,
		Zones:        stack.Network.Zones,
		NAT:          stack.Network.NATGateways,
		NATZone:      recorded[config.NATZone],
		Endpoints:    stack.Network.Endpoints,
		EndpointZone: recorded[config.EndpointZone],
		Operators:    operatorSources(stack),
		LogKeyARN:    base.key.ARN,
	}, base.inRegion)
}

// operatorSources returns the CIDR blocks and security groups from which the stack is deployed and
// operated over private connections.
func operatorSources(stack *config.Stack) []access.Source {
	return access.Sources(stack.Cluster.PrivateAccessCIDRs, stack.Cluster.PrivateAccessSecurityGroups)
}

// refuseDowngrade returns an error if the configured version is older than the cluster's version at
// EKS. EKS may have upgraded the cluster itself, and the guard of the applied values does not
// record that.
func refuseDowngrade(ctx *pulumi.Context, stack *config.Stack, inRegion pulumi.InvokeOption) error {
	live, err := cluster.LiveVersion(ctx, stack.Name(), inRegion)
	if err != nil {
		return err
	}
	return eksspec.CheckNotOlder(string(stack.Cluster.Version), live)
}

// eksCluster is the EKS cluster, with the options that create resources in it.
type eksCluster struct {
	*cluster.Cluster
	// namespace is the name of the platform's namespace.
	namespace pulumi.StringOutput
	// kubernetesProvider selects the cluster's Kubernetes provider. bothProviders selects it and
	// the AWS provider, for components that need the two.
	kubernetesProvider, bothProviders pulumi.ResourceOption
	// addresses are the CIDR blocks of the nodes and the service CIDR. Network policies name them.
	addresses podnetwork.ClusterAddresses
}

// deployCluster creates the EKS cluster and the platform's namespace.
func deployCluster(ctx *pulumi.Context, stack *config.Stack, base *base, vpc *network.Network, placed *placement) (*eksCluster, error) {
	created, err := cluster.NewCluster(ctx, stack.Name(), &cluster.Args{
		Account:           base.account,
		ClusterName:       stack.Name(),
		Version:           string(stack.Cluster.Version),
		Stage:             stack.Cluster.UpgradeStage,
		ExtendedSupport:   stack.Cluster.ExtendedSupport,
		VPCID:             vpc.VPCID,
		Subnets:           subnetsByZone(vpc.Zones, vpc.SubnetIDs[subnet.PrivateApp]),
		ControlPlaneZones: placed.controlPlane,
		PublicAccessCIDRs: stack.Cluster.PublicAccessCIDRs,
		PrivateAccess:     operatorSources(stack),
		Admins:            stack.Cluster.Admins,
		SessionManager:    stack.Cluster.SessionManager,
		KeyARN:            base.key.ARN,
	}, base.inRegion)
	if err != nil {
		return nil, err
	}
	if err := vpc.AllowEndpointAccess("nodes", created.NodeSecurityGroupID); err != nil {
		return nil, err
	}
	provider, err := kubernetes.NewProvider(ctx, "eks", &kubernetes.ProviderArgs{
		Kubeconfig:            created.Kubeconfig,
		EnableServerSideApply: pulumi.Bool(true),
		// An update reverts what somebody changed with another tool. Without this
		// option the preview ends with a conflict of field managers. Fields that the
		// program does not set stay, such as the replicas that an autoscaler sets.
		EnablePatchForce: pulumi.Bool(true),
		// Without this option, changed settings of a store create a new ConfigMap, and Pulumi
		// replaces the StatefulSet too. A digest of the settings in the pod template restarts the
		// pods.
		EnableConfigMapMutable: pulumi.Bool(true),
	}, pulumi.Parent(created), pulumi.DependsOn(created.AccessRules)) // before these rules exist, the API server admits no deployer
	if err != nil {
		return nil, fmt.Errorf("Kubernetes provider: %w", err)
	}
	kubernetesProvider := pulumi.Provider(provider)
	namespace, err := corev1.NewNamespace(ctx, stack.Name(), &corev1.NamespaceArgs{
		Metadata: &metav1.ObjectMetaArgs{
			Name: pulumi.String(stack.Name()),
			// The API server refuses pods with more permissions than the services need.
			Labels: pulumi.StringMap{"pod-security.kubernetes.io/enforce": pulumi.String("restricted")},
		},
	}, kubernetesProvider)
	if err != nil {
		return nil, fmt.Errorf("namespace: %w", err)
	}
	return &eksCluster{
		Cluster: created, namespace: namespace.Metadata.Name().Elem(),
		kubernetesProvider: kubernetesProvider, bothProviders: pulumi.Providers(base.provider, provider),
		addresses: podnetwork.ClusterAddresses{NodeBlocks: vpc.Blocks[subnet.PrivateApp], ServiceCIDR: created.ServiceCIDR},
	}, nil
}

// subnetsByZone returns the id of each zone's subnet, by zone.
func subnetsByZone(zones []string, subnetIDs pulumi.StringArray) map[string]pulumi.StringInput {
	byZone := make(map[string]pulumi.StringInput, len(zones))
	for i, zone := range zones {
		byZone[zone] = subnetIDs[i]
	}
	return byZone
}
