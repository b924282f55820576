package localaddons

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"github.com/progressive-framework/platform/sandbox/localcluster"
)

var sampleValues = templateValues{
	Image:         "127.0.0.1:5001/addons/sample@sha256:" + strings.Repeat("a", 64),
	DNSAddress:    localcluster.DNSAddress,
	ClusterDomain: localcluster.ClusterDomain,
	Resolvers:     []string{"192.0.2.1", "2001:db8::1"},
}

// renderAll returns the objects of both addons.
func renderAll(t *testing.T, v templateValues) []*unstructured.Unstructured {
	t.Helper()
	var objects []*unstructured.Unstructured
	for _, a := range []addon{dns, metrics} {
		rendered, err := renderObjects(a.manifest, v)
		require.NoError(t, err)
		objects = append(objects, rendered...)
	}
	return objects
}

// decodeObjects renders the manifests and decodes them as the API server does. An unknown
// field is an error.
func decodeObjects(t *testing.T, v templateValues) []runtime.Object {
	t.Helper()
	knownTypes := runtime.NewScheme()
	require.NoError(t, scheme.AddToScheme(knownTypes))
	require.NoError(t, apiregistrationv1.AddToScheme(knownTypes))
	decoder := serializer.NewCodecFactory(knownTypes, serializer.EnableStrict).UniversalDeserializer()
	objects := renderAll(t, v)
	decoded := make([]runtime.Object, len(objects))
	for i, o := range objects {
		raw, err := o.MarshalJSON()
		require.NoError(t, err)
		decoded[i], _, err = decoder.Decode(raw, nil, nil)
		require.NoError(t, err, describeObject(o))
	}
	return decoded
}

// objectsByName returns the objects of a type, by name.
func objectsByName[T any](objects []runtime.Object) map[string]T {
	byName := map[string]T{}
	for _, o := range objects {
		if typed, ok := o.(T); ok {
			byName[o.(interface{ GetName() string }).GetName()] = typed
		}
	}
	return byName
}

func TestWorkloadsAreRestrictedAndHaveProbesAndResources(t *testing.T) {
	objects := decodeObjects(t, sampleValues)
	accounts := objectsByName[*corev1.ServiceAccount](objects)
	deployments := objectsByName[*appsv1.Deployment](objects)
	require.Len(t, deployments, 2)
	require.Equal(t, sampleValues.Image, deployments["coredns"].Spec.Template.Spec.Containers[0].Image)
	require.Equal(t, sampleValues.Image, deployments["metrics-server"].Spec.Template.Spec.Containers[0].Image)
	for name, d := range deployments {
		t.Run(name, func(t *testing.T) {
			pod := d.Spec.Template
			require.Equal(t, "kube-system", d.Namespace)
			require.True(t, labels.SelectorFromSet(d.Spec.Selector.MatchLabels).Matches(labels.Set(pod.Labels)), "the deployment selects its own pods")
			require.Contains(t, accounts, pod.Spec.ServiceAccountName)
			require.True(t, *pod.Spec.SecurityContext.RunAsNonRoot)
			require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.Spec.SecurityContext.SeccompProfile.Type)
			for _, c := range pod.Spec.Containers {
				require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
				require.False(t, *c.SecurityContext.AllowPrivilegeEscalation)
				require.Equal(t, []corev1.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop)
				require.NotNil(t, c.ReadinessProbe)
				require.NotNil(t, c.LivenessProbe)
				require.False(t, c.Resources.Requests.Cpu().IsZero())
				require.False(t, c.Resources.Limits.Memory().IsZero())
				require.LessOrEqual(t, c.Resources.Requests.Memory().Value(), c.Resources.Limits.Memory().Value())
				for _, p := range c.Ports {
					require.GreaterOrEqual(t, int(p.ContainerPort), firstUnprivilegedPort(t, pod.Spec), "port %s needs no privilege", p.Name)
				}
			}
		})
	}
}

// firstUnprivilegedPort returns the first port on which a process of the pod may listen without
// a capability: the value of the pod's sysctl, or else the kernel's default.
func firstUnprivilegedPort(t *testing.T, pod corev1.PodSpec) int {
	t.Helper()
	for _, s := range pod.SecurityContext.Sysctls {
		if s.Name == "net.ipv4.ip_unprivileged_port_start" {
			port, err := strconv.Atoi(s.Value)
			require.NoError(t, err)
			return port
		}
	}
	return 1024
}

