package podnetwork

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Cluster has the addresses of a cluster's nodes and API server. Network policies must name
// these addresses, because labels select only pods.
type Cluster struct {
	// Nodes are the blocks of the subnets with the nodes and with the network interfaces of
	// the control plane. From these interfaces the API server connects to webhooks.
	Nodes []string
	// Services is the block of the Services' addresses. The API server's Service has the
	// first address of the block (Kubernetes, "Service ClusterIP allocation").
	Services pulumi.StringInput
}

// The ports of the API server and of the kubelet.
const (
	apiPort     = 443
	kubeletPort = 10250
)

// API returns the egress rules that allow a controller to resolve names and to call the API
// server. The rules have the address of the API server's Service and the blocks of the
// nodes. The VPC CNI checks a connection before kube-proxy replaces the Service's address.
// Other network plugins check it afterwards.
func (c Cluster) API() []Rule {
	service := c.Services.ToStringOutput().ApplyT(apiService).(pulumi.StringOutput)
	return []Rule{DNS(), To(apiPort, append(Blocks(c.Nodes...), Peer{Block: service})...)}
}

// Kubelets returns the egress rule for connections to the kubelets, which have the metrics of
// nodes.
func (c Cluster) Kubelets() Rule { return To(kubeletPort, Blocks(c.Nodes...)...) }

// APIServer returns the peers from which the API server connects to pods. The pods of
// the cluster have addresses in the same blocks, so a rule with these peers also admits the pods.
func (c Cluster) APIServer() []Peer { return Blocks(c.Nodes...) }

// apiService returns the first address of the Services' block as a /32.
func apiService(services string) (string, error) {
	block, err := netip.ParsePrefix(services)
	if err != nil || !block.Addr().Is4() {
		return "", fmt.Errorf("block of the Services %q: it must be a block of IPv4 addresses", services)
	}
	return netip.PrefixFrom(block.Masked().Addr().Next(), 32).String(), nil
}
