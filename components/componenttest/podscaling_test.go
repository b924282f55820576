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

func existingNamespace(name string) controller.Namespace {
	return controller.Namespace{Name: name, Created: pulumi.String(name)}
}

// addresses are those of a cluster in a VPC of 10.30.0.0/16.
var addresses = podnetwork.Cluster{Nodes: []string{"10.30.0.0/20", "10.30.32.0/20"}, Services: pulumi.String("172.20.0.0/16")}

func prometheusArgs() *prometheus.Args {
	return &prometheus.Args{
		Namespace: existingNamespace("app-prometheus"), Platform: existingNamespace("app"), Controllers: []controller.Namespace{existingNamespace("app-keda")},
		Image: pulumi.String("prometheus" + digest), Replicas: 2, Storage: size.GiB(10), Services: scaling.Services(), Cluster: addresses,
		Readers: []podnetwork.Peer{podnetwork.AppIn("app-keda", keda.OperatorApp)}, RequestShare: 50,
		Dashboards: dashboards.New(dashboards.Platform{Services: scaling.Services(), Connections: 200}),
	}
}

func kedaArgs() *keda.Args {
	return &keda.Args{
		Namespace: existingNamespace("app-keda"), Watched: existingNamespace("app"),
		OperatorImage: pulumi.String("keda" + digest), AdapterImage: pulumi.String("adapter" + digest), Cluster: addresses,
		Readers: []podnetwork.Peer{podnetwork.AppIn("app-prometheus", prometheus.App)}, RequestShare: 50,
	}
}

func newPrometheus(change func(*prometheus.Args)) program {
	return create(prometheus.NewPrometheus, func(*account.Account) *prometheus.Args {
		args := prometheusArgs()
		change(args)
		return args
	})
}

func newKEDA(change func(*keda.Args)) program {
	return create(keda.NewKEDA, func(*account.Account) *keda.Args {
		args := kedaArgs()
		change(args)
		return args
	})
}

// Two pods scrape the same at different moments; a reader stays with one of them.
func TestPrometheusServesFromPodsInTwoZones(t *testing.T) {
	d := deploy(t, newPrometheus(func(*prometheus.Args) {}))
	set := d.one(t, "kubernetes:apps/v1:StatefulSet")
	requireRestricted(t, set, "spec.template.spec", 65534)
	set.has(t, map[string]any{
		"spec.replicas": 2, "spec.template.spec.containers[0].image": "prometheus" + digest,
		"spec.template.spec.containers[0].resources.requests.memory":              "256Mi",
		"spec.template.spec.topologySpreadConstraints[0].topologyKey":             "topology.kubernetes.io/zone",
		"spec.template.spec.containers[0].args[3]":                                "--storage.tsdb.retention.size=8192MB",
		"spec.template.spec.automountServiceAccountToken":                         true,
		"spec.template.spec.volumes[0].configMap.name":                            "prometheus",
		`spec.template.metadata.annotations["progressive-framework/config"]`:      set.get(`spec.template.metadata.annotations["progressive-framework/config"]`),
		"spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem": true,
	})
	require.Len(t, d.ofType("kubernetes:core/v1:PersistentVolumeClaim"), 2)
	d.one(t, "kubernetes:policy/v1:PodDisruptionBudget").has(t, map[string]any{"spec.maxUnavailable": 1})
	d.one(t, k8sService, "app-api").has(t, map[string]any{"metadata.name": "prometheus", "spec.sessionAffinity": "ClientIP", "spec.ports[0].port": 9090})
	d.one(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy").has(t, map[string]any{
		"spec.ingress[0].from[0].podSelector.matchLabels.app":                                  "prometheus",
		"spec.ingress[0].from[1].podSelector.matchLabels.app":                                  "keda-operator",
		`spec.ingress[0].from[1].namespaceSelector.matchLabels["kubernetes.io/metadata.name"]`: "app-keda",
	})
}

// permission is one rule of a role, and where it holds; "" is the whole cluster.
type permission struct {
	namespace                       string
	groups, resources, names, verbs []string
}

