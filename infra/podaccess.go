package main

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/infra/config"
)

// podAccess computes the connections that the platform's programs may open and accept.
type podAccess struct {
	stack  *config.Stack
	stores *stores
	// nodes are the blocks of the subnets of the nodes.
	nodes []string
}

// serviceAccess returns the connections that a service may open and accept. If the service has a
// node port, kube-proxy forwards users' requests to its pods. The source address of these requests
// is then the address of a node.
func (a *podAccess) serviceAccess(profile scaling.Profile) podnetwork.Access {
	access := podnetwork.Access{Egress: append(a.egressRules(a.stores.postgres, a.stores.redis), a.tokenRules()...)}
	var callers []podnetwork.Peer
	for _, other := range a.stack.Profiles() {
		if slices.Contains(other.Calls, profile.ShortName) {
			callers = append(callers, podnetwork.App(other.Name))
		}
		if slices.Contains(profile.Calls, other.ShortName) {
			access.Egress = append(access.Egress, podnetwork.TCPRule(other.Port, podnetwork.App(other.Name)))
		}
	}
	if nodePort(a.stack, profile) != 0 {
		callers = append(callers, podnetwork.BlockPeers(a.nodes...)...)
	}
	if len(callers) > 0 {
		access.Ingress = append(access.Ingress, podnetwork.TCPRule(profile.Port, callers...))
	}
	if peer := prometheusPeer(a.stack); peer != nil {
		access.Ingress = append(access.Ingress, podnetwork.TCPRule(scaling.MetricsPort, *peer))
	}
	if a.stack.Auth.JWKSURL != "" {
		access.Egress = append(access.Egress, podnetwork.TCPRule(a.stack.Auth.JWKSPort(), podnetwork.BlockPeers("0.0.0.0/0")...))
	}
	return access
}

// migrationAccess returns the connections that the migration may open.
func (a *podAccess) migrationAccess() podnetwork.Access {
	return podnetwork.Access{Egress: a.egressRules(a.stores.postgres, a.stores.mongo)}
}

// tokenRules returns the rule for the EKS Pod Identity Agent, from which a program gets its IAM
// token for PostgreSQL. It returns nil if the database accepts passwords.
func (a *podAccess) tokenRules() []podnetwork.Rule {
	if db := a.stores.postgres; db != nil && db.resourceID != nil { // only a database that accepts IAM tokens has a resource ID
		return []podnetwork.Rule{podnetwork.PodIdentityEgress()}
	}
	return nil
}

// egressRules returns the rules for DNS and for connections to stores.
func (a *podAccess) egressRules(stores ...*store) []podnetwork.Rule {
	rules := []podnetwork.Rule{podnetwork.DNSEgress()}
	for _, s := range stores {
		if s != nil {
			rules = append(rules, s.egress)
		}
	}
	return rules
}

// storeClients returns the pods that connect to a store in the cluster: the pods of the services,
// and the pods with these values of the label app.
func storeClients(stack *config.Stack, apps ...string) []podnetwork.Peer {
	var peers []podnetwork.Peer
	for _, profile := range stack.Profiles() {
		peers = append(peers, podnetwork.App(profile.Name))
	}
	for _, app := range apps {
		peers = append(peers, podnetwork.App(app))
	}
	return peers
}

// denyByDefault creates a network policy that denies all connections of a pod of the platform's
// namespace, unless another policy allows them. The policy is created after the policies of all
// programs and deleted before them, so that no update interrupts connections of the programs.
func denyByDefault(ctx *pulumi.Context, stack *config.Stack, eks *eksCluster, policies []pulumi.Resource) error {
	_, err := podnetwork.New(ctx, stack.Name()+"-default", &podnetwork.Args{Name: "default-deny", Namespace: eks.namespace}, eks.kubernetesProvider, pulumi.DependsOn(policies))
	return err
}
