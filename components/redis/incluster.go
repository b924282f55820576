package redis

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/progressive-framework/platform/components/redis/redistuning"
	"github.com/progressive-framework/platform/components/size"
)

// InClusterArgs are what an InCluster is made from. The number of nodes is the
// document's: six, three shards of a primary and a replica.
type InClusterArgs struct {
	// Namespace is where it runs.
	Namespace pulumi.StringInput
	// Image is a reference by digest: the official redis image of 7.x, or one
	// with Debian's redis-server and redis-cli.
	Image pulumi.StringInput
	// AgentImage is agents/redisnode, by digest.
	AgentImage pulumi.StringInput
	// Memory is a node's limit, of which a quarter is requested; zero: the
	// document's 4Gi.
	Memory size.Size
	// CPURequest is a node's; zero: the document's 200m.
	CPURequest resource.Quantity
	// Storage and StorageClass are a node's volume; zero: the document's 20Gi
	// of fast-ssd.
	Storage      size.Size
	StorageClass string
	// Password is what clients show, NodePassword what nodes show each other:
	// letters and digits.
	Password, NodePassword pulumi.StringInput
}

func (a *InClusterArgs) validate() error {
	if a == nil || a.Namespace == nil || a.Image == nil || a.AgentImage == nil || a.Password == nil || a.NodePassword == nil {
		return errors.New("cluster: Namespace, Image, AgentImage, Password and NodePassword must not be nil")
	}
	for _, image := range []pulumi.StringInput{a.Image, a.AgentImage} {
		if name, known := image.(pulumi.String); known && !strings.Contains(string(name), "@sha256:") {
			return fmt.Errorf("cluster: image %q must name a digest: append @sha256:...", string(name))
		}
	}
	return nil
}

// InCluster is a Redis cluster of our own in Kubernetes.
type InCluster struct {
	pulumi.ResourceState

	// Host is the name of all nodes, from any namespace; clients learn the
	// rest from any of them.
	Host pulumi.StringOutput
	Port int
	// SecretName is the Secret with the key password for clients, in the same
	// namespace.
	SecretName pulumi.StringOutput
}

const (
	// The document's names.
	statefulSet, serviceName, configName = "redis-cluster", "redis-cluster-service", "redis-config"

	// nodes are the document's six, of which shards are primaries.
	nodes, shards = 6, 3
)

// defaultMemory and defaultStorage are the document's.
var defaultMemory, defaultStorage = size.GiB(4), size.GiB(20)

// NewInCluster makes the Secrets, the ConfigMap, the headless Service, the
// network policy, the disruption budget and the StatefulSet, beside each of whose nodes an agent
// keeps it in the cluster. Changed settings roll out with it, node by node.
func NewInCluster(ctx *pulumi.Context, name string, args *InClusterArgs, opts ...pulumi.ResourceOption) (*InCluster, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	filled := *args
	if filled.Memory == (size.Size{}) {
		filled.Memory = defaultMemory
	}
	if filled.Storage == (size.Size{}) {
		filled.Storage = defaultStorage
	}
	if filled.CPURequest.IsZero() {
		filled.CPURequest = resource.MustParse("200m")
	}
	model, err := redistuning.New(redistuning.Inputs{Memory: filled.Memory})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := &InCluster{Port: Port}
	if err := ctx.RegisterComponentResource("progressive:redis:InCluster", name, c, opts...); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, err)
	}
	b := &objects{ctx: ctx, name: name, args: &filled, parent: pulumi.Parent(c), selector: pulumi.StringMap{"app": pulumi.String(statefulSet)}}
	if err := b.secrets(); err != nil {
		return nil, err
	}
	if err := b.networkPolicy(); err != nil {
		return nil, err
	}
	service, err := b.service()
	if err != nil {
		return nil, err
	}
	file := fmt.Sprintf("%sport %d\ndir %s\ninclude %s/users.conf\n", model.File(), Port, dataFolder, authFolder)
	if err := b.statefulSet(file, service.Metadata.Name().Elem()); err != nil {
		return nil, err
	}
	c.SecretName = b.clientSecret
	c.Host = pulumi.Sprintf("%s.%s.svc.cluster.local", service.Metadata.Name().Elem(), service.Metadata.Namespace().Elem())
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"host": c.Host, "secretName": c.SecretName})
}

// objects makes a cluster's Kubernetes objects, all labelled and parented
// alike.
type objects struct {
	ctx          *pulumi.Context
	name         string
	args         *InClusterArgs
	parent       pulumi.ResourceOption
	selector     pulumi.StringMap
	clientSecret pulumi.StringOutput
	nodeSecret   pulumi.StringOutput
}

