package redis

import (
	"cmp"
	"errors"
	"fmt"

	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/poddisruption"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/redis/redistuning"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/size"
)

// InClusterArgs configure a Redis cluster in the Kubernetes cluster. The number
// of nodes is that of the design document: three shards with a primary and a
// replica each.
type InClusterArgs struct {
	// Namespace is the namespace of the nodes.
	Namespace pulumi.StringInput
	// Image is a reference by digest: the official redis image of 7.x, or an image with
	// Debian's redis-server and redis-cli.
	Image pulumi.StringInput
	// AgentImage is the reference of the image of agents/redisnode, by digest.
	AgentImage pulumi.StringInput
	// Memory is the memory limit of a node. The memory request is a quarter of the limit. Zero
	// means 4Gi, as in the design document.
	Memory size.Size
	// CPURequest is the CPU request of a node. Zero means DefaultCPURequest.
	CPURequest resource.Quantity
	// Storage and StorageClass are the size and the class of a node's volume. Zero
	// means storespec.DefaultVolumeSize and storespec.StorageClass.
	Storage      size.Size
	StorageClass string
	// Clients are the pods that may connect to Redis.
	Clients []podnetwork.Peer
	// Reader is the peer that scrapes the nodes' metrics. nil means that nothing scrapes them.
	Reader *podnetwork.Peer
	// Password is the password of clients. NodePassword is the password with which a node logs
	// in to another node. Both have only letters and digits.
	Password, NodePassword pulumi.StringInput
}

func (a *InClusterArgs) validate() error {
	if a == nil || a.Namespace == nil || a.Image == nil || a.AgentImage == nil || a.Password == nil || a.NodePassword == nil {
		return errors.New("cluster: Namespace, Image, AgentImage, Password and NodePassword must not be nil")
	}
	if len(a.Clients) == 0 {
		return errors.New("cluster: Clients is empty: nobody could connect")
	}
	for _, image := range []pulumi.StringInput{a.Image, a.AgentImage} {
		if err := datastore.CheckImage(image); err != nil {
			return fmt.Errorf("cluster: %w", err)
		}
	}
	return nil
}

// InCluster is a Redis cluster in the Kubernetes cluster.
type InCluster struct {
	pulumi.ResourceState

	// Ready are the network policy and the StatefulSet. A resource that connects to the
	// store must depend on Ready, and not on the InCluster (see network.Network.Ready).
	Ready []pulumi.Resource
	// Host is the DNS name of all nodes in all namespaces. Clients get the addresses of
	// the nodes from any node.
	Host pulumi.StringOutput
	Port int
	// SecretName is the name of the Secret with the clients' password, in the same namespace.
	// The key is "password".
	SecretName pulumi.StringOutput
}

const (
	// StatefulSet is the name of the StatefulSet in the design document.
	StatefulSet = "redis-cluster"
	// serviceName and configName are also names in the design document.
	serviceName, configName = "redis-cluster-service", "redis-config"

	// nodes is the number of nodes in the design document. shards is the number of primaries
	// among them.
	nodes, shards = 6, 3
)

// defaultMemory is the memory limit of a node in the design document.
var defaultMemory = size.GiB(4)

// DefaultCPURequest returns the CPU request of a node in the design document.
func DefaultCPURequest() resource.Quantity { return resource.MustParse("200m") }

