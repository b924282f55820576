package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
)

var storeExamples = []example{
	{rule: "image-of-this-stack", resource: deployment, path: ownContainer + ".image", edits: []edit{withoutImage(deployment)}, ifAbsent: evaluate.Holds},
	{rule: "image-of-this-stack", resource: deployment, path: ownContainer + ".image", bad: "222222222222.dkr.ecr.us-east-1.amazonaws.com/mirror/a@sha256:" + digestHex, preparation: imageInAccount},
	{rule: "image-of-this-stack", resource: deployment, path: ownContainer + ".image", bad: "111111111111.dkr.ecr.us-east-1.amazonaws.com/mirror/a:1", preparation: imageInAccount, alsoBroken: []string{"pod-image-by-digest @ " + deployment}},
	{rule: "nodes-hold-all-pods", resource: "Group web-group", path: "maxSize", bad: 0.0, subject: eksCluster, preparation: []edit{set("Group application-group", "maxSize", 1.0), set("Group web-group", "maxSize", 40.0), set("Group web-group", "minSize", -1.0), set("Group application-group", "minSize", 0.0)}},
	{rule: "nodes-hold-all-pods", resource: deployment, path: ownContainer + ".resources.requests.cpu", bad: "1k", subject: eksCluster, ifAbsent: evaluate.Holds},
	{rule: "nodes-hold-all-pods", resource: deployment, path: ownContainer + ".resources.requests.memory", bad: "1Ti", subject: eksCluster, ifAbsent: evaluate.Holds},
	// In the next two examples, the pod of a DaemonSet requests all CPU or all memory of each node.
	{rule: "nodes-hold-all-pods", resource: "DaemonSet logs", path: ownContainer + ".resources.requests.cpu", bad: "4", subject: eksCluster, ifAbsent: evaluate.Holds},
	{rule: "nodes-hold-all-pods", resource: "DaemonSet logs", path: ownContainer + ".resources.requests.memory", bad: "16Gi", subject: eksCluster, ifAbsent: evaluate.Holds},
	{rule: "store-protected", resource: postgresInstance, edits: []edit{change(postgresInstance, func(r *graph.Resource) { r.Protect = false })}},
	{rule: "store-reached-by-its-users", resource: "SecurityGroupIngressRule postgres-from-nodes", path: "cidrIpv4", bad: "10.0.0.0/8", subject: postgresInstance, ifAbsent: evaluate.Holds},
	{rule: "store-reached-by-its-users", resource: "SecurityGroupIngressRule postgres-from-nodes", path: "cidrIpv6", bad: "fd00::/8", subject: postgresInstance, ifAbsent: evaluate.Holds},
	{rule: "store-reached-by-its-users", resource: "SecurityGroupIngressRule postgres-from-nodes", path: "referencedSecurityGroupId", bad: "sg-of-another", subject: postgresInstance},
	{rule: "store-reached-on-its-port", resource: mongoCluster, path: "port", bad: 0.0},
	{rule: "store-reached-on-its-port", resource: mongoCluster, path: "vpcSecurityGroupIds", bad: nil},
	routeExample("natGatewayId"), routeExample("gatewayId"), routeExample("egressOnlyGatewayId"),
}

// imageInAccount are the edits after which a Deployment runs an image by digest from the account's
// registry.
var imageInAccount = []edit{withoutImage(deployment), set(deployment, ownContainer+".image", "111111111111.dkr.ecr.us-east-1.amazonaws.com/mirror/a@sha256:"+digestHex)}

// routeExample returns an example with a route from the stores' subnets to a gateway. gateway is the
// input that names the gateway.
func routeExample(gateway string) example {
	return example{
		rule: "store-subnets-route-nowhere", resource: "Route out", path: gateway, bad: "another", subject: "SubnetGroup postgres-subnets", ifAbsent: evaluate.Holds,
		preparation: []edit{add("aws:ec2/route:Route", "out", map[string]any{"destinationCidrBlock": "10.0.0.0/8"}, map[string]string{"routeTableId": "RouteTable private-data-a"})},
		alsoBroken:  []string{"store-subnets-route-nowhere @ SubnetGroup mongo-subnets", "store-subnets-route-nowhere @ SubnetGroup redis-subnets"},
	}
}
