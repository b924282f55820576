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
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/image"
	"github.com/progressive-framework/platform/components/key"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/network/plan"
	"github.com/progressive-framework/platform/components/repository"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/service"
	"github.com/progressive-framework/platform/infra/config"
)

// frontService is the service that the platform's users reach.
const frontService = "mca"

// deploy lays the layers in order: the account, the network, the cluster, and
// on it the services.
func deploy(ctx *pulumi.Context, stack *config.Stack) error {
	name := "progressive-framework-" + stack.Environment

	provider, err := newProvider(ctx, stack)
	if err != nil {
		return err
	}
	where := account.Lookup(ctx, stack.Region, provider)
	dataKey, err := key.NewKey(ctx, name, &key.Args{
		Account:     where,
		Description: "Secrets, logs and volumes of " + name,
		Users:       []iam.Statement{key.Logs(where), key.Via(where, "Volumes", "ec2")},
	}, provider)
	if err != nil {
		return err
	}
	net, err := network.NewNetwork(ctx, name, &network.Args{
		Block:  stack.Network.Block,
		Region: stack.Region,
		Zones:  stack.Network.Zones,
		NAT:    natLayouts[stack.Network.NATGateways],
	}, provider)
	if err != nil {
		return err
	}
	eks, err := cluster.NewCluster(ctx, name, &cluster.Args{
		Account:           where,
		ClusterName:       name,
		Version:           stack.Cluster.Version,
		ExtendedSupport:   stack.Cluster.ExtendedSupport,
		VPCID:             net.VPCID,
		Subnets:           byZone(stack.Network.Zones, net.SubnetIDs[plan.PrivateApp]),
		ControlPlaneZones: stack.Cluster.Zones,
		PublicAccessCIDRs: stack.Cluster.PublicAccessCIDRs,
		Admins:            stack.Cluster.Admins,
		KeyARN:            dataKey.ARN,
	}, provider)
	if err != nil {
		return err
	}
	workloads, err := newWorkloads(ctx, name, eks)
	if err != nil {
		return err
	}
	for _, profile := range stack.Profiles() {
		if err := workloads.add(ctx, stack, profile, provider); err != nil {
			return err
		}
	}

	ctx.Export("vpcId", net.VPCID)
	ctx.Export("clusterName", eks.Name)
	ctx.Export("kubeconfig", eks.Kubeconfig)
	ctx.Export("namespace", workloads.namespace)
	ctx.Export("images", workloads.images)
	ctx.Export("url", workloads.url)
	return nil
}

var natLayouts = map[string]network.NATLayout{
	config.NATPerZone: network.NATPerZone,
	config.NATSingle:  network.NATSingle,
}

// byZone names a tier's subnets by their zones.
func byZone(zones []string, subnets pulumi.StringArray) map[string]pulumi.StringInput {
	named := make(map[string]pulumi.StringInput, len(zones))
	for i, zone := range zones {
		named[zone] = subnets[i]
	}
	return named
}

// newProvider gives the provider by which every AWS resource of the stack is
// made: its region, its tags, and the one account that it may touch.
func newProvider(ctx *pulumi.Context, stack *config.Stack) (pulumi.ResourceOrInvokeOption, error) {
	args := &aws.ProviderArgs{
		Region: pulumi.String(stack.Region),
		DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.StringMap{
			"Project":     pulumi.String(config.Project),
			"Environment": pulumi.String(stack.Environment),
			"ManagedBy":   pulumi.String("pulumi"),
		}},
	}
	if stack.Account != "" {
		args.AllowedAccountIds = pulumi.ToStringArray([]string{stack.Account})
	}
	provider, err := aws.NewProvider(ctx, "aws", args)
	if err != nil {
		return nil, fmt.Errorf("AWS provider: %w", err)
	}
	return pulumi.Provider(provider), nil
}

// workloads is what runs on the cluster.
type workloads struct {
	name       string
	kubernetes *kubernetes.Provider
	namespace  pulumi.StringOutput
	images     pulumi.StringMap
	url        pulumi.StringOutput
}

func newWorkloads(ctx *pulumi.Context, name string, eks *cluster.Cluster) (*workloads, error) {
	provider, err := kubernetes.NewProvider(ctx, "eks", &kubernetes.ProviderArgs{
		Kubeconfig:            eks.Kubeconfig,
		EnableServerSideApply: pulumi.Bool(true),
	}, pulumi.Parent(eks))
	if err != nil {
		return nil, fmt.Errorf("Kubernetes provider: %w", err)
	}
	namespace, err := corev1.NewNamespace(ctx, name, &corev1.NamespaceArgs{
		Metadata: &metav1.ObjectMetaArgs{
			Name: pulumi.String(name),
			// The API server refuses pods that ask for more than the services need.
			Labels: pulumi.StringMap{"pod-security.kubernetes.io/enforce": pulumi.String("restricted")},
		},
	}, pulumi.Provider(provider))
	if err != nil {
		return nil, fmt.Errorf("namespace: %w", err)
	}
	return &workloads{
		name:       name,
		kubernetes: provider,
		namespace:  namespace.Metadata.Name().Elem(),
		images:     pulumi.StringMap{},
	}, nil
}

// add builds a service's image, pushes it to a repository of its own, and runs
// it by digest.
func (w *workloads) add(ctx *pulumi.Context, stack *config.Stack, profile scaling.Profile, provider pulumi.ResourceOrInvokeOption) error {
	name := w.name + "-" + profile.Short
	repo, err := repository.NewRepository(ctx, name, &repository.Args{
		RepositoryName: w.name + "/" + profile.Short,
		ForceDelete:    stack.Repository.ForceDelete,
	}, provider)
	if err != nil {
		return err
	}
	login := repository.Login(ctx, provider)
	built, err := image.NewImage(ctx, name, &image.ImageArgs{
		ImportPath:  profile.ImportPath,
		Repository:  repo.URL,
		Platforms:   stack.Images.Platforms,
		Credentials: &image.Credentials{Username: login.Username, Password: login.Password},
	})
	if err != nil {
		return err
	}
	front := profile.Short == frontService
	args := &service.Args{Profile: profile, Namespace: w.namespace, Image: built.Reference}
	if front {
		args.NodePort = stack.FrontDoor.NodePort
	}
	svc, err := service.NewService(ctx, name, args, pulumi.Provider(w.kubernetes))
	if err != nil {
		return err
	}
	w.images[profile.Short] = built.Reference
	if front {
		w.url = url(args.NodePort, svc)
	}
	return nil
}

// url is where the platform answers: a node port on the machine itself where
// one is open, else the service's name inside the cluster.
func url(nodePort int, svc *service.Service) pulumi.StringOutput {
	if nodePort != 0 {
		return pulumi.Sprintf("http://127.0.0.1:%d", nodePort)
	}
	return pulumi.Sprintf("http://%s", svc.Host)
}
