package podnetwork

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Cluster has the addresses of a cluster that no labels select: those of its nodes and of
// its API server.
type Cluster struct {
	// Nodes are the blocks of the subnets with the nodes and with the network interfaces of
	// the control plane. EKS sends the API server's requests to webhooks from there.
	Nodes []string
	// Services is the block of the Services' addresses. Its first address is that of the
	// API server's Service (Kubernetes, "Service ClusterIP allocation").
	Services pulumi.StringInput
}

// ports of the API server and of the kubelet.
const (
	apiPort     = 443
	kubeletPort = 10250
)

// API allows a controller to resolve names and to call the API server. The VPC CNI judges a
// connection before kube-proxy replaces the Service's address; other plugins judge it
// afterwards.
func (c Cluster) API() []Rule {
	service := c.Services.ToStringOutput().ApplyT(apiService).(pulumi.StringOutput)
	return []Rule{DNS(), To(apiPort, append(Blocks(c.Nodes...), Peer{Block: service})...)}
}

// Kubelets allows to read the metrics of nodes.
func (c Cluster) Kubelets() Rule { return To(kubeletPort, Blocks(c.Nodes...)...) }

// APIServer are the peers from which the API server connects to pods. Pods of the cluster have
// addresses of the same blocks.
func (c Cluster) APIServer() []Peer { return Blocks(c.Nodes...) }

// apiService returns the block of the first address of a block, which has one address.
func apiService(services string) (string, error) {
	block, err := netip.ParsePrefix(services)
	if err != nil || !block.Addr().Is4() {
		return "", fmt.Errorf("block of the Services %q: it must be a block of IPv4 addresses", services)
	}
	return netip.PrefixFrom(block.Masked().Addr().Next(), 32).String(), nil
}
