// Package podnetwork owns the network policies of all pods of the stack: the connections that
// a pod may accept, and those that it may open.
package podnetwork

import (
	"cmp"
	"errors"
	"fmt"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Access has the allowed connections of pods. The zero value allows no connection.
//
// Kubernetes always allows connections between a pod and its own node, such as the
// kubelet's probes (Kubernetes, "Network Policies").
type Access struct {
	Ingress, Egress []Rule
}

// Rule allows connections between the pods and any of the peers, on any of the ports.
type Rule struct {
	Peers []Peer
	Ports []Port
}

// Peer is either pods or a CIDR block.
type Peer struct {
	// Namespace is the name of the pods' namespace. Empty means the policy's namespace.
	Namespace string
	// Labels select the pods.
	Labels map[string]string
	// Block is an IPv4 CIDR block, such as the block of a subnet.
	Block pulumi.StringInput
}

// App returns the peer for the pods with the label app=name in the policy's namespace.
func App(name string) Peer { return AppIn("", name) }

// AppIn returns the peer for the pods with the label app=name in a namespace.
func AppIn(namespace, name string) Peer {
	return Peer{Namespace: namespace, Labels: map[string]string{"app": name}}
}

// BlockPeers returns the peers for CIDR blocks.
func BlockPeers(blocks ...string) []Peer {
	peers := make([]Peer, len(blocks))
	for i, block := range blocks {
		peers[i] = Peer{Block: pulumi.String(block)}
	}
	return peers
}

// TCPRule returns the rule for one TCP port. In Egress, the port is a port of the peers. In Ingress, the
// port is a port of the policy's pods, to which the peers may connect.
func TCPRule(port int, peers ...Peer) Rule { return Rule{Peers: peers, Ports: []Port{{Number: port}}} }

// Port is the destination port of a connection. It is a number, because the VPC CNI
// resolves the name of a port only for the policy's own pods.
type Port struct {
	Number int
	// Protocol is UDP or TCP. Empty means TCP.
	Protocol string
}

// DNSEgress returns the egress rule for connections to the cluster's DNS servers. CoreDNS has
// the label k8s-app=kube-dns, also as an add-on of EKS.
func DNSEgress() Rule {
	return Rule{
		Peers: []Peer{{Namespace: "kube-system", Labels: map[string]string{"k8s-app": "kube-dns"}}},
		Ports: []Port{{Number: 53, Protocol: "UDP"}, {Number: 53}},
	}
}

// PodIdentityEgress returns the egress rule for connections to the agent that gives a pod the
// credentials of its role. Source: EKS User Guide, "EKS Pod Identity Agent".
func PodIdentityEgress() Rule {
	return TCPRule(80, BlockPeers("169.254.170.23/32")...)
}

// AWSAndAPIServerEgress returns the egress rules of a controller that calls AWS and the API
// server. The rules allow DNS, Pod Identity, and port 443 of all addresses, because AWS's
// addresses change.
func AWSAndAPIServerEgress() []Rule {
	return []Rule{DNSEgress(), TCPRule(443, BlockPeers("0.0.0.0/0")...), PodIdentityEgress()}
}

// Args configure a policy.
type Args struct {
	// Name is the name of the policy in Namespace.
	Name      string
	Namespace pulumi.StringInput
	// Selector are labels of the pods. Empty means every pod of the namespace.
	Selector pulumi.StringMap
	Access   Access
}

func (a *Args) validate() error {
	if a.Name == "" || a.Namespace == nil {
		return errors.New("Name and Namespace must be set")
	}
	for direction, rules := range map[string][]Rule{"ingress": a.Access.Ingress, "egress": a.Access.Egress} {
		for i, r := range rules {
			if err := r.validate(); err != nil {
				return fmt.Errorf("%s rule %d: %w", direction, i, err)
			}
		}
	}
	return nil
}

// validate refuses a rule without Peers or Ports, because Kubernetes applies such a rule to
// all peers or ports.
func (r Rule) validate() error {
	if len(r.Peers) == 0 || len(r.Ports) == 0 {
		return errors.New("it must have Peers and Ports: without Peers it would admit everybody, and without Ports it would admit them on every port")
	}
	for _, p := range r.Peers {
		hasBlock, hasLabels := p.Block != nil, len(p.Labels) > 0
		hasBothOrNone := hasBlock == hasLabels
		if hasBothOrNone || hasBlock && p.Namespace != "" {
			return fmt.Errorf("peer %+v: it must have either Labels or a Block", p)
		}
	}
	for _, p := range r.Ports {
		if p.Number < 1 || p.Number > 65535 {
			return fmt.Errorf("port %d: it must be 1 to 65535", p.Number)
		}
	}
	return nil
}

// New creates the network policy of pods. The policy denies every connection that Access does not
// allow.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (pulumi.Resource, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("network policy %s: %w", name, err)
	}
	spec := &networkingv1.NetworkPolicySpecArgs{
		PodSelector: &metav1.LabelSelectorArgs{MatchLabels: args.Selector},
		PolicyTypes: pulumi.ToStringArray([]string{"Ingress", "Egress"}),
	}
	var ingress networkingv1.NetworkPolicyIngressRuleArray
	for _, r := range args.Access.Ingress {
		ingress = append(ingress, &networkingv1.NetworkPolicyIngressRuleArgs{From: r.peers(), Ports: r.ports()})
	}
	if len(ingress) > 0 {
		spec.Ingress = ingress
	}
	var egress networkingv1.NetworkPolicyEgressRuleArray
	for _, r := range args.Access.Egress {
		egress = append(egress, &networkingv1.NetworkPolicyEgressRuleArgs{To: r.peers(), Ports: r.ports()})
	}
	if len(egress) > 0 {
		spec.Egress = egress
	}
	policy, err := networkingv1.NewNetworkPolicy(ctx, name+"-policy", &networkingv1.NetworkPolicyArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String(args.Name), Namespace: args.Namespace, Labels: args.Selector},
		Spec:     spec,
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("network policy %s: %w", name, err)
	}
	return policy, nil
}

// peers converts the peers to the type of the Kubernetes SDK.
func (r Rule) peers() networkingv1.NetworkPolicyPeerArray {
	var peers networkingv1.NetworkPolicyPeerArray
	for _, p := range r.Peers {
		peer := &networkingv1.NetworkPolicyPeerArgs{}
		if p.Block != nil {
			peer.IpBlock = &networkingv1.IPBlockArgs{Cidr: p.Block}
		} else {
			peer.PodSelector = &metav1.LabelSelectorArgs{MatchLabels: pulumi.ToStringMap(p.Labels)}
		}
		if p.Namespace != "" {
			peer.NamespaceSelector = &metav1.LabelSelectorArgs{MatchLabels: pulumi.StringMap{"kubernetes.io/metadata.name": pulumi.String(p.Namespace)}}
		}
		peers = append(peers, peer)
	}
	return peers
}

// ports converts the ports to the type of the Kubernetes SDK.
func (r Rule) ports() networkingv1.NetworkPolicyPortArray {
	var ports networkingv1.NetworkPolicyPortArray
	for _, p := range r.Ports {
		ports = append(ports, &networkingv1.NetworkPolicyPortArgs{Port: pulumi.Int(p.Number), Protocol: pulumi.String(cmp.Or(p.Protocol, "TCP"))})
	}
	return ports
}
