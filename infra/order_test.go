package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// resourceGraph has all resources by URN, with the resources that must exist before each of them. A
// destroy uses the same dependencies in the opposite direction.
type resourceGraph map[string]registeredResource

// newResourceGraph returns the graph of all resources.
func newResourceGraph(resources []registeredResource) resourceGraph {
	graph := resourceGraph{}
	for _, r := range resources {
		graph[r.URN] = r
	}
	return graph
}

// dependencies returns the URNs of all resources that must exist before a resource.
func (g resourceGraph) dependencies(urn string) map[string]bool {
	seen := map[string]bool{}
	queue := []string{urn}
	for len(queue) > 0 {
		urn, queue = queue[0], queue[1:]
		for _, earlier := range g[urn].Dependencies {
			if !seen[earlier] {
				seen[earlier] = true
				queue = append(queue, earlier)
			}
		}
	}
	return seen
}

// find returns the URNs of the resources of a type with namePart in their names.
func (g resourceGraph) find(resourceType, namePart string) []string {
	var urns []string
	for urn, r := range g {
		if r.Type == resourceType && strings.Contains(urn[strings.LastIndex(urn, "::"):], namePart) {
			urns = append(urns, urn)
		}
	}
	slices.Sort(urns)
	return urns
}

// If a resource is created before one that it needs, AWS refuses it, or nodes do not join. The
// engine may create resources in every order that the dependencies allow.
func TestResourcesAreCreatedAfterTheirDependencies(t *testing.T) {
	graph := newResourceGraph(deployStack(t, "prod"))
	const (
		group, route, rule = "aws:autoscaling/group:Group", "aws:ec2/route:Route", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
		endpoint, gateway  = "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/internetGateway:InternetGateway"
		binding            = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding"
		origin, balancer   = "aws:cloudfront/vpcOrigin:VpcOrigin", "aws:lb/loadBalancer:LoadBalancer"
	)
	for _, tc := range []struct {
		reason               string
		later, laterPart     string
		earlier, earlierPart string
		atLeast              int
	}{
		{"AWS refuses a load balancer without an internet gateway", balancer, "", gateway, "", 1},
		{"AWS refuses a VPC origin without an internet gateway", origin, "", gateway, "", 1},
		{"nodes pull images and join through NAT", group, "", route, "private-app", 6},
		{"nodes pull images and join through the private endpoints", group, "", endpoint, "", 9},
		{"the endpoints accept connections of nodes only when a rule admits them", group, "", rule, "endpoints-from-nodes", 1},
		{"nodes and control plane reach each other", group, "", rule, "control-plane", 6},
		{"the API server checks the first pod of web", "kubernetes:apps/v1:Deployment", "progressive-framework-prod-web", binding, "", 1},
		{"the API server checks the first pod of an agent", "kubernetes:apps/v1:Deployment", "progressive-framework-prod-npa", binding, "", 1},
		{"the API server checks the pod of the migration", "kubernetes:batch/v1:Job", "", binding, "", 1},
		{"the roles of the database exist before a service logs in", "kubernetes:apps/v1:Deployment", "progressive-framework-prod-web", "kubernetes:batch/v1:Job", "migrate", 1},
		{"the roles of the database exist before the exporter logs in", "kubernetes:apps/v1:Deployment", "postgres-exporter", "kubernetes:batch/v1:Job", "migrate", 1},
		{"CloudFront is admitted before it sends requests", "aws:cloudfront/distribution:Distribution", "", rule, "from-cloudfront", 1},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			later, earlier := graph.find(tc.later, tc.laterPart), graph.find(tc.earlier, tc.earlierPart)
			require.NotEmpty(t, later)
			require.GreaterOrEqual(t, len(earlier), tc.atLeast, "resources of type %s named %s", tc.earlier, tc.earlierPart)
			for _, urn := range later {
				dependencies := graph.dependencies(urn)
				for _, e := range earlier {
					require.True(t, dependencies[e], "%s must come after %s", urn, e)
				}
			}
		})
	}
}

// A deployer in the VPC or in a connected network needs security group rules to reach the API
// server and AWS's services. The program creates the rules before anything that needs them.
func TestDeployersAreAdmittedBeforeTheyConnect(t *testing.T) {
	graph := newResourceGraph(deployStackWith(t, "prod", map[string]string{
		"progressive-framework:cluster": `{"admins":["arn:aws:iam::123456789012:role/operators"],"privateAccessCidrs":["10.10.0.0/20"]}`,
	}))
	const rule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	endpoints, controlPlane := graph.find(rule, "endpoints-from-10-10-0-0-20"), graph.find(rule, "control-plane-from-10-10-0-0-20")
	require.Len(t, endpoints, 1)
	require.Len(t, controlPlane, 1)
	interfaceEndpoints, kubernetesProviders := 0, 0
	for urn, r := range graph {
		switch {
		case r.Type == "aws:ec2/vpcEndpoint:VpcEndpoint" && r.Properties["vpcEndpointType"] == "Interface":
			interfaceEndpoints++
			require.True(t, graph.dependencies(urn)[endpoints[0]], "%s must come after %s", urn, endpoints[0])
		case r.Type == "pulumi:providers:kubernetes":
			kubernetesProviders++
			require.True(t, graph.dependencies(urn)[controlPlane[0]], "%s must come after %s", urn, controlPlane[0])
		}
	}
	require.Equal(t, []int{8, 1}, []int{interfaceEndpoints, kubernetesProviders}, "interface endpoints, and Kubernetes providers")
}
