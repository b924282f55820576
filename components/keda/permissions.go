package keda

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/rbac"
)

// readVerbs are the verbs for objects that KEDA only reads.
var readVerbs = []string{"get", "list", "watch"}

// grantOperator creates the operator's permissions. KEDA's published manifest allows the
// operator to read every object and Secret of the cluster (config/rbac/role.yaml). Here
// the operator may scale only the Deployments of one namespace.
func grantOperator(ctx *pulumi.Context, name string, args *Args, account rbac.Account, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	grant := &rbac.Grant{Context: ctx, Account: account, Options: []pulumi.ResourceOption{parent}}
	ownBinding, err := grant.InNamespace(name+"-operator", operatorApp, args.Namespace.Created,
		// The Secret of KEDA's certificates. RBAC can't limit "create" to a name.
		rbac.Rule{Groups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"list", "watch", "create"}},
		rbac.Rule{Groups: []string{""}, Resources: []string{"secrets"}, Names: []string{certificateSecret}, Verbs: []string{"get", "update", "patch"}},
		// Leader election.
		rbac.Rule{Groups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "list", "watch", "create", "update", "patch"}},
		eventsRule,
	)
	if err != nil {
		return nil, err
	}
	watchedBinding, err := grant.InNamespace(name+"-operator-watched", operatorApp, args.Watched.Created,
		rbac.Rule{Groups: []string{"keda.sh"}, Resources: []string{"scaledobjects", "scaledjobs", "triggerauthentications"}, Verbs: readVerbs},
		rbac.Rule{Groups: []string{"keda.sh"}, Resources: []string{"scaledobjects", "scaledobjects/status", "scaledobjects/finalizers"}, Verbs: []string{"update", "patch"}},
		rbac.Rule{Groups: []string{"eventing.keda.sh"}, Resources: []string{"cloudeventsources"}, Verbs: readVerbs},
		rbac.Rule{Groups: []string{"autoscaling"}, Resources: []string{"horizontalpodautoscalers"}, Verbs: []string{"get", "list", "watch", "create", "update", "patch", "delete"}},
		rbac.Rule{Groups: []string{"apps"}, Resources: []string{"deployments", "deployments/scale"}, Verbs: readVerbs},
		rbac.Rule{Groups: []string{"apps"}, Resources: []string{"deployments/scale"}, Verbs: []string{"update", "patch"}},
		rbac.Rule{Groups: []string{""}, Resources: []string{"pods", "limitranges"}, Verbs: readVerbs},
		eventsRule,
	)
	if err != nil {
		return nil, err
	}
	clusterBinding, err := grant.InCluster(name+"-operator", args.Namespace.Name+"-operator",
		// The operator always watches these kinds, which have no namespace.
		rbac.Rule{Groups: []string{"keda.sh"}, Resources: []string{"clustertriggerauthentications"}, Verbs: readVerbs},
		rbac.Rule{Groups: []string{"eventing.keda.sh"}, Resources: []string{"clustercloudeventsources"}, Verbs: readVerbs},
		// The operator writes its certificate authority into one APIService.
		rbac.Rule{Groups: []string{"apiregistration.k8s.io"}, Resources: []string{"apiservices"}, Verbs: []string{"list", "watch"}},
		rbac.Rule{Groups: []string{"apiregistration.k8s.io"}, Resources: []string{"apiservices"}, Names: []string{apiServiceName}, Verbs: []string{"get", "update", "patch"}},
	)
	return []pulumi.Resource{ownBinding, watchedBinding, clusterBinding}, err
}

// maxTriggers is the largest number of triggers of one ScaledObject of the platform.
const maxTriggers = 10

// externalMetricNames returns the names that KEDA gives to the metrics of Prometheus triggers,
// by the position of the trigger (KEDA, pkg/scalers/scaler.go,
// GenerateMetricNameWithIndex). In RBAC each name is a resource.
func externalMetricNames() []string {
	names := make([]string, maxTriggers)
	for i := range names {
		names[i] = fmt.Sprintf("s%d-prometheus", i)
	}
	return names
}

// eventsRule is the rule for events, which the operator writes about its objects.
var eventsRule = rbac.Rule{Groups: []string{"", "events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}}

// grantAdapter creates the adapter's permissions: to read ScaledObjects, and to
// authenticate its callers with the API server. It also allows the HPA controller to read
// external metrics.
func grantAdapter(ctx *pulumi.Context, name string, args *Args, account rbac.Account, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	grant := &rbac.Grant{Context: ctx, Account: account, Options: []pulumi.ResourceOption{parent}}
	watchedBinding, err := grant.InNamespace(name+"-adapter-watched", adapterApp, args.Watched.Created,
		rbac.Rule{Groups: []string{"keda.sh"}, Resources: []string{"scaledobjects"}, Verbs: readVerbs})
	if err != nil {
		return nil, err
	}
	callersBinding, err := grant.ExistingClusterRole(name+"-adapter-callers", args.Namespace.Name+"-adapter-callers", "system:auth-delegator")
	if err != nil {
		return nil, err
	}
	authorityBinding, err := grant.ExistingRole(name+"-adapter-authority", args.Namespace.Name+"-adapter-authority", "extension-apiserver-authentication-reader", "kube-system")
	if err != nil {
		return nil, err
	}
	hpaGrant := &rbac.Grant{Context: ctx, Options: grant.Options, Account: rbac.Account{Name: "horizontal-pod-autoscaler", Namespace: pulumi.String("kube-system")}}
	readerBinding, err := hpaGrant.InNamespace(name+"-external-metrics", "external-metrics-reader", args.Watched.Created,
		rbac.Rule{Groups: []string{"external.metrics.k8s.io"}, Resources: externalMetricNames(), Verbs: []string{"get", "list"}})
	return []pulumi.Resource{watchedBinding, callersBinding, authorityBinding, readerBinding}, err
}
