package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
)

// policyOf returns the spec of the NetworkPolicy of a name.
func policyOf(t *testing.T, all []registered, name string) map[string]any {
	t.Helper()
	for _, r := range all {
		if r.Type == "kubernetes:networking.k8s.io/v1:NetworkPolicy" && r.Properties["metadata"].(map[string]any)["name"] == name {
			return r.Properties["spec"].(map[string]any)
		}
	}
	require.Fail(t, "no network policy "+name)
	return nil
}

// connections writes the rules of one direction as "PEER PORT,PORT".
func connections(spec map[string]any, direction, peers string) []string {
	var all []string
	rules, _ := spec[direction].([]any)
	for _, r := range rules {
		var ports []string
		for _, p := range r.(map[string]any)["ports"].([]any) {
			ports = append(ports, fmt.Sprint(p.(map[string]any)["port"]))
		}
		for _, p := range r.(map[string]any)[peers].([]any) {
			peer := p.(map[string]any)
			name := ""
			if block, ok := peer["ipBlock"].(map[string]any); ok {
				name = block["cidr"].(string)
			} else {
				name = strings.Join(slices.Collect(func(yield func(string) bool) {
					for label := range maps.Values(peer["podSelector"].(map[string]any)["matchLabels"].(map[string]any)) {
						yield(label.(string))
					}
				}), "+")
			}
			all = append(all, name+" "+strings.Join(ports, ","))
		}
	}
	slices.Sort(all)
	return all
}

// withKeySet is a stack whose tokens are verified by a key set at a URL, and that signs no
// image. The files of the stack sandbox exist after make build only.
var withKeySet = map[string]string{
	"progressive-framework:auth":   `{"issuer": "test", "audience": "test", "jwksUrl": "https://issuer.test/jwks.json"}`,
	"progressive-framework:images": `{"mirror": "ecr://mirror"}`,
}

// Each program reaches what it calls, its stores and DNS, and is reached by its callers,
// Prometheus and, where it has a port on the nodes, the VPC.
func TestPodsReachOnlyWhatTheyCall(t *testing.T) {
	const vpc, everywhere, dns, metrics = "10.10.0.0/16", "0.0.0.0/0 443", "kube-dns 53,53", "prometheus 9090"
	managed := []string{vpc + " 5432", vpc + " 6379", "169.254.170.23/32 80", everywhere, dns}
	for _, tc := range []struct {
		stack, program  string
		ingress, egress []string
	}{
		{"prod", "progressive-framework-v5", []string{vpc + " 3000", metrics}, append([]string{"mca 8000"}, managed...)},
		{"prod", "mca", []string{vpc + " 8000", metrics, "progressive-framework-v5 8000"}, append([]string{"npa 8000", "wpa 8000"}, managed...)},
		{"prod", "npa", []string{metrics, "mca 8000"}, managed},
		{"prod", "wpa", []string{metrics, "mca 8000"}, managed},
		{"prod", "migrate", nil, []string{vpc + " 5432", vpc + " 27017", dns}},
		{"sandbox", "mca", []string{metrics, "progressive-framework-v5 8000"}, []string{"npa 8000", "wpa 8000", "postgres 5432", "redis-cluster 6379", everywhere, dns}},
		{"sandbox", "npa", []string{metrics, "mca 8000"}, []string{"postgres 5432", "redis-cluster 6379", everywhere, dns}},
		{"sandbox", "migrate", nil, []string{"postgres 5432", dns}},
		{"prod", "postgres-exporter", []string{"prometheus metrics"}, []string{vpc + " 5432", "169.254.170.23/32 80", dns}},
		{"sandbox", "postgres-exporter", []string{"prometheus metrics"}, []string{"postgres 5432", dns}},
		{"sandbox", "postgres", []string{"postgres-exporter 5432", "mca 5432", "migrate 5432", "npa 5432", "progressive-framework-v5 5432", "wpa 5432"}, nil},
		{"sandbox", "redis-cluster", []string{"mca 6379", "npa 6379", metrics, "progressive-framework-v5 6379", "redis-cluster 6379,16379", "wpa 6379"}, []string{"redis-cluster 6379,16379", dns}},
		{"sandbox", "default-deny", nil, nil},
	} {
		t.Run(tc.stack+"/"+tc.program, func(t *testing.T) {
			spec := policyOf(t, deployedWith(t, tc.stack, withKeySet), tc.program)
			require.Equal(t, []any{"Ingress", "Egress"}, spec["policyTypes"])
			require.ElementsMatch(t, tc.ingress, connections(spec, "ingress", "from"))
			require.ElementsMatch(t, tc.egress, connections(spec, "egress", "to"))
		})
	}
}

// A connection needs the policies of both its ends.
func TestDefaultDenyIsCreatedLast(t *testing.T) {
	const policy = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
	o := newOrder(deployedWith(t, "sandbox", withKeySet))
	last := o.named(policy, "default-policy")
	require.Len(t, last, 1)
	before := o.before(last[0])
	for _, program := range []string{"web", "mca", "npa", "wpa", "migrate", "postgres", "redis"} {
		for _, urn := range o.named(policy, "-"+program+"-policy") {
			require.True(t, before[urn], urn)
		}
	}
}

func TestCalledServicesExist(t *testing.T) {
	var names []string
	for _, s := range scaling.Services() {
		names = append(names, s.Short)
	}
	for _, s := range scaling.Services() {
		require.Subset(t, names, append([]string{}, s.Calls...), s.Short)
	}
}
