package componenttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/alertmanager"
	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/keda"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/prometheus"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/dashboards"
	"github.com/progressive-framework/platform/components/size"
	"github.com/progressive-framework/platform/components/statemetrics"
)

// existingNamespace returns a namespace that the program does not create.
func existingNamespace(name string) controller.Namespace {
	return controller.Namespace{Name: name, Created: pulumi.String(name)}
}

// clusterAddresses are the CIDR blocks of a cluster in the VPC 10.30.0.0/16.
var clusterAddresses = podnetwork.ClusterAddresses{NodeBlocks: []string{"10.30.0.0/20", "10.30.32.0/20"}, ServiceCIDR: pulumi.String("172.20.0.0/16")}

func prometheusArgs() *prometheus.Args {
	return &prometheus.Args{
		Namespace: existingNamespace("app-prometheus"), Platform: existingNamespace("app"), Controllers: []controller.Namespace{existingNamespace("app-keda")},
		Image: pulumi.String("prometheus" + digest), Replicas: 2, Storage: size.GiB(10), Services: scaling.Services(), Cluster: clusterAddresses,
		Readers: []podnetwork.Peer{podnetwork.AppIn("app-keda", keda.OperatorApp)}, RequestShare: 50,
		Dashboards: dashboards.New(dashboards.Platform{Services: scaling.Services(), Connections: 200}),
	}
}

func kedaArgs() *keda.Args {
	return &keda.Args{
		Namespace: existingNamespace("app-keda"), Watched: existingNamespace("app"),
		OperatorImage: pulumi.String("keda" + digest), AdapterImage: pulumi.String("adapter" + digest), Cluster: clusterAddresses,
		Readers: []podnetwork.Peer{podnetwork.AppIn("app-prometheus", prometheus.App)}, RequestShare: 50,
	}
}

func newPrometheus(change func(*prometheus.Args)) program {
	return newProgram(prometheus.NewPrometheus, func(*account.Account) *prometheus.Args {
		args := prometheusArgs()
		change(args)
		return args
	})
}

func newKEDA(change func(*keda.Args)) program {
	return newProgram(keda.NewKEDA, func(*account.Account) *keda.Args {
		args := kedaArgs()
		change(args)
		return args
	})
}

// Both pods scrape the same targets, but at different moments. So a client must always read from
// the same pod.
func TestPrometheusServesFromPodsInTwoZones(t *testing.T) {
	d := deploy(t, newPrometheus(func(*prometheus.Args) {}))
	statefulSet := d.find(t, "kubernetes:apps/v1:StatefulSet")
	requireRestricted(t, statefulSet, "spec.template.spec", 65534)
	statefulSet.requireInputs(t, map[string]any{
		"spec.replicas": 2, "spec.template.spec.containers[0].image": "prometheus" + digest,
		"spec.template.spec.containers[0].resources.requests.memory":              "256Mi",
		"spec.template.spec.topologySpreadConstraints[0].topologyKey":             "topology.kubernetes.io/zone",
		"spec.template.spec.containers[0].args[3]":                                "--storage.tsdb.retention.size=8192MB",
		"spec.template.spec.automountServiceAccountToken":                         true,
		"spec.template.spec.volumes[0].configMap.name":                            "prometheus",
		`spec.template.metadata.annotations["progressive-framework/config"]`:      statefulSet.input(`spec.template.metadata.annotations["progressive-framework/config"]`),
		"spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem": true,
	})
	require.Len(t, d.ofType("kubernetes:core/v1:PersistentVolumeClaim"), 2)
	d.find(t, "kubernetes:policy/v1:PodDisruptionBudget").requireInputs(t, map[string]any{"spec.maxUnavailable": 1})
	d.find(t, k8sService, "app-api").requireInputs(t, map[string]any{"metadata.name": "prometheus", "spec.sessionAffinity": "ClientIP", "spec.ports[0].port": 9090})
	d.find(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy").requireInputs(t, map[string]any{
		"spec.ingress[0].from[0].podSelector.matchLabels.app":                                  "prometheus",
		"spec.ingress[0].from[1].podSelector.matchLabels.app":                                  "keda-operator",
		`spec.ingress[0].from[1].namespaceSelector.matchLabels["kubernetes.io/metadata.name"]`: "app-keda",
	})
}

// permission is one rule of a role. namespace is the namespace of the role, or "" for the whole
// cluster.
type permission struct {
	namespace                       string
	groups, resources, names, verbs []string
}