func permissions(d deployment) []permission {
	var all []permission
	texts := func(v resource.PropertyValue) []string {
		var list []string
		if v.IsArray() {
			for _, item := range v.ArrayValue() {
				list = append(list, item.StringValue())
			}
		}
		return list
	}
	for _, kind := range []string{"Role", "ClusterRole"} {
		for _, r := range d.ofType("kubernetes:rbac.authorization.k8s.io/v1:" + kind) {
			namespace, _ := r.get("metadata.namespace").(string)
			for _, rule := range r.Inputs["rules"].ArrayValue() {
				o := rule.ObjectValue()
				all = append(all, permission{namespace, texts(o["apiGroups"]), texts(o["resources"]), texts(o["resourceNames"]), texts(o["verbs"])})
			}
		}
	}
	return all
}

var reading = []string{"get", "list", "watch"}

func (p permission) writes() bool {
	return slices.ContainsFunc(p.verbs, func(verb string) bool { return !slices.Contains(reading, verb) })
}

// People see the dashboards as a page of Prometheus, and in the Grafana of the cluster,
// if there is one.
func TestPrometheusServesItsDashboards(t *testing.T) {
	d := deploy(t, newPrometheus(func(*prometheus.Args) {}))
	d.one(t, "kubernetes:core/v1:ConfigMap", "app-consoles").has(t, map[string]any{"metadata.name": "prometheus-consoles"})
	d.one(t, "kubernetes:core/v1:ConfigMap", "app-dashboards").has(t, map[string]any{"metadata.labels.grafana_dashboard": "1"})
	set := d.one(t, "kubernetes:apps/v1:StatefulSet")
	set.has(t, map[string]any{
		"spec.template.spec.volumes[1].configMap.name":               "prometheus-consoles",
		"spec.template.spec.containers[0].volumeMounts[2].mountPath": "/consoles",
	})
	require.Contains(t, set.get("spec.template.spec.containers[0].args"), "--web.console.templates=/consoles")
}

// Prometheus reads pods where its targets are, and the metrics of nodes.
func TestPrometheusOnlyReads(t *testing.T) {
	for _, p := range permissions(deploy(t, newPrometheus(func(*prometheus.Args) {}))) {
		require.False(t, p.writes(), "%+v", p)
		if p.namespace == "" {
			require.Subset(t, []string{"nodes", "nodes/metrics"}, p.resources, "%+v", p)
		} else {
			require.Equal(t, []string{"pods"}, p.resources, "%+v", p)
		}
	}
}

func newStateMetrics(change func(*statemetrics.Args)) program {
	return create(statemetrics.NewStateMetrics, func(*account.Account) *statemetrics.Args {
		args := &statemetrics.Args{
			Namespace: existingNamespace("app-prometheus"), Watched: existingNamespace("app"), Image: pulumi.String("state" + digest),
			Cluster: addresses, Readers: []podnetwork.Peer{podnetwork.App(prometheus.App)}, RequestShare: 50,
		}
		change(args)
		return args
	})
}

