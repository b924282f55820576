package controller

import (
	"fmt"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/podnetwork"
)

// networkPolicy denies every connection that no port admits. The kubelet's probes
// are not subject to it.
func networkPolicy(ctx *pulumi.Context, name string, args *Args, meta *metav1.ObjectMetaArgs, labels pulumi.StringMap, opts []pulumi.ResourceOption) (pulumi.Resource, error) {
	var rules networkingv1.NetworkPolicyIngressRuleArray
	for _, p := range args.Ports {
		if len(p.From) == 0 && !p.FromAnywhere {
			continue
		}
		rule := &networkingv1.NetworkPolicyIngressRuleArgs{
			Ports: networkingv1.NetworkPolicyPortArray{&networkingv1.NetworkPolicyPortArgs{Port: pulumi.String(p.Name)}},
		}
		if !p.FromAnywhere {
			var from networkingv1.NetworkPolicyPeerArray
			for _, client := range p.From {
				from = append(from, client.Peer())
			}
			rule.From = from
		}
		rules = append(rules, rule)
	}
	spec := &networkingv1.NetworkPolicySpecArgs{
		PodSelector: &metav1.LabelSelectorArgs{MatchLabels: labels},
		PolicyTypes: pulumi.ToStringArray([]string{"Ingress"}),
		Ingress:     rules,
	}
	if len(args.Egress) > 0 {
		spec.PolicyTypes, spec.Egress = pulumi.ToStringArray([]string{"Ingress", "Egress"}), podnetwork.Egress(args.Egress)
	}
	policy, err := networkingv1.NewNetworkPolicy(ctx, name, &networkingv1.NetworkPolicyArgs{Metadata: meta, Spec: spec}, opts...)
	if err != nil {
		return nil, fmt.Errorf("network policy of %s: %w", name, err)
	}
	return policy, nil
}

// Peer returns the client as a peer of a network policy.
func (c Client) Peer() *networkingv1.NetworkPolicyPeerArgs {
	peer := &networkingv1.NetworkPolicyPeerArgs{PodSelector: &metav1.LabelSelectorArgs{}}
	if c.App != "" {
		peer.PodSelector = &metav1.LabelSelectorArgs{MatchLabels: pulumi.StringMap{"app": pulumi.String(c.App)}}
	}
	if c.Namespace != "" {
		peer.NamespaceSelector = &metav1.LabelSelectorArgs{MatchLabels: pulumi.StringMap{"kubernetes.io/metadata.name": pulumi.String(c.Namespace)}}
	}
	return peer
}
