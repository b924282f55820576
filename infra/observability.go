package main

import (
	"slices"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/alertmanager"
	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/keda"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/postgres"
	"github.com/progressive-framework/platform/components/prometheus"
	"github.com/progressive-framework/platform/components/prometheus/scrape"
	"github.com/progressive-framework/platform/components/redis"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/dashboards"
	"github.com/progressive-framework/platform/components/size"
	"github.com/progressive-framework/platform/components/statemetrics"
	"github.com/progressive-framework/platform/components/vpa"
	"github.com/progressive-framework/platform/infra/config"
)

// observability is what measures the services and scales their pods. It is nil if the numbers of
// pods are fixed.
type observability struct {
	// prometheusURL is where autoscalers send their queries.
	prometheusURL pulumi.StringOutput
	// ready are the resources that an autoscaler needs: its CustomResourceDefinition, and the
	// controllers that reconcile it.
	ready []pulumi.Resource
}

// prometheusNamespace returns the name of Prometheus's namespace.
func prometheusNamespace(stack *config.Stack) string { return stack.Name() + "-prometheus" }

// prometheusPeer returns the network policy peer of Prometheus. Prometheus's pods scrape the
// programs and the stores. It returns nil if the stack has no Prometheus.
func prometheusPeer(stack *config.Stack) *podnetwork.Peer {
	if !stack.PodScaling.Enabled {
		return nil
	}
	peer := podnetwork.AppIn(prometheusNamespace(stack), prometheus.App)
	return &peer
}

// storesInCluster returns the names of the StatefulSets of the stack's stores.
func storesInCluster(stack *config.Stack) (names []string) {
	if stack.Postgres.Kind == config.InCluster {
		names = append(names, postgres.StatefulSet)
	}
	if stack.Redis.Kind == config.InCluster {
		names = append(names, redis.StatefulSet)
	}
	return names
}

// hasDatabase reports whether the stack has a PostgreSQL, which the exporter watches.
func hasDatabase(stack *config.Stack) bool {
	return stack.Postgres.Kind == config.Managed || stack.Postgres.Kind == config.InCluster
}

// deployObservability creates Prometheus, kube-state-metrics, KEDA, VPA, and the forecaster if the
// stack has one.
func deployObservability(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, nodes *nodes) (*observability, error) {
	if !stack.PodScaling.Enabled {
		return nil, nil
	}
	requestShare := scaling.Percent(stack.Cluster.RequestPercent)
	platformNamespace := controller.Namespace{Name: stack.Name(), Created: eks.namespace}
	kedaNamespace, err := controller.NewNamespace(ctx, stack.Name()+"-keda", eks.kubernetesProvider)
	if err != nil {
		return nil, err
	}
	promNamespace, err := controller.NewNamespace(ctx, prometheusNamespace(stack), eks.kubernetesProvider)
	if err != nil {
		return nil, err
	}
	vpaNamespace, err := controller.NewNamespace(ctx, stack.Name()+"-vpa", eks.kubernetesProvider)
	if err != nil {
		return nil, err
	}
	images := map[string]pulumi.StringInput{}
	for repository, upstream := range map[string]string{
		prometheus.Repository: prometheus.Image, keda.OperatorRepository: keda.OperatorImage, keda.AdapterRepository: keda.AdapterImage,
		statemetrics.Repository:   statemetrics.Image,
		vpa.RecommenderRepository: vpa.RecommenderImage, vpa.UpdaterRepository: vpa.UpdaterImage, vpa.AdmissionRepository: vpa.AdmissionImage,
	} {
		if images[repository], err = resolveImage(ctx, base, stack.ThirdPartyImage(upstream, repository)); err != nil {
			return nil, err
		}
	}
	alertmanagerAddress, err := deployAlertmanager(ctx, stack, base, eks, nodes, promNamespace)
	if err != nil {
		return nil, err
	}
	workspace, err := parseWorkspace(stack, base, eks)
	if err != nil {
		return nil, err
	}
	server, err := prometheus.NewPrometheus(ctx, stack.Name()+"-prometheus", &prometheus.Args{
		Namespace:    promNamespace,
		Platform:     platformNamespace,
		Controllers:  []controller.Namespace{kedaNamespace, vpaNamespace},
		Cluster:      eks.addresses,
		Targets:      targetRules(alertmanagerAddress, kedaNamespace, vpaNamespace),
		Image:        images[prometheus.Repository],
		Replicas:     stack.Prometheus.Replicas,
		Storage:      size.GiB(int64(stack.Prometheus.StorageGiB)),
		StorageClass: stack.StorageClass,
		Services:     stack.Profiles(),
		Stores:       storesInCluster(stack),
		PGExporter:   hasDatabase(stack),
		Dashboards:   dashboards.New(dashboards.Platform{Services: stack.Profiles(), Connections: stack.Postgres.Connections, Exporters: optionalExporters(stack)}),
		Alertmanager: alertmanagerAddress,
		Workspace:    workspace,
		Readers:      prometheusClients(stack, kedaNamespace),
		RequestShare: requestShare,
		Forecaster:   stack.PodScaling.RunsForecaster(),
		Predictive:   stack.PodScaling.Predictive == config.PredictiveOn,
	}, eks.bothProviders, pulumi.DependsOn(nodes.ready))
	if err != nil {
		return nil, err
	}
	if _, err := statemetrics.NewStateMetrics(ctx, stack.Name()+"-state", &statemetrics.Args{
		Namespace:    promNamespace,
		Watched:      platformNamespace,
		Cluster:      eks.addresses,
		Image:        images[statemetrics.Repository],
		Readers:      []podnetwork.Peer{podnetwork.App(prometheus.App)},
		RequestShare: requestShare,
	}, eks.kubernetesProvider, pulumi.DependsOn(nodes.ready)); err != nil {
		return nil, err
	}
	kedaScaler, err := keda.NewKEDA(ctx, stack.Name()+"-keda", &keda.Args{
		Namespace:     kedaNamespace,
		Watched:       platformNamespace,
		OperatorImage: images[keda.OperatorRepository],
		AdapterImage:  images[keda.AdapterRepository],
		Cluster:       eks.addresses,
		Triggers:      egressToPrometheus(promNamespace.Name),
		Readers:       []podnetwork.Peer{podnetwork.AppIn(promNamespace.Name, prometheus.App)},
		RequestShare:  requestShare,
	}, eks.kubernetesProvider, pulumi.DependsOn(nodes.ready))
	if err != nil {
		return nil, err
	}
	certificateImage, err := newImage(ctx, stack, base, config.WebhookCertificateImage, vpa.CertificateProgram)
	if err != nil {
		return nil, err
	}
	vpaResizer, err := vpa.NewVPA(ctx, stack.Name()+"-vpa", &vpa.Args{
		Namespace:        vpaNamespace,
		Watched:          platformNamespace,
		RecommenderImage: images[vpa.RecommenderRepository],
		UpdaterImage:     images[vpa.UpdaterRepository],
		AdmissionImage:   images[vpa.AdmissionRepository],
		CertificateImage: certificateImage,
		Cluster:          eks.addresses,
		Readers:          []podnetwork.Peer{podnetwork.AppIn(promNamespace.Name, prometheus.App)},
		Interval:         time.Duration(stack.PodScaling.ResizeSeconds) * time.Second,
		RequestShare:     requestShare,
	}, eks.kubernetesProvider, pulumi.DependsOn(nodes.ready))
	if err != nil {
		return nil, err
	}
	base.workloads = append(base.workloads, vpaResizer.Ready...)
	if err := deployForecaster(ctx, stack, base, eks, nodes, promNamespace, server); err != nil {
		return nil, err
	}
	return &observability{prometheusURL: server.URL, ready: slices.Concat(server.Ready, kedaScaler.Ready, vpaResizer.Ready)}, nil
}

