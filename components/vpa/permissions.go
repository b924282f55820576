package vpa

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/rbac"
)

var watch = []string{"get", "list", "watch"}

// targets are what all three programs read: the objects, and the workloads that these
// name. They start only when they have read every kind of workload. Upstream's manifest
// reads them, and every scale, in the whole cluster (deploy/vpa-rbac.yaml).
var targets = []rbac.Rule{
	{Groups: []string{"autoscaling.k8s.io"}, Resources: []string{"verticalpodautoscalers"}, Verbs: watch},
	{Groups: []string{"apps"}, Resources: []string{"daemonsets", "deployments", "replicasets", "statefulsets"}, Verbs: watch},
	{Groups: []string{"batch"}, Resources: []string{"jobs", "cronjobs"}, Verbs: watch},
	{Groups: []string{""}, Resources: []string{"replicationcontrollers", "limitranges"}, Verbs: watch},
}

// grant creates the permissions of a program in the watched namespace.
func grant(ctx *pulumi.Context, name string, args *Args, account rbac.Account, parent pulumi.ResourceOption, own ...rbac.Rule) (*rbac.Grant, pulumi.Resource, error) {
	to := &rbac.Grant{Context: ctx, Account: account, Options: []pulumi.ResourceOption{parent}}
	granted, err := to.InNamespace(name+"-watched", account.Name, args.Watched.Created, append(own, targets...)...)
	return to, granted, err
}

// grantRecommender lets the recommender read usage, and write recommendations.
func grantRecommender(ctx *pulumi.Context, name string, args *Args, account rbac.Account, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	_, granted, err := grant(ctx, name, args, account, parent,
		rbac.Rule{Groups: []string{"metrics.k8s.io"}, Resources: []string{"pods"}, Verbs: []string{"get", "list"}},
		rbac.Rule{Groups: []string{""}, Resources: []string{"pods", "events"}, Verbs: watch}, // events have the OOM kills
		rbac.Rule{Groups: []string{"autoscaling.k8s.io"}, Resources: []string{"verticalpodautoscalers/status"}, Verbs: []string{"get", "patch"}},
		rbac.Rule{Groups: []string{"autoscaling.k8s.io"}, Resources: []string{"verticalpodautoscalercheckpoints"}, Verbs: []string{"get", "list", "watch", "create", "patch", "delete"}},
	)
	return []pulumi.Resource{granted}, err
}

// grantUpdater lets the updater resize and evict pods, and read the webhook's Lease.
func grantUpdater(ctx *pulumi.Context, name string, args *Args, account rbac.Account, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	to, watched, err := grant(ctx, name, args, account, parent,
		rbac.Rule{Groups: []string{""}, Resources: []string{"pods"}, Verbs: append([]string{"patch"}, watch...)},
		rbac.Rule{Groups: []string{""}, Resources: []string{"pods/resize"}, Verbs: []string{"patch"}},
		rbac.Rule{Groups: []string{""}, Resources: []string{"pods/eviction"}, Verbs: []string{"create"}},
		rbac.Rule{Groups: []string{"", "events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create", "patch", "update"}},
	)
	if err != nil {
		return nil, err
	}
	lease, err := to.InNamespace(name, account.Name, args.Namespace.Created,
		rbac.Rule{Groups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Names: []string{admissionApp}, Verbs: []string{"get"}})
	return []pulumi.Resource{watched, lease}, err
}

// grantAdmission lets the webhook renew its Lease, and its pod set the authority of the
// one webhook.
func grantAdmission(ctx *pulumi.Context, name string, args *Args, account rbac.Account, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	to, watched, err := grant(ctx, name, args, account, parent)
	if err != nil {
		return nil, err
	}
	lease, err := to.InNamespace(name, account.Name, args.Namespace.Created,
		// It can't create an object only of a certain name.
		rbac.Rule{Groups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"create"}},
		rbac.Rule{Groups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Names: []string{admissionApp}, Verbs: []string{"get", "update"}},
	)
	if err != nil {
		return nil, err
	}
	authority, err := to.InCluster(name, configurationName(args)+"-authority",
		rbac.Rule{Groups: []string{"admissionregistration.k8s.io"}, Resources: []string{"mutatingwebhookconfigurations"}, Names: []string{configurationName(args)}, Verbs: []string{"patch"}})
	return []pulumi.Resource{watched, lease, authority}, err
}
