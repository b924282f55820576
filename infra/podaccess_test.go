package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
)

// findNetworkPolicySpec returns the spec of the NetworkPolicy with a name.
func findNetworkPolicySpec(t *testing.T, resources []registeredResource, name string) map[string]any {
	t.Helper()
	for _, r := range resources {
		if r.Type == "kubernetes:networking.k8s.io/v1:NetworkPolicy" && r.Properties["metadata"].(map[string]any)["name"] == name {
			return r.Properties["spec"].(map[string]any)
		}
	}
	require.Fail(t, "no network policy "+name)
	return nil
}

// connections returns the rules of one direction, each as "PEER PORT,PORT". peersField is the field
// of the rule that has the peers: from or to.
func connections(spec map[string]any, direction, peersField string) []string {
	var found []string
	rules, _ := spec[direction].([]any)
	for _, rule := range rules {
		var ports []string
		for _, p := range rule.(map[string]any)["ports"].([]any) {
			ports = append(ports, fmt.Sprint(p.(map[string]any)["port"]))
		}
		for _, p := range rule.(map[string]any)[peersField].([]any) {
			peer := p.(map[string]any)
			name := ""
			if block, ok := peer["ipBlock"].(map[string]any); ok {
				name = block["cidr"].(string)
			} else {
				var labels []string
				for _, label := range peer["podSelector"].(map[string]any)["matchLabels"].(map[string]any) {
					labels = append(labels, label.(string))
				}
				name = strings.Join(labels, "+")
			}
			found = append(found, name+" "+strings.Join(ports, ","))
		}
	}
	slices.Sort(found)
	return found
}

// configWithoutFiles has values with which a stack's configuration needs no file: a URL has the
// keys that verify tokens, and no image is signed. The files of the sandbox exist only after make
// build.
var configWithoutFiles = map[string]string{
	"progressive-framework:auth":   `{"issuer": "test", "audience": "test", "jwksUrl": "https://issuer.test/jwks.json"}`,
	"progressive-framework:images": `{"mirror": "ecr://mirror"}`,
}

// Each program may connect to the services that it calls, its stores and DNS. Its callers and
// Prometheus may connect to it. The nodes may also connect if it has a node port.
func TestPodsReachOnlyWhatTheyCall(t *testing.T) {
	const everywhere, dns, identity, metrics = "0.0.0.0/0 443", "kube-dns 53,53", "169.254.170.23/32 80", "prometheus 9090"
	api := append(nodeConnections("443"), "172.20.0.1/32 443", dns)
	deployed := map[string][]registeredResource{"prod": deployStackWith(t, "prod", configWithoutFiles), "sandbox": deployStackWith(t, "sandbox", configWithoutFiles)}
	managed := slices.Concat(storeConnections("5432"), storeConnections("6379"), []string{identity, everywhere, dns})
	for _, tc := range []struct {
		stack, program  string
		ingress, egress []string
	}{
		{"prod", "progressive-framework-v5", append(nodeConnections("3000"), metrics), append([]string{"mca 8000"}, managed...)},
		{"prod", "mca", append(nodeConnections("8000"), metrics, "progressive-framework-v5 8000"), append([]string{"npa 8000", "wpa 8000"}, managed...)},
		{"prod", "npa", []string{metrics, "mca 8000"}, managed},
		{"prod", "wpa", []string{metrics, "mca 8000"}, managed},
		{"prod", "migrate", nil, slices.Concat(storeConnections("5432"), storeConnections("27017"), []string{dns})},
		{"sandbox", "mca", []string{metrics, "progressive-framework-v5 8000"}, []string{"npa 8000", "wpa 8000", "postgres 5432", "redis-cluster 6379", everywhere, dns}},
		{"sandbox", "npa", []string{metrics, "mca 8000"}, []string{"postgres 5432", "redis-cluster 6379", everywhere, dns}},
		{"sandbox", "migrate", nil, []string{"postgres 5432", dns}},
		{"prod", "postgres-exporter", []string{metrics}, append(storeConnections("5432"), identity, dns)},
		{"sandbox", "postgres-exporter", []string{metrics}, []string{"postgres 5432", dns}},
		{"sandbox", "postgres", []string{"postgres-exporter 5432", "mca 5432", "migrate 5432", "npa 5432", "progressive-framework-v5 5432", "wpa 5432"}, nil},
		{"sandbox", "redis-cluster", []string{"mca 6379", "npa 6379", metrics, "progressive-framework-v5 6379", "redis-cluster 6379,16379", "wpa 6379"}, []string{"redis-cluster 6379,16379", dns}},
		{"sandbox", "default-deny", nil, nil},
		{"prod", "keda-operator", []string{"prometheus 8080", "keda-metrics-apiserver 9666"}, slices.Concat(api, []string{metrics})},
		{"prod", "keda-metrics-apiserver", append(nodeConnections("6443"), "prometheus 8080"), slices.Concat(api, []string{"keda-operator 9666"})},
		{"prod", "vpa-recommender", []string{"prometheus 8942"}, api},
		{"prod", "vpa-updater", []string{"prometheus 8943"}, api},
		{"prod", "vpa-admission-controller", append(nodeConnections("9443"), "prometheus 8944"), api},
		{"prod", "fluent-bit", nil, []string{identity, everywhere, dns}},
		{"prod", "kube-state-metrics", []string{"prometheus 8080"}, api},
		{"prod", "prometheus", []string{metrics, "keda-operator 9090"}, slices.Concat(api, nodeConnections("10250"), []string{
			metrics, "progressive-framework-v5 9090", "mca 9090", "npa 9090", "wpa 9090", "postgres-exporter 9090",
			"keda-operator 8080", "keda-metrics-apiserver 8080", "kube-state-metrics 8080",
			"vpa-recommender 8942", "vpa-updater 8943", "vpa-admission-controller 8944",
		})},
	} {
		t.Run(tc.stack+"/"+tc.program, func(t *testing.T) {
			spec := findNetworkPolicySpec(t, deployed[tc.stack], tc.program)
			require.Equal(t, []any{"Ingress", "Egress"}, spec["policyTypes"])
			require.ElementsMatch(t, tc.ingress, connections(spec, "ingress", "from"))
			require.ElementsMatch(t, tc.egress, connections(spec, "egress", "to"))
		})
	}
}

