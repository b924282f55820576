package podnetwork

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ClusterAddresses are the addresses of a cluster's nodes and API server. Network policies must name
// these addresses, because labels select only pods.
type ClusterAddresses struct {
	// NodeBlocks are the CIDR blocks of the subnets with the nodes and with the network
	// interfaces of the control plane. The API server connects to webhooks from these interfaces.
	NodeBlocks []string
	// ServiceCIDR is the service CIDR of the cluster. The API server's Service has the first
	// address of this CIDR (Kubernetes, "Service ClusterIP allocation").
	ServiceCIDR pulumi.StringInput
}

// The ports of the API server and of the kubelet.
const (
	apiPort     = 443
	kubeletPort = 10250
)

// APIServerEgress returns the egress rules that allow a controller to resolve names and to call the
// API server. The rules have the address of the API server's Service and the blocks of the nodes.
// The VPC CNI checks a connection before kube-proxy replaces the Service's address. Other network
// plugins check the connection afterwards.
func (a ClusterAddresses) APIServerEgress() []Rule {
	serviceBlock := a.ServiceCIDR.ToStringOutput().ApplyT(apiServerBlock).(pulumi.StringOutput)
	return []Rule{DNSEgress(), TCPRule(apiPort, append(BlockPeers(a.NodeBlocks...), Peer{Block: serviceBlock})...)}
}

// KubeletEgress returns the egress rule for connections to the kubelets, which have the metrics of
// nodes.
func (a ClusterAddresses) KubeletEgress() Rule {
	return TCPRule(kubeletPort, BlockPeers(a.NodeBlocks...)...)
}

// APIServerPeers returns the peers from which the API server connects to pods. The pods of
// the cluster have addresses in the same blocks, so a rule with these peers also admits the pods.
func (a ClusterAddresses) APIServerPeers() []Peer { return BlockPeers(a.NodeBlocks...) }

// apiServerBlock returns the address of the API server's Service as a /32. It is the first address
// of the service CIDR.
func apiServerBlock(serviceCIDR string) (string, error) {
	block, err := netip.ParsePrefix(serviceCIDR)
	if err != nil || !block.Addr().Is4() {
		return "", fmt.Errorf("service CIDR %q: must be an IPv4 CIDR", serviceCIDR)
	}
	return netip.PrefixFrom(block.Masked().Addr().Next(), 32).String(), nil
}
