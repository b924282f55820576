package componenttest

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/service"
)

// k8sNetworkPolicy is a type of resource.
const k8sNetworkPolicy = "kubernetes:networking.k8s.io/v1:NetworkPolicy"

func newPolicy(access podnetwork.Access, selector pulumi.StringMap) program {
	return func(ctx *pulumi.Context, _ *account.Account) error {
		_, err := podnetwork.New(ctx, "app", &podnetwork.Args{Name: "app", Namespace: pulumi.String("platform"), Selector: selector, Access: access})
		return err
	}
}

// A policy without rules and without a selector denies every connection of every pod.
func TestEmptyAccessDeniesEverything(t *testing.T) {
	policy := deploy(t, newPolicy(podnetwork.Access{}, nil)).find(t, k8sNetworkPolicy)
	policy.requireInputs(t, map[string]any{
		"spec.podSelector": map[string]any{}, "spec.policyTypes": []any{"Ingress", "Egress"}, "spec.ingress": nil, "spec.egress": nil,
	})
}

func TestAccessBecomesPeersAndPortsOfThePolicy(t *testing.T) {
	policy := deploy(t, newPolicy(podnetwork.Access{
		Ingress: []podnetwork.Rule{{Peers: []podnetwork.Peer{podnetwork.App("web"), {Block: pulumi.String("10.30.0.0/16")}}, Ports: []podnetwork.Port{{Number: 3000}}}},
		Egress:  []podnetwork.Rule{podnetwork.DNSEgress()},
	}, pulumi.StringMap{"app": pulumi.String("mca")})).find(t, k8sNetworkPolicy)
	policy.requireInputs(t, map[string]any{
		"spec.podSelector.matchLabels.app":                   "mca",
		"spec.ingress[0].from[0].podSelector.matchLabels":    map[string]any{"app": "web"},
		"spec.ingress[0].from[0].namespaceSelector":          nil,
		"spec.ingress[0].from[1].ipBlock.cidr":               "10.30.0.0/16",
		"spec.ingress[0].from[1].podSelector":                nil,
		"spec.ingress[0].ports":                              []any{map[string]any{"port": 3000.0, "protocol": "TCP"}},
		"spec.egress[0].to[0].podSelector.matchLabels":       map[string]any{"k8s-app": "kube-dns"},
		"spec.egress[0].to[0].namespaceSelector.matchLabels": map[string]any{"kubernetes.io/metadata.name": "kube-system"},
		"spec.egress[0].ports":                               []any{map[string]any{"port": 53.0, "protocol": "UDP"}, map[string]any{"port": 53.0, "protocol": "TCP"}},
	})
}

// Kubernetes would allow every peer or every port for most of these rules.
func TestRulesThatAllowTooMuchAreRefused(t *testing.T) {
	port := []podnetwork.Port{{Number: 80}}
	for reason, rule := range map[string]podnetwork.Rule{
		"no peers":                            {Ports: port},
		"a port without a number":             {Peers: []podnetwork.Peer{podnetwork.App("web")}, Ports: []podnetwork.Port{{}}},
		"no ports":                            {Peers: []podnetwork.Peer{podnetwork.App("web")}},
		"a peer without labels and block":     {Peers: []podnetwork.Peer{{}}, Ports: port},
		"a peer with a namespace only":        {Peers: []podnetwork.Peer{{Namespace: "kube-system"}}, Ports: port},
		"a peer with labels and a block":      {Peers: []podnetwork.Peer{{Labels: map[string]string{"app": "web"}, Block: pulumi.String("10.0.0.0/16")}}, Ports: port},
		"a peer with a namespace and a block": {Peers: []podnetwork.Peer{{Namespace: "app", Block: pulumi.String("10.0.0.0/16")}}, Ports: port},
	} {
		_, err := run(newPolicy(podnetwork.Access{Egress: []podnetwork.Rule{rule}}, nil))
		require.ErrorContains(t, err, "network policy app: egress rule 0", reason)
	}
}

// The pod of a service or a task without Access can't connect to anything, and nothing can
// connect to it.
func TestServicesAndTasksHaveANetworkPolicy(t *testing.T) {
	d := deploy(t, newService(func(a *service.Args) {}))
	policy := d.find(t, k8sNetworkPolicy)
	policy.requireInputs(t, map[string]any{"metadata.name": "mca", "spec.podSelector.matchLabels.app": "mca", "spec.ingress": nil, "spec.egress": nil})
	require.Equal(t, d.find(t, k8sDeployment).input("spec.template.metadata.labels"), policy.input("spec.podSelector.matchLabels"))

	d = deploy(t, newTask(func(a *service.TaskArgs) { a.Access.Egress = []podnetwork.Rule{podnetwork.DNSEgress()} }))
	policy = d.find(t, k8sNetworkPolicy)
	policy.requireInputs(t, map[string]any{"metadata.name": "migrate", "spec.podSelector.matchLabels.app": "migrate", "spec.ingress": nil})
	d.find(t, "kubernetes:batch/v1:Job").requireDependsOn(t, policy)
}

// The API server's Service has the first address of the service CIDR. The VPC CNI compares a
// network policy with this address. Other network plugins compare the policy with the addresses of
// the API server, which are in the nodes' subnets.
func TestAPIServerRulesAllowNodeSubnetsAndKubernetesServiceIP(t *testing.T) {
	rules := podnetwork.ClusterAddresses{NodeBlocks: []string{"10.30.0.0/20"}, ServiceCIDR: pulumi.String("10.100.0.0/16")}.APIServerEgress()
	policy := deploy(t, newPolicy(podnetwork.Access{Egress: rules}, nil)).find(t, k8sNetworkPolicy)
	policy.requireInputs(t, map[string]any{
		"spec.egress[1].to": []any{
			map[string]any{"ipBlock": map[string]any{"cidr": "10.30.0.0/20"}}, map[string]any{"ipBlock": map[string]any{"cidr": "10.100.0.1/32"}},
		},
		"spec.egress[1].ports": []any{map[string]any{"port": 443.0, "protocol": "TCP"}},
	})
	_, err := run(newPolicy(podnetwork.Access{Egress: podnetwork.ClusterAddresses{ServiceCIDR: pulumi.String("fd00::/108")}.APIServerEgress()}, nil))
	require.ErrorContains(t, err, `service CIDR "fd00::/108"`)
}