// nodeConnections returns the connections with the subnets of the nodes, one in each zone of prod.
func nodeConnections(port string) []string {
	return []string{"10.10.0.0/20 " + port, "10.10.32.0/20 " + port, "10.10.64.0/20 " + port}
}

// storeConnections returns the connections with the subnets of the data stores, one in each zone of
// prod.
func storeConnections(port string) []string {
	return []string{"10.10.20.0/22 " + port, "10.10.52.0/22 " + port, "10.10.84.0/22 " + port}
}

// The security group of a managed store admits every node, and so every pod. Only network
// policies keep other pods of the stack away from it.
func TestOnlyUsersOfAStoreReachIt(t *testing.T) {
	usersByPort := map[string][]string{
		"5432":  {"progressive-framework-v5", "mca", "npa", "wpa", "migrate", "postgres-exporter"},
		"6379":  {"progressive-framework-v5", "mca", "npa", "wpa"},
		"27017": {"migrate"},
	}
	foundByPort := map[string][]string{}
	for _, r := range deployStackWith(t, "prod", configWithoutFiles) {
		if r.Type != "kubernetes:networking.k8s.io/v1:NetworkPolicy" {
			continue
		}
		name, spec := r.Properties["metadata"].(map[string]any)["name"].(string), r.Properties["spec"].(map[string]any)
		require.Equal(t, []any{"Ingress", "Egress"}, spec["policyTypes"], name)
		ports := map[string]bool{}
		for _, c := range connections(spec, "egress", "to") {
			peer, port, _ := strings.Cut(c, " ")
			require.True(t, peer != "0.0.0.0/0" || port == "443", "%s reaches %s", name, c)
			ports[port] = true
		}
		for port := range usersByPort {
			if ports[port] {
				foundByPort[port] = append(foundByPort[port], name)
			}
		}
	}
	for port, names := range usersByPort {
		require.ElementsMatch(t, names, foundByPort[port], port)
	}
}

// A connection between two pods needs the policies of both pods, so the policy that denies all
// other connections comes last.
func TestDefaultDenyIsCreatedLast(t *testing.T) {
	const policy = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
	graph := newResourceGraph(deployStackWith(t, "sandbox", configWithoutFiles))
	last := graph.find(policy, "default-policy")
	require.Len(t, last, 1)
	dependencies := graph.dependencies(last[0])
	for _, program := range []string{"web", "mca", "npa", "wpa", "migrate", "postgres", "redis"} {
		for _, urn := range graph.find(policy, "-"+program+"-policy") {
			require.True(t, dependencies[urn], urn)
		}
	}
}

// An issuer may publish its keys at any port.
func TestServicesReachTheKeysOfTheIssuer(t *testing.T) {
	for url, want := range map[string]string{"https://issuer.test/keys": "0.0.0.0/0 443", "https://issuer.test:8443/keys": "0.0.0.0/0 8443"} {
		resources := deployStackWith(t, "sandbox", map[string]string{
			"progressive-framework:auth":   `{"issuer": "test", "audience": "test", "jwksUrl": "` + url + `"}`,
			"progressive-framework:images": `{"mirror": "ecr://mirror"}`,
		})
		for _, s := range scaling.Services() {
			require.Contains(t, connections(findNetworkPolicySpec(t, resources, s.Name), "egress", "to"), want, s.Name)
		}
	}
}

func TestCalledServicesExist(t *testing.T) {
	var names []string
	for _, s := range scaling.Services() {
		names = append(names, s.ShortName)
	}
	for _, s := range scaling.Services() {
		require.Subset(t, names, append([]string{}, s.Calls...), s.ShortName)
	}
}