// kube-state-metrics lists five kinds of one namespace, and only Prometheus reads it. That
// VPA's kind exists, it sees in the cluster's list of kinds.
func TestStateMetricsReadOneNamespace(t *testing.T) {
	d := deploy(t, newStateMetrics(func(*statemetrics.Args) {}))
	var kinds []string
	for _, p := range permissions(d) {
		require.Equal(t, []string{"list", "watch"}, p.verbs, "%+v", p)
		if p.namespace == "" {
			require.Equal(t, []string{"customresourcedefinitions"}, p.resources, "%+v", p)
			continue
		}
		require.Equal(t, "app", p.namespace, "%+v", p)
		kinds = append(kinds, p.resources...)
	}
	require.Equal(t, []string{"pods", "deployments", "statefulsets", "horizontalpodautoscalers", "verticalpodautoscalers"}, kinds)
	pod := d.one(t, "kubernetes:apps/v1:Deployment")
	requireRestricted(t, pod, "spec.template.spec", 65532)
	pod.has(t, map[string]any{
		"spec.template.spec.containers[0].args[2]":       "--namespaces=app",
		"spec.template.spec.containers[0].args[3]":       "--resources=pods,deployments,statefulsets,horizontalpodautoscalers",
		"spec.template.spec.containers[0].ports[0].name": "metrics",
	})
	d.one(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy").has(t, map[string]any{"spec.ingress[0].from[0].podSelector.matchLabels.app": "prometheus"})
}

// Alertmanager publishes to its topic and may do nothing else. A change of its
// configuration makes a new ConfigMap, which the pod template names.
func TestAlertmanagerPublishesToItsTopic(t *testing.T) {
	const topic = "arn:aws:sns:us-east-1:123456789012:alarms"
	d := deploy(t, create(alertmanager.NewAlertmanager, func(where *account.Account) *alertmanager.Args {
		return &alertmanager.Args{
			Account: where, ClusterName: pulumi.String("prod"), Namespace: existingNamespace("app-prometheus"), Image: pulumi.String("alertmanager" + digest),
			TopicARN: topic, Region: "us-east-1", Senders: []podnetwork.Peer{podnetwork.App(prometheus.App)}, RequestShare: 50,
		}
	}))
	policy := d.one(t, "aws:iam/rolePolicy:RolePolicy").get("policy").(string)
	require.Contains(t, policy, topic)
	require.Equal(t, 1, strings.Count(policy, "sns:Publish"))
	require.NotContains(t, policy, `"*"`)
	require.Empty(t, permissions(d), "it has no permission in the cluster")
	d.one(t, "aws:eks/podIdentityAssociation:PodIdentityAssociation").has(t, map[string]any{"serviceAccount": "alertmanager", "namespace": "app-prometheus"})
	d.one(t, "kubernetes:core/v1:ConfigMap").has(t, map[string]any{"immutable": true, "metadata.name": nil})
	pod := d.one(t, "kubernetes:apps/v1:Deployment")
	requireRestricted(t, pod, "spec.template.spec", 65532)
	d.one(t, k8sService).has(t, map[string]any{"metadata.name": "alertmanager", "spec.ports[0].port": 9093})
	require.Equal(t, "alertmanager.app-prometheus.svc:9093", alertmanager.Address("app-prometheus"))
	d.one(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy").has(t, map[string]any{"spec.ingress[0].from[0].podSelector.matchLabels.app": "prometheus"})
}

// KEDA's own manifest reads every Secret and changes every scale of the cluster.
func TestKEDAReadsNoSecretOfThePlatform(t *testing.T) {
	d := deploy(t, newKEDA(func(*keda.Args) {}))
	for _, p := range permissions(d) {
		require.NotContains(t, p.groups, "*", "%+v", p)
		if p.namespace != "app-keda" {
			require.NotContains(t, p.resources, "secrets", "%+v", p)
			require.NotContains(t, fmt.Sprint(p.resources), "*", "%+v", p)
		}
		if p.namespace == "" && p.writes() {
			require.Equal(t, []string{"v1beta1.external.metrics.k8s.io"}, p.names, "%+v", p)
		}
	}
	operator := d.one(t, k8sDeployment, "app-operator")
	requireRestricted(t, operator, "spec.template.spec", 65532)
	operator.has(t, map[string]any{
		"spec.template.spec.containers[0].env[1].name": "WATCH_NAMESPACE", "spec.template.spec.containers[0].env[1].value": "app",
		"spec.template.spec.containers[0].env[2].name": "KEDA_RESTRICT_SECRET_ACCESS", "spec.template.spec.containers[0].env[2].value": "true",
	})
}

// The operator writes the authority of its certificate into the APIService. A value
// of the program would be a difference in each preview.
func TestKEDALeavesTheAuthorityOfItsAPIToTheOperator(t *testing.T) {
	d := deploy(t, newKEDA(func(*keda.Args) {}))
	api := d.one(t, "kubernetes:apiregistration.k8s.io/v1:APIService")
	api.has(t, map[string]any{
		"metadata.name": "v1beta1.external.metrics.k8s.io", "spec.service.name": "keda-metrics-apiserver", "spec.service.namespace": "app-keda",
		"spec.caBundle": nil, "spec.insecureSkipTLSVerify": nil,
	})
	api.dependsOn(t, d.one(t, k8sDeployment, "app-adapter"))
	d.one(t, k8sDeployment, "app-adapter").dependsOn(t, d.one(t, k8sDeployment, "app-operator"))
	require.Len(t, d.ofType("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"), 6, "the operator starts only with all of its kinds")
	d.one(t, "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", "app-scaledobjects.keda.sh").has(t, map[string]any{
		"spec.group": "keda.sh", "spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.maxReplicaCount.type": "integer",
	})
}