func TestServicesReachTheirPods(t *testing.T) {
	objects := decodeObjects(t, sampleValues)
	services := objectsByName[*corev1.Service](objects)
	require.Equal(t, localcluster.DNSAddress, services["kube-dns"].Spec.ClusterIP)
	for name, s := range services {
		var reached *appsv1.Deployment
		for _, d := range objectsByName[*appsv1.Deployment](objects) {
			if labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(d.Spec.Template.Labels)) {
				require.Nil(t, reached, "service %s selects two deployments", name)
				reached = d
			}
		}
		require.NotNil(t, reached, "service %s selects nothing", name)
		for _, p := range s.Spec.Ports {
			var found bool
			for _, c := range reached.Spec.Template.Spec.Containers[0].Ports {
				found = found || c.Name == p.TargetPort.StrVal && c.Protocol == p.Protocol
			}
			require.True(t, found, "service %s, port %s: no container port %s", name, p.Name, p.TargetPort.StrVal)
		}
	}
	for _, a := range objectsByName[*apiregistrationv1.APIService](objects) {
		require.Contains(t, services, a.Spec.Service.Name)
	}
}

func TestRolesOnlyReadAndBindingsReferToThem(t *testing.T) {
	// The roles that every API server creates.
	roles := map[string]bool{"system:auth-delegator": true, "extension-apiserver-authentication-reader": true}
	objects := decodeObjects(t, sampleValues)
	for name, role := range objectsByName[*rbacv1.ClusterRole](objects) {
		roles[name] = true
		for _, rule := range role.Rules {
			require.NotContains(t, strings.Join(append(rule.Verbs, rule.Resources...), " "), "*", "role %s", name)
			for _, verb := range rule.Verbs {
				require.Contains(t, []string{"get", "list", "watch"}, verb, "role %s only reads", name)
			}
		}
	}
	accounts := objectsByName[*corev1.ServiceAccount](objects)
	checkBinding := func(name string, ref rbacv1.RoleRef, subjects []rbacv1.Subject) {
		require.True(t, roles[ref.Name], "binding %s: no role %s", name, ref.Name)
		for _, s := range subjects {
			require.Contains(t, accounts, s.Name, "binding %s", name)
			require.Equal(t, "kube-system", s.Namespace)
		}
	}
	for name, b := range objectsByName[*rbacv1.ClusterRoleBinding](objects) {
		checkBinding(name, b.RoleRef, b.Subjects)
	}
	for name, b := range objectsByName[*rbacv1.RoleBinding](objects) {
		checkBinding(name, b.RoleRef, b.Subjects)
	}
}

func TestMetricsServerVerifiesKubelets(t *testing.T) {
	d := objectsByName[*appsv1.Deployment](decodeObjects(t, sampleValues))["metrics-server"]
	args := strings.Join(d.Spec.Template.Spec.Containers[0].Args, " ")
	require.Contains(t, args, "--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
	require.NotContains(t, args, "insecure")
}

func TestCorefileForwardsOnlyWithResolvers(t *testing.T) {
	renderCorefile := func(v templateValues) (corefile, checksum string) {
		objects := decodeObjects(t, v)
		return objectsByName[*corev1.ConfigMap](objects)["coredns"].Data["Corefile"],
			objectsByName[*appsv1.Deployment](objects)["coredns"].Spec.Template.Annotations["progressive.dev/corefile"]
	}
	forwarding, forwardingChecksum := renderCorefile(sampleValues)
	require.Contains(t, forwarding, "forward . 192.0.2.1 2001:db8::1 {")
	require.Contains(t, forwarding, "kubernetes cluster.local in-addr.arpa ip6.arpa {")
	noResolvers := sampleValues
	noResolvers.Resolvers = nil
	local, localChecksum := renderCorefile(noResolvers)
	require.NotContains(t, local, "forward")
	require.NotContains(t, local, "loop", "without forwarding there can be no loop")
	require.NotEqual(t, forwardingChecksum, localChecksum, "a changed Corefile restarts the pods")

	plugins := readPluginNames(t)
	for _, text := range []string{forwarding, local} {
		for line := range strings.Lines(text) {
			// A plugin is a line with one level of indentation in the server block.
			if rest, ok := strings.CutPrefix(line, "    "); ok && rest[0] != ' ' && rest[0] != '}' {
				require.Contains(t, plugins, strings.Fields(rest)[0], "the image links this plugin")
			}
		}
	}
}

// readPluginNames returns the names of the plugins in the source of the image's command. Each of them
// must be linked.
func readPluginNames(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "coredns/main.go", nil, 0)
	require.NoError(t, err)
	var names, linked []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			linked = append(linked, n.Path.Value)
		case *ast.CompositeLit:
			for _, e := range n.Elts {
				s, err := strconv.Unquote(e.(*ast.BasicLit).Value)
				require.NoError(t, err)
				names = append(names, s)
			}
		}
		return true
	})
	require.NotEmpty(t, names)
	for _, name := range names {
		folder := name
		if name == "prometheus" {
			folder = "metrics"
		}
		require.Contains(t, linked, strconv.Quote("github.com/coredns/coredns/plugin/"+folder))
	}
	return names
}