// listPermissions returns the rules of all Roles and ClusterRoles.
func listPermissions(d deployment) []permission {
	var permissions []permission
	stringItems := func(v resource.PropertyValue) []string {
		var items []string
		if v.IsArray() {
			for _, item := range v.ArrayValue() {
				items = append(items, item.StringValue())
			}
		}
		return items
	}
	for _, kind := range []string{"Role", "ClusterRole"} {
		for _, r := range d.ofType("kubernetes:rbac.authorization.k8s.io/v1:" + kind) {
			namespace, _ := r.input("metadata.namespace").(string)
			for _, rule := range r.Inputs["rules"].ArrayValue() {
				fields := rule.ObjectValue()
				permissions = append(permissions, permission{namespace, stringItems(fields["apiGroups"]), stringItems(fields["resources"]), stringItems(fields["resourceNames"]), stringItems(fields["verbs"])})
			}
		}
	}
	return permissions
}

var readVerbs = []string{"get", "list", "watch"}

// writes reports whether the permission has a verb other than readVerbs.
func (p permission) writes() bool {
	return slices.ContainsFunc(p.verbs, func(verb string) bool { return !slices.Contains(readVerbs, verb) })
}

// The dashboards are pages of Prometheus. A ConfigMap with the label grafana_dashboard also
// offers them to a Grafana in the cluster.
func TestPrometheusServesItsDashboards(t *testing.T) {
	d := deploy(t, newPrometheus(func(*prometheus.Args) {}))
	d.find(t, "kubernetes:core/v1:ConfigMap", "app-consoles").requireInputs(t, map[string]any{"metadata.name": "prometheus-consoles"})
	d.find(t, "kubernetes:core/v1:ConfigMap", "app-dashboards").requireInputs(t, map[string]any{"metadata.labels.grafana_dashboard": "1"})
	statefulSet := d.find(t, "kubernetes:apps/v1:StatefulSet")
	statefulSet.requireInputs(t, map[string]any{
		"spec.template.spec.volumes[1].configMap.name":               "prometheus-consoles",
		"spec.template.spec.containers[0].volumeMounts[2].mountPath": "/consoles",
	})
	require.Contains(t, statefulSet.input("spec.template.spec.containers[0].args"), "--web.console.templates=/consoles")
}

// Prometheus may only read: the pods in the namespaces of its targets, and the metrics of nodes.
func TestPrometheusOnlyReads(t *testing.T) {
	for _, p := range listPermissions(deploy(t, newPrometheus(func(*prometheus.Args) {}))) {
		require.False(t, p.writes(), "%+v", p)
		if p.namespace == "" {
			require.Subset(t, []string{"nodes", "nodes/metrics"}, p.resources, "%+v", p)
		} else {
			require.Equal(t, []string{"pods"}, p.resources, "%+v", p)
		}
	}
}

func newStateMetrics(change func(*statemetrics.Args)) program {
	return newProgram(statemetrics.NewStateMetrics, func(*account.Account) *statemetrics.Args {
		args := &statemetrics.Args{
			Namespace: existingNamespace("app-prometheus"), Watched: existingNamespace("app"), Image: pulumi.String("state" + digest),
			Cluster: clusterAddresses, Readers: []podnetwork.Peer{podnetwork.App(prometheus.App)}, RequestShare: 50,
		}
		change(args)
		return args
	})
}

