package ruleset

import (
	"github.com/progressive-framework/platform/components/mongo/docdbspec"
	"github.com/progressive-framework/platform/components/postgres/rdsspec"
	"github.com/progressive-framework/platform/components/redis/elasticachespec"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// storePorts has the port of each managed store, and the environment variable with the store's
// address (docs/design/0023-network-policies.md).
var storePorts = []struct {
	port     float64
	variable string
}{{rdsspec.Port, "DATABASE_URL"}, {elasticachespec.Port, "REDIS_ADDRESSES"}, {docdbspec.Port, "MONGODB_URI"}}

var storeAccess = []*rule.Rule{{
	ID: "pod-reaches-own-stores", Title: "Only pods that use a store may connect to it",
	Why: "The security group of a managed store admits every node, and so every pod. Only network policies separate the pods.",
	Fix: "components/podnetwork, the pod's Egress", Standards: []string{"CIS EKS 4.3.2", "WA SEC05"},
	Severity: rule.High, Levels: rule.Deployed,
	Check: rule.AcrossTypes(func(s *rule.Subject) {
		policies := objectsSelecting[k8sview.NetworkPolicy](s, "spec.podSelector.matchLabels")
		// A pod without any policy breaks the rule pod-network-policy, so it does not break this one.
		limitsEgress := value.FromBool(len(policies.Resources) == 0)
		if !policies.Complete {
			s.LeaveUndecided("the selector of a NetworkPolicy")
			limitsEgress = value.Any(limitsEgress, value.Unknown)
		}
		for _, r := range policies.Resources {
			spec := value.As[k8sview.NetworkPolicy](r.View()).Spec()
			limitsEgress = value.Any(limitsEgress, value.HasText(spec.PolicyTypes(), "Egress"))
			for _, store := range storePorts {
				s.Must(value.Implies(allowsAddressBlocks(spec, store.port), hasVariable(s.Resource, store.variable)),
					"%s allows connections to addresses at port %v, but the pod has no variable %s", r.Name, store.port, store.variable)
			}
		}
		s.Must(limitsEgress, "no NetworkPolicy limits the egress of its pods")
	}, workloadTypes...),
}}

// allowsAddressBlocks reports whether a policy allows connections to a CIDR block at a port. A managed
// store is not a pod, so a policy can name a store only by its address, not by labels.
func allowsAddressBlocks(spec k8sview.NetworkPolicySpec, port float64) value.Truth {
	return spec.Egress().Any(func(e k8sview.NetworkPolicyEgressRule) value.Truth {
		includesAddresses := value.Any(value.Not(e.To().IsSet()), e.To().Any(func(p k8sview.NetworkPolicyPeer) value.Truth { return p.IpBlock().IsSet() }))
		return value.All(includesAddresses, value.Any(value.Not(e.Ports().IsSet()), e.Ports().Any(func(p k8sview.NetworkPolicyPort) value.Truth {
			firstPort := value.As[value.Number](p.Port())
			return value.Any(firstPort.Is(port), value.All(p.EndPort().IsSet(), firstPort.AtMost(port), p.EndPort().AtLeast(port)))
		})))
	})
}

// hasVariable reports whether a container of a workload has an environment variable.
func hasVariable(r *graph.Resource, name string) value.Truth {
	return podTemplate(r).Spec().Containers().Any(func(c k8sview.Container) value.Truth {
		return c.Env().Any(func(e k8sview.EnvVar) value.Truth { return e.Name().Is(name) })
	})
}
