// Package prometheus owns the Prometheus server of a platform: its pods with their
// volumes, its permissions, and the clients that may send queries. Package scrape has its
// targets. Autoscalers read its series, so it runs in the cluster and scrapes the services
// every five seconds. AWS's managed collectors can't replace it, because their shortest
// interval is 30 s (Amazon Managed Service for Prometheus User Guide, "AWS managed
// collectors").
package prometheus

import (
	"fmt"
	"time"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/poddisruption"
	"github.com/progressive-framework/platform/components/prometheus/scrape"
	"github.com/progressive-framework/platform/components/rbac"
	"github.com/progressive-framework/platform/components/scaling/promrules"
)

// Prometheus is a running server.
type Prometheus struct {
	pulumi.ResourceState

	// URL is the address of Prometheus' API inside the cluster.
	URL pulumi.StringOutput
	// Ready are the StatefulSet and the Service. A resource that sends queries must depend
	// on Ready, and not on the Prometheus (see network.Network.Ready).
	Ready []pulumi.Resource
}

// App is the value of the label app of Prometheus' pods.
const App = scrape.App

const (
	app      = App
	portName = scrape.MetricsPort
	// retention is the time for which samples are kept if the volume is large enough.
	retention = 15 * 24 * time.Hour
	// terminationGrace is the time in seconds for the running queries to end.
	terminationGrace = 60

	configFolder, dataFolder, consoleFolder = "/etc/prometheus", "/prometheus", "/consoles"
	configFile                              = "prometheus.json"
	volumeName                              = "prometheus-data"
)

// NewPrometheus creates the server. A change of the targets restarts the pods, one after the
// other. The pods keep their samples.
func NewPrometheus(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Prometheus, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	targets := scrape.Targets{Own: args.Namespace.Name, Platform: args.Platform.Name, Stores: args.Stores, Forecaster: args.Forecaster, PGExporter: args.PGExporter}
	for _, n := range args.Controllers {
		targets.Controllers = append(targets.Controllers, n.Name)
	}
	config := scrape.New(args.Services, targets)
	if args.Alertmanager != "" {
		config = config.WithAlertmanager(args.Alertmanager)
	}
	ruleInput := promrules.Input{Services: args.Services, Namespace: args.Platform.Name, Stores: args.Stores, Predictive: args.Predictive, PGExporter: args.PGExporter}
	if w := args.Workspace; w != nil {
		config = config.WithRemoteWrite(w.Workspace, w.ClusterName, promrules.RecordedSeries(ruleInput))
	}
	configText, err := config.File()
	if err != nil {
		return nil, err
	}
	rules, err := promrules.File(ruleInput)
	if err != nil {
		return nil, err
	}
	p := &Prometheus{}
	if err := ctx.RegisterComponentResource("progressive:prometheus:Prometheus", name, p, opts...); err != nil {
		return nil, fmt.Errorf("prometheus %s: %w", name, err)
	}
	parent := pulumi.Parent(p)
	objects := &datastore.Objects{Context: ctx, Name: name, App: app, Namespace: args.Namespace.Created, Parent: parent}
	consoles, err := newDashboards(ctx, name, args, objects, parent)
	if err != nil {
		return nil, err
	}
	configMap, err := objects.NewConfigMap(app, map[string]string{configFile: configText, scrape.RulesFile: string(rules)})
	if err != nil {
		return nil, err
	}
	permissions, err := newServiceAccount(ctx, name, args, objects, parent)
	if err != nil {
		return nil, err
	}
	if args.Workspace != nil {
		role, err := args.Workspace.newRole(ctx, name, args.Namespace.Created, parent)
		if err != nil {
			return nil, err
		}
		permissions = append(permissions, role...)
	}
	if _, err := objects.NewNetworkPolicy(args.access()); err != nil {
		return nil, err
	}
	if _, err := policyv1.NewPodDisruptionBudget(ctx, name+"-pdb", &policyv1.PodDisruptionBudgetArgs{
		Metadata: objects.Meta(app),
		Spec:     poddisruption.OneAtATime(objects.Selector()),
	}, parent); err != nil {
		return nil, fmt.Errorf("disruption budget of %s: %w", name, err)
	}
	const publishNotReady = true
	podsService, err := objects.NewHeadlessService(app+"-pods", publishNotReady, datastore.Port{Name: portName, Number: Port})
	if err != nil {
		return nil, err
	}
	statefulSet, err := objects.NewStatefulSet(datastore.StatefulSet{
		Service:  podsService,
		Replicas: args.Replicas,
		Parallel: true, // each pod scrapes all targets and needs no other pod
		Config:   append([]byte(configText), rules...),
		Pod:      podSpec(args, configMap, consoles, objects.Selector()),
		Volume:   datastore.Volume{Name: volumeName, Capacity: args.Storage, Class: args.StorageClass},
		After:    permissions,
	})
	if err != nil {
		return nil, err
	}
	// The pods scrape at different moments. A client that reads from both pods would see
	// counters that decrease. So each client stays with one pod.
	service, err := corev1.NewService(ctx, name+"-api", &corev1.ServiceArgs{
		Metadata: objects.Meta(app),
		Spec: &corev1.ServiceSpecArgs{
			Selector: objects.Selector(), SessionAffinity: pulumi.String("ClientIP"),
			Ports: corev1.ServicePortArray{&corev1.ServicePortArgs{
				Name: pulumi.String(portName), Port: pulumi.Int(Port), TargetPort: pulumi.String(portName), Protocol: pulumi.String("TCP"),
			}},
		},
	}, parent, pulumi.DependsOn([]pulumi.Resource{statefulSet}))
	if err != nil {
		return nil, fmt.Errorf("service of %s: %w", name, err)
	}
	p.URL = pulumi.Sprintf("http://%s:%d", datastore.Host(service), Port)
	p.Ready = []pulumi.Resource{statefulSet, service}
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{"url": p.URL})
}

// newServiceAccount creates the service account and its permissions: to find pods in the
// namespaces with targets, and to read the metrics of nodes. The pods must depend on the returned resources.
func newServiceAccount(ctx *pulumi.Context, name string, args *Args, objects *datastore.Objects, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	serviceAccount, err := corev1.NewServiceAccount(ctx, name+"-account", &corev1.ServiceAccountArgs{Metadata: objects.Meta(app)}, parent)
	if err != nil {
		return nil, fmt.Errorf("service account of %s: %w", name, err)
	}
	dependencies := []pulumi.Resource{serviceAccount}
	grant := &rbac.Grant{Context: ctx, Account: rbac.Account{Name: app, Namespace: args.Namespace.Created}, Options: []pulumi.ResourceOption{parent}}
	readVerbs := []string{"get", "list", "watch"}
	findPods := rbac.Rule{Groups: []string{""}, Resources: []string{"pods"}, Verbs: readVerbs}
	for _, n := range append([]controller.Namespace{args.Namespace, args.Platform}, args.Controllers...) {
		binding, err := grant.InNamespace(name+"-pods-of-"+n.Name, name, n.Created, findPods)
		if err != nil {
			return nil, err
		}
		dependencies = append(dependencies, binding)
	}
	nodesBinding, err := grant.InCluster(name+"-nodes", name,
		rbac.Rule{Groups: []string{""}, Resources: []string{"nodes"}, Verbs: readVerbs},
		rbac.Rule{Groups: []string{""}, Resources: []string{"nodes/metrics"}, Verbs: []string{"get"}})
	return append(dependencies, nodesBinding), err
}
