package redis

import (
	"fmt"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// networkPolicy lets pods of the namespace speak to the nodes as clients, and
// nodes alone to their bus, which knows no password.
func (b *objects) networkPolicy() error {
	from := func(labels pulumi.StringMap, port string) *networkingv1.NetworkPolicyIngressRuleArgs {
		return &networkingv1.NetworkPolicyIngressRuleArgs{
			From: networkingv1.NetworkPolicyPeerArray{&networkingv1.NetworkPolicyPeerArgs{
				PodSelector: &metav1.LabelSelectorArgs{MatchLabels: labels},
			}},
			Ports: networkingv1.NetworkPolicyPortArray{&networkingv1.NetworkPolicyPortArgs{Port: pulumi.String(port)}},
		}
	}
	if _, err := networkingv1.NewNetworkPolicy(b.ctx, b.name+"-policy", &networkingv1.NetworkPolicyArgs{
		Metadata: b.meta(statefulSet),
		Spec: &networkingv1.NetworkPolicySpecArgs{
			PodSelector: &metav1.LabelSelectorArgs{MatchLabels: b.selector},
			PolicyTypes: pulumi.ToStringArray([]string{"Ingress"}),
			Ingress: networkingv1.NetworkPolicyIngressRuleArray{
				from(pulumi.StringMap{}, "client"),
				from(b.selector, "gossip"),
			},
		},
	}, b.parent); err != nil {
		return fmt.Errorf("network policy of %s: %w", b.name, err)
	}
	return nil
}