func (b *objects) meta(object string) *metav1.ObjectMetaArgs {
	return &metav1.ObjectMetaArgs{Name: pulumi.String(object), Namespace: b.args.Namespace, Labels: b.selector}
}

// secrets are two: clients never see what nodes show each other.
func (b *objects) secrets() error {
	clientPassword := pulumi.ToSecret(b.args.Password.ToStringOutput()).(pulumi.StringOutput)
	nodePassword := pulumi.ToSecret(b.args.NodePassword.ToStringOutput()).(pulumi.StringOutput)
	users := pulumi.All(clientPassword, nodePassword).ApplyT(func(v []any) string {
		return redistuning.Users{Client: v[0].(string), Node: v[1].(string)}.File()
	}).(pulumi.StringOutput)
	node, err := corev1.NewSecret(b.ctx, b.name+"-node-auth", &corev1.SecretArgs{
		Metadata:   b.meta("redis-node-auth"),
		StringData: pulumi.StringMap{"users.conf": users, "password": nodePassword},
	}, b.parent)
	if err != nil {
		return fmt.Errorf("users of %s: %w", b.name, err)
	}
	client, err := corev1.NewSecret(b.ctx, b.name+"-auth", &corev1.SecretArgs{
		Metadata: b.meta("redis-auth"), StringData: pulumi.StringMap{"password": clientPassword},
	}, b.parent)
	if err != nil {
		return fmt.Errorf("password of %s: %w", b.name, err)
	}
	b.nodeSecret, b.clientSecret = node.Metadata.Name().Elem(), client.Metadata.Name().Elem()
	return nil
}

// service publishes nodes that are not ready: they must find each other
// before any of them can be.
func (b *objects) service() (*corev1.Service, error) {
	service, err := corev1.NewService(b.ctx, b.name+"-service", &corev1.ServiceArgs{
		Metadata: b.meta(serviceName),
		Spec: &corev1.ServiceSpecArgs{
			ClusterIP: pulumi.String("None"), Selector: b.selector, PublishNotReadyAddresses: pulumi.Bool(true),
			Ports: corev1.ServicePortArray{
				&corev1.ServicePortArgs{Name: pulumi.String("client"), Port: pulumi.Int(Port), TargetPort: pulumi.String("client")},
				&corev1.ServicePortArgs{Name: pulumi.String("gossip"), Port: pulumi.Int(gossipPort), TargetPort: pulumi.String("gossip")},
			},
		},
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("service of %s: %w", b.name, err)
	}
	return service, nil
}

// statefulSet comes after the service: no pod becomes ready without the names
// that it gives.
func (b *objects) statefulSet(file string, service pulumi.StringInput) error {
	config, err := corev1.NewConfigMap(b.ctx, b.name+"-config", &corev1.ConfigMapArgs{
		Metadata: b.meta(configName), Data: pulumi.StringMap{"redis.conf": pulumi.String(file)},
	}, b.parent)
	if err != nil {
		return fmt.Errorf("config of %s: %w", b.name, err)
	}
	if _, err := policyv1.NewPodDisruptionBudget(b.ctx, b.name+"-pdb", &policyv1.PodDisruptionBudgetArgs{
		Metadata: b.meta(statefulSet),
		Spec:     &policyv1.PodDisruptionBudgetSpecArgs{MaxUnavailable: pulumi.Int(1), Selector: &metav1.LabelSelectorArgs{MatchLabels: b.selector}},
	}, b.parent); err != nil {
		return fmt.Errorf("disruption budget of %s: %w", b.name, err)
	}
	sum := sha256.Sum256([]byte(file))
	if _, err := appsv1.NewStatefulSet(b.ctx, b.name+"-statefulset", &appsv1.StatefulSetArgs{
		Metadata: b.meta(statefulSet),
		Spec: &appsv1.StatefulSetSpecArgs{
			ServiceName: service,
			Replicas:    pulumi.Int(nodes),
			// All at once: no node is ready before it has found the others.
			// Updates still go one by one.
			PodManagementPolicy: pulumi.String("Parallel"),
			Selector:            &metav1.LabelSelectorArgs{MatchLabels: b.selector},
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{Labels: b.selector, Annotations: pulumi.StringMap{
					"progressive-framework/config": pulumi.String(hex.EncodeToString(sum[:8])),
				}},
				Spec: b.podSpec(config.Metadata.Name().Elem()),
			},
			VolumeClaimTemplates: corev1.PersistentVolumeClaimTypeArray{b.volume()},
		},
	}, b.parent); err != nil {
		return fmt.Errorf("StatefulSet of %s: %w", b.name, err)
	}
	return nil
}
