package componenttest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/prometheus"
	"github.com/progressive-framework/platform/components/vpa"
)

func newVPA(change func(*vpa.Args)) program {
	return newProgram(vpa.NewVPA, func(*account.Account) *vpa.Args {
		args := &vpa.Args{
			Namespace: existingNamespace("app-vpa"), Watched: existingNamespace("app"),
			RecommenderImage: pulumi.String("recommender" + digest), UpdaterImage: pulumi.String("updater" + digest),
			AdmissionImage: pulumi.String("admission" + digest), CertificateImage: pulumi.String("certificate" + digest), Cluster: clusterAddresses,
			Readers:  []podnetwork.Peer{podnetwork.AppIn("app-prometheus", prometheus.App)},
			Interval: time.Minute, RequestShare: 50,
		}
		change(args)
		return args
	})
}

// VPA's published manifest allows VPA to change pods and to read workloads in every namespace. The
// platform's VPA may do so only in two namespaces.
func TestVPAHasPermissionsOnlyInItsTwoNamespaces(t *testing.T) {
	for _, p := range listPermissions(deploy(t, newVPA(func(*vpa.Args) {}))) {
		require.NotContains(t, strings.Join(slices.Concat(p.groups, p.resources, p.verbs), " "), "*", "%+v", p)
		require.NotContains(t, p.resources, "secrets", "%+v", p)
		if p.namespace == "" {
			require.Equal(t, permission{"", []string{"admissionregistration.k8s.io"}, []string{"mutatingwebhookconfigurations"}, []string{"app-vpa"}, []string{"patch"}}, p)
		} else {
			require.Contains(t, []string{"app", "app-vpa"}, p.namespace)
		}
		if slices.Contains(p.resources, "pods/eviction") || slices.Contains(p.resources, "pods/resize") {
			require.Equal(t, "app", p.namespace)
		}
	}
}

// The API server calls the webhook only for pods of one namespace. If the webhook does not respond
// within two seconds, the pod is created without it.
func TestVPAWebhookDoesNotBlockPods(t *testing.T) {
	webhook := deploy(t, newVPA(func(*vpa.Args) {})).find(t, "kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration")
	webhook.requireInputs(t, map[string]any{
		"metadata.name":                                                            "app-vpa",
		"webhooks[0].failurePolicy":                                                "Ignore",
		"webhooks[0].timeoutSeconds":                                               2.0,
		"webhooks[0].clientConfig.service.name":                                    "vpa-admission-controller",
		"webhooks[0].clientConfig.service.namespace":                               "app-vpa",
		"webhooks[0].rules[0].resources":                                           []any{"pods"},
		"webhooks[0].rules[0].operations":                                          []any{"CREATE"},
		`webhooks[0].namespaceSelector.matchLabels["kubernetes.io/metadata.name"]`: "app",
		// The webhook's pod sets this field. If the Pulumi program also set it, each preview would
		// show a change.
		"webhooks[0].clientConfig.caBundle": nil,
	})
}

// The private key of the webhook is only in the pod's memory.
func TestVPACertificateIsInNoSecret(t *testing.T) {
	d := deploy(t, newVPA(func(*vpa.Args) {}))
	require.Empty(t, d.ofType("kubernetes:core/v1:Secret"))
	admission := d.find(t, k8sDeployment, "app-admission")
	requireRestricted(t, admission, "spec.template.spec", 65532)
	const pod = "spec.template.spec."
	admission.requireInputs(t, map[string]any{
		pod + "volumes[0].emptyDir.medium":             "Memory",
		pod + "initContainers[0].image":                "certificate" + digest,
		pod + "initContainers[0].args":                 []any{"-host", "vpa-admission-controller.app-vpa.svc", "-dir", "/certs", "-configuration", "app-vpa", "-webhook", "vpa.k8s.io"},
		pod + "containers[0].volumeMounts[0].name":     "certificates",
		pod + "containers[0].volumeMounts[0].readOnly": true,
	})
	require.Contains(t, admission.input(pod+"containers[0].args"), "--register-webhook=false")
	require.Contains(t, admission.input(pod+"containers[0].args"), "--tls-private-key=/certs/tls.key")
}

func TestVPAActsInOneNamespace(t *testing.T) {
	d := deploy(t, newVPA(func(*vpa.Args) {}))
	const argsPath = "spec.template.spec.containers[0].args"
	for app, flag := range map[string]string{"recommender": "--recommender-interval=1m0s", "updater": "--updater-interval=1m0s", "admission": "--port=9443"} {
		pod := d.find(t, k8sDeployment, "app-"+app)
		requireRestricted(t, pod, "spec.template.spec", 65532)
		require.Contains(t, pod.input(argsPath), "--vpa-object-namespace=app")
		require.Contains(t, pod.input(argsPath), flag)
		pod.requireInputs(t, map[string]any{"spec.template.spec.containers[0].env[0].value": "app-vpa", "spec.template.spec.containers[0].resources.requests.memory": "32Mi"})
	}
	// RequestShare is 50 percent. So the smallest recommendation is half of 250 MB.
	require.Contains(t, d.find(t, k8sDeployment, "app-recommender").input(argsPath), "--pod-recommendation-min-memory-mb=125")
}

// The CustomResourceDefinitions are read from VPA's Go module. Their API group ends in k8s.io, so
// the API server requires the annotation.
func TestVPACustomResourceDefinitionsHaveTheirApproval(t *testing.T) {
	definitions := deploy(t, newVPA(func(*vpa.Args) {})).ofType("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition")
	require.Len(t, definitions, 2)
	for _, definition := range definitions {
		require.Equal(t, "autoscaling.k8s.io", definition.input("spec.group"))
		require.NotEmpty(t, definition.input(`metadata.annotations["api-approved.kubernetes.io"]`))
	}
}

func TestVPARefusesInvalidArgs(t *testing.T) {
	for _, tc := range []struct {
		reason string
		change func(*vpa.Args)
		want   string
	}{
		{"one namespace for VPA and the watched pods", func(a *vpa.Args) { a.Namespace = a.Watched }, "must not be Watched"},
		{"no image", func(a *vpa.Args) { a.CertificateImage = nil }, "CertificateImage must be set"},
		{"an interval that is shorter than 10 seconds", func(a *vpa.Args) { a.Interval = time.Second }, "Interval is 1s, must be whole seconds from 10s"},
		{"an interval with a fraction of a second", func(a *vpa.Args) { a.Interval = 10500 * time.Millisecond }, "must be whole seconds"},
		{"a share above 100 percent", func(a *vpa.Args) { a.RequestShare = 101 }, "RequestShare is 101"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			d, err := run(newVPA(tc.change))
			require.ErrorContains(t, err, tc.want)
			require.Empty(t, d)
		})
	}
}