// NewInCluster creates the Secrets, the ConfigMap, the headless Service, the network policy, the
// disruption budget and the StatefulSet. An agent in each pod joins the Redis node to the Redis
// cluster. A change of the settings replaces the pods one after the other.
func NewInCluster(ctx *pulumi.Context, name string, args *InClusterArgs, opts ...pulumi.ResourceOption) (*InCluster, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	withDefaults := *args
	withDefaults.Memory = cmp.Or(withDefaults.Memory, defaultMemory)
	if withDefaults.CPURequest.IsZero() {
		withDefaults.CPURequest = DefaultCPURequest()
	}
	model, err := redistuning.New(redistuning.Inputs{Memory: withDefaults.Memory})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := &InCluster{Port: Port}
	if err := ctx.RegisterComponentResource("progressive:redis:InCluster", name, c, opts...); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, err)
	}
	objects := &datastore.Objects{Context: ctx, Name: name, App: StatefulSet, Namespace: args.Namespace, Parent: pulumi.Parent(c)}
	// There are two secrets, so that clients can't read the nodes' password.
	nodeSecret, err := objects.NewSecret("node-auth", "redis-node-auth", map[string]pulumi.StringInput{
		"users.conf": usersFile(args), datastore.PasswordKey: args.NodePassword,
	})
	if err != nil {
		return nil, err
	}
	c.SecretName, err = objects.NewSecret("auth", "redis-auth", map[string]pulumi.StringInput{datastore.PasswordKey: args.Password})
	if err != nil {
		return nil, err
	}
	policy, err := objects.NewNetworkPolicy(args.access())
	if err != nil {
		return nil, err
	}
	// Nodes that are not ready have DNS names, because they must find each other before
	// they can become ready.
	const publishNotReady = true
	service, err := objects.NewHeadlessService(serviceName, publishNotReady, datastore.Port{Name: clientPortName, Number: Port}, datastore.Port{Name: clusterBusPortName, Number: clusterBusPort})
	if err != nil {
		return nil, err
	}
	file := fmt.Sprintf("%sport %d\ndir %s\ninclude %s/users.conf\n", model.File(), Port, dataFolder, authFolder)
	config, err := objects.NewConfigMap(configName, map[string]string{"redis.conf": file})
	if err != nil {
		return nil, err
	}
	if _, err := policyv1.NewPodDisruptionBudget(ctx, name+"-pdb", &policyv1.PodDisruptionBudgetArgs{
		Metadata: objects.Meta(StatefulSet),
		Spec:     poddisruption.OneAtATime(objects.Selector()),
	}, objects.Parent); err != nil {
		return nil, fmt.Errorf("disruption budget of %s: %w", name, err)
	}
	statefulSet, err := objects.NewStatefulSet(datastore.StatefulSet{
		Service:  service,
		Replicas: nodes,
		Parallel: true, // no node is ready before it has found the others
		Config:   []byte(file),
		Pod:      podSpec(&withDefaults, objects.Selector(), config, nodeSecret),
		Volume:   datastore.Volume{Name: "redis-data", Capacity: args.Storage, Class: args.StorageClass},
	})
	if err != nil {
		return nil, err
	}
	c.Host, c.Ready = datastore.Host(service), []pulumi.Resource{policy, statefulSet}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"host": c.Host, "secretName": c.SecretName})
}

// access returns the connections that the network policy allows. Only nodes may connect to the
// cluster bus, because it has no password.
func (a *InClusterArgs) access() podnetwork.Access {
	nodePeers := []podnetwork.Peer{podnetwork.App(StatefulSet)}
	toNodes := podnetwork.Rule{Peers: nodePeers, Ports: []podnetwork.Port{{Number: Port}, {Number: clusterBusPort}}}
	access := podnetwork.Access{
		Ingress: []podnetwork.Rule{{Peers: a.Clients, Ports: []podnetwork.Port{{Number: Port}}}, toNodes},
		Egress:  []podnetwork.Rule{toNodes, podnetwork.DNSEgress()},
	}
	if r := a.Reader; r != nil {
		access.Ingress = append(access.Ingress, podnetwork.TCPRule(scaling.MetricsPort, *r))
	}
	return access
}

// usersFile returns the file users.conf with the users of clients and of nodes.
func usersFile(args *InClusterArgs) pulumi.StringOutput {
	return pulumi.All(pulumi.ToSecret(args.Password.ToStringOutput()), pulumi.ToSecret(args.NodePassword.ToStringOutput())).ApplyT(func(passwords []any) string {
		return redistuning.Users{Client: passwords[0].(string), Node: passwords[1].(string)}.File()
	}).(pulumi.StringOutput)
}