// parseWorkspace returns the workspace to which Prometheus sends its recorded series. It returns
// nil if the stack names no workspace.
func parseWorkspace(stack *config.Stack, base *base, eks *eksCluster) (*prometheus.Workspace, error) {
	arn := stack.Prometheus.WorkspaceARN
	if arn == "" {
		return nil, nil
	}
	workspace, err := scrape.ParseWorkspace(arn)
	if err != nil {
		return nil, err
	}
	return &prometheus.Workspace{Account: base.account, ClusterName: eks.ClusterName, Cluster: eks.Name, Workspace: workspace}, nil
}

// targetRules returns the network policy rules that let Prometheus scrape KEDA and VPA, and reach
// the Alertmanager. alertmanagerAddress is empty if there is no Alertmanager.
func targetRules(alertmanagerAddress string, kedaNamespace, vpaNamespace controller.Namespace) []podnetwork.Rule {
	rules := append(vpa.ScrapeEgress(vpaNamespace.Name), keda.ScrapeEgress(kedaNamespace.Name))
	if alertmanagerAddress != "" {
		rules = append(rules, podnetwork.TCPRule(alertmanager.Port, podnetwork.App(alertmanager.App)))
	}
	return rules
}

// deployAlertmanager creates the Alertmanager and returns its address. It returns "" if the stack
// names no topic for alarms.
func deployAlertmanager(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, nodes *nodes, namespace controller.Namespace) (string, error) {
	if stack.Edge.AlarmTopicARN == "" {
		return "", nil
	}
	image, err := resolveImage(ctx, base, stack.ThirdPartyImage(alertmanager.Image, alertmanager.Repository))
	if err != nil {
		return "", err
	}
	_, err = alertmanager.NewAlertmanager(ctx, stack.Name()+"-alertmanager", &alertmanager.Args{
		Account:      base.account,
		ClusterName:  eks.Cluster.Name,
		Namespace:    namespace,
		Image:        image,
		TopicARN:     stack.Edge.AlarmTopicARN,
		Region:       stack.Region,
		Senders:      []podnetwork.Peer{podnetwork.App(prometheus.App)},
		RequestShare: scaling.Percent(stack.Cluster.RequestPercent),
	}, eks.bothProviders, pulumi.DependsOn(nodes.ready))
	return alertmanager.Address(namespace.Name), err
}

// optionalExporters returns the optional metrics exporters that the stack runs.
func optionalExporters(stack *config.Stack) []dashboards.Exporter {
	enabled := []dashboards.Exporter{dashboards.State}
	if stack.Redis.Kind == config.InCluster { // the agent of its nodes exports the metrics
		enabled = append(enabled, dashboards.Redis)
	}
	if stack.PodScaling.RunsForecaster() {
		enabled = append(enabled, dashboards.Forecaster)
	}
	if hasDatabase(stack) {
		enabled = append(enabled, dashboards.PostgreSQL)
	}
	return enabled
}
