package vpa

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/rbac"
)

// readVerbs are the verbs for objects that VPA only reads.
var readVerbs = []string{"get", "list", "watch"}

// sharedRules are the rules of the recommender, the updater and the webhook: to read
// VerticalPodAutoscalers, and the workloads to which these objects refer. Each container starts
// only when it can read every kind of workload. VPA's published manifest grants these rules for the
// whole cluster (kubernetes/autoscaler, vertical-pod-autoscaler/deploy/vpa-rbac.yaml).
var sharedRules = []rbac.Rule{
	{Groups: []string{"autoscaling.k8s.io"}, Resources: []string{"verticalpodautoscalers"}, Verbs: readVerbs},
	{Groups: []string{"apps"}, Resources: []string{"daemonsets", "deployments", "replicasets", "statefulsets"}, Verbs: readVerbs},
	{Groups: []string{"batch"}, Resources: []string{"jobs", "cronjobs"}, Verbs: readVerbs},
	{Groups: []string{""}, Resources: []string{"replicationcontrollers", "limitranges"}, Verbs: readVerbs},
}

// grantWatched grants an account sharedRules and further rules in the watched namespace. It returns
// the Grant for more permissions, and the binding.
func grantWatched(ctx *pulumi.Context, name string, args *Args, account rbac.Account, parent pulumi.ResourceOption, rules ...rbac.Rule) (*rbac.Grant, pulumi.Resource, error) {
	grant := &rbac.Grant{Context: ctx, Account: account, Options: []pulumi.ResourceOption{parent}}
	binding, err := grant.InNamespace(name+"-watched", account.Name, args.Watched.Created, append(rules, sharedRules...)...)
	return grant, binding, err
}

// grantRecommender creates the permissions of the recommender: to read the usage of pods,
// and to write recommendations.
func grantRecommender(ctx *pulumi.Context, name string, args *Args, account rbac.Account, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	_, watchedBinding, err := grantWatched(ctx, name, args, account, parent,
		rbac.Rule{Groups: []string{"metrics.k8s.io"}, Resources: []string{"pods"}, Verbs: []string{"get", "list"}},
		rbac.Rule{Groups: []string{""}, Resources: []string{"pods", "events"}, Verbs: readVerbs}, // events have the OOM kills
		rbac.Rule{Groups: []string{"autoscaling.k8s.io"}, Resources: []string{"verticalpodautoscalers/status"}, Verbs: []string{"get", "patch"}},
		rbac.Rule{Groups: []string{"autoscaling.k8s.io"}, Resources: []string{"verticalpodautoscalercheckpoints"}, Verbs: []string{"get", "list", "watch", "create", "patch", "delete"}},
	)
	return []pulumi.Resource{watchedBinding}, err
}

// grantUpdater creates the permissions of the updater: to resize and evict pods, and to read
// the webhook's Lease.
func grantUpdater(ctx *pulumi.Context, name string, args *Args, account rbac.Account, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	grant, watchedBinding, err := grantWatched(ctx, name, args, account, parent,
		rbac.Rule{Groups: []string{""}, Resources: []string{"pods"}, Verbs: append([]string{"patch"}, readVerbs...)},
		rbac.Rule{Groups: []string{""}, Resources: []string{"pods/resize"}, Verbs: []string{"patch"}},
		rbac.Rule{Groups: []string{""}, Resources: []string{"pods/eviction"}, Verbs: []string{"create"}},
		rbac.Rule{Groups: []string{"", "events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create", "patch", "update"}},
	)
	if err != nil {
		return nil, err
	}
	leaseBinding, err := grant.InNamespace(name, account.Name, args.Namespace.Created,
		rbac.Rule{Groups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Names: []string{admissionApp}, Verbs: []string{"get"}})
	return []pulumi.Resource{watchedBinding, leaseBinding}, err
}

// grantAdmission creates the permissions of the webhook's pod: to renew its Lease, and to
// write its certificate authority into the configuration of the webhook.
func grantAdmission(ctx *pulumi.Context, name string, args *Args, account rbac.Account, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	grant, watchedBinding, err := grantWatched(ctx, name, args, account, parent)
	if err != nil {
		return nil, err
	}
	leaseBinding, err := grant.InNamespace(name, account.Name, args.Namespace.Created,
		// RBAC can't limit "create" to a name.
		rbac.Rule{Groups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"create"}},
		rbac.Rule{Groups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Names: []string{admissionApp}, Verbs: []string{"get", "update"}},
	)
	if err != nil {
		return nil, err
	}
	authorityBinding, err := grant.InCluster(name, configurationName(args)+"-authority",
		rbac.Rule{Groups: []string{"admissionregistration.k8s.io"}, Resources: []string{"mutatingwebhookconfigurations"}, Names: []string{configurationName(args)}, Verbs: []string{"patch"}})
	return []pulumi.Resource{watchedBinding, leaseBinding, authorityBinding}, err
}