// kube-state-metrics may list five kinds of objects in one namespace, and only Prometheus can
// connect to it. kube-state-metrics also lists the CustomResourceDefinitions, to check whether the
// kind VerticalPodAutoscaler exists.
func TestStateMetricsMayListOneNamespace(t *testing.T) {
	d := deploy(t, newStateMetrics(func(*statemetrics.Args) {}))
	var kinds []string
	for _, p := range listPermissions(d) {
		require.Equal(t, []string{"list", "watch"}, p.verbs, "%+v", p)
		if p.namespace == "" {
			require.Equal(t, []string{"customresourcedefinitions"}, p.resources, "%+v", p)
			continue
		}
		require.Equal(t, "app", p.namespace, "%+v", p)
		kinds = append(kinds, p.resources...)
	}
	require.Equal(t, []string{"pods", "deployments", "statefulsets", "horizontalpodautoscalers", "verticalpodautoscalers"}, kinds)
	pod := d.find(t, "kubernetes:apps/v1:Deployment")
	requireRestricted(t, pod, "spec.template.spec", 65532)
	pod.requireInputs(t, map[string]any{
		"spec.template.spec.containers[0].args[2]":       "--namespaces=app",
		"spec.template.spec.containers[0].args[3]":       "--resources=pods,deployments,statefulsets,horizontalpodautoscalers",
		"spec.template.spec.containers[0].ports[0].name": "metrics",
	})
	d.find(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy").requireInputs(t, map[string]any{"spec.ingress[0].from[0].podSelector.matchLabels.app": "prometheus"})
}

// Alertmanager may only publish to its topic. Its ConfigMap is immutable and has a generated
// name, so that a changed configuration creates a new ConfigMap and a new pod.
func TestAlertmanagerMayOnlyPublishToItsTopic(t *testing.T) {
	const topic = "arn:aws:sns:us-east-1:123456789012:alarms"
	d := deploy(t, newProgram(alertmanager.NewAlertmanager, func(stackAccount *account.Account) *alertmanager.Args {
		return &alertmanager.Args{
			Account: stackAccount, ClusterName: pulumi.String("prod"), Namespace: existingNamespace("app-prometheus"), Image: pulumi.String("alertmanager" + digest),
			TopicARN: topic, Region: "us-east-1", Senders: []podnetwork.Peer{podnetwork.App(prometheus.App)}, RequestShare: 50,
		}
	}))
	policy := d.find(t, "aws:iam/rolePolicy:RolePolicy").input("policy").(string)
	require.Contains(t, policy, topic)
	require.Equal(t, 1, strings.Count(policy, "sns:Publish"))
	require.NotContains(t, policy, `"*"`)
	require.Empty(t, listPermissions(d), "it has no permission in Kubernetes")
	d.find(t, "aws:eks/podIdentityAssociation:PodIdentityAssociation").requireInputs(t, map[string]any{"serviceAccount": "alertmanager", "namespace": "app-prometheus"})
	d.find(t, "kubernetes:core/v1:ConfigMap").requireInputs(t, map[string]any{"immutable": true, "metadata.name": nil})
	pod := d.find(t, "kubernetes:apps/v1:Deployment")
	requireRestricted(t, pod, "spec.template.spec", 65532)
	d.find(t, k8sService).requireInputs(t, map[string]any{"metadata.name": "alertmanager", "spec.ports[0].port": 9093})
	require.Equal(t, "alertmanager.app-prometheus.svc:9093", alertmanager.Address("app-prometheus"))
	d.find(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy").requireInputs(t, map[string]any{"spec.ingress[0].from[0].podSelector.matchLabels.app": "prometheus"})
}

// KEDA's published manifest allows KEDA to read every Secret and to scale every workload. The
// platform's KEDA may not.
func TestKEDAReadsNoSecretOfThePlatform(t *testing.T) {
	d := deploy(t, newKEDA(func(*keda.Args) {}))
	for _, p := range listPermissions(d) {
		require.NotContains(t, p.groups, "*", "%+v", p)
		if p.namespace != "app-keda" {
			require.NotContains(t, p.resources, "secrets", "%+v", p)
			require.NotContains(t, fmt.Sprint(p.resources), "*", "%+v", p)
		}
		if p.namespace == "" && p.writes() {
			require.Equal(t, []string{"v1beta1.external.metrics.k8s.io"}, p.names, "%+v", p)
		}
	}
	operator := d.find(t, k8sDeployment, "app-operator")
	requireRestricted(t, operator, "spec.template.spec", 65532)
	operator.requireInputs(t, map[string]any{
		"spec.template.spec.containers[0].env[1].name": "WATCH_NAMESPACE", "spec.template.spec.containers[0].env[1].value": "app",
		"spec.template.spec.containers[0].env[2].name": "KEDA_RESTRICT_SECRET_ACCESS", "spec.template.spec.containers[0].env[2].value": "true",
	})
}

// The operator writes its CA certificate into the field caBundle of the APIService. If the
// Pulumi program also set the field, each preview would show a change.
func TestKEDALeavesTheCABundleToTheOperator(t *testing.T) {
	d := deploy(t, newKEDA(func(*keda.Args) {}))
	apiService := d.find(t, "kubernetes:apiregistration.k8s.io/v1:APIService")
	apiService.requireInputs(t, map[string]any{
		"metadata.name": "v1beta1.external.metrics.k8s.io", "spec.service.name": "keda-metrics-apiserver", "spec.service.namespace": "app-keda",
		"spec.caBundle": nil, "spec.insecureSkipTLSVerify": nil,
	})
	apiService.requireDependsOn(t, d.find(t, k8sDeployment, "app-adapter"))
	d.find(t, k8sDeployment, "app-adapter").requireDependsOn(t, d.find(t, k8sDeployment, "app-operator"))
	require.Len(t, d.ofType("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"), 6, "the operator starts only if all of its kinds exist")
	d.find(t, "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", "app-scaledobjects.keda.sh").requireInputs(t, map[string]any{
		"spec.group": "keda.sh", "spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.maxReplicaCount.type": "integer",
	})
}
