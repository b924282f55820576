package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var networkExamples = []example{
	{rule: "network-acl-no-admin-ports", resource: "NetworkAcl private-data-acl", path: "ingress.0.cidrBlock", bad: "0.0.0.0/0", ifAbsent: evaluate.Holds},
	{rule: "network-acl-no-admin-ports", resource: "NetworkAcl private-data-acl", path: "ingress.0.ipv6CidrBlock", bad: "::/0", ifAbsent: evaluate.Holds},
	{rule: "network-default-group-closed", resource: "DefaultSecurityGroup default-sg", path: "ingress", bad: []any{map[string]any{"protocol": "-1"}}, subject: "Vpc vpc", ifAbsent: evaluate.Holds},
	{rule: "network-default-group-closed", resource: "DefaultSecurityGroup default-sg", path: "vpcId", bad: nil, subject: "Vpc vpc"},
	{rule: "network-egress-scoped", resource: "SecurityGroupEgressRule node-out", path: "ipProtocol", bad: "-1", ifAbsent: evaluate.Holds},
	{rule: "network-egress-scoped", resource: "SecurityGroupEgressRule node-out", path: "cidrIpv6", bad: "::/0", ifAbsent: evaluate.Holds, preparation: []edit{set("SecurityGroupEgressRule node-out", "cidrIpv4", nil), set("SecurityGroupEgressRule node-out", "ipProtocol", "-1")}},
	{rule: "network-endpoint-policy", resource: "VpcEndpoint endpoint-logs", path: "policy", bad: nil},
	{rule: "network-endpoint-private-names", resource: "VpcEndpoint endpoint-autoscaling", path: "privateDnsEnabled", bad: false},
	{rule: "network-flow-logs", resource: "FlowLog flow-logs", path: "trafficType", bad: "REJECT", subject: "Vpc vpc", ifAbsent: evaluate.Holds},
	{rule: "network-flow-logs", resource: "FlowLog flow-logs", path: "vpcId", bad: "vpc-of-another", subject: "Vpc vpc"},
	{rule: "network-ingress-by-reference", resource: "SecurityGroupIngressRule control-plane-from-nodes", path: "referencedSecurityGroupId", bad: nil},
	{rule: "network-ingress-not-internet", resource: "SecurityGroupIngressRule control-plane-from-nodes", path: "cidrIpv4", bad: "0.0.0.0/0", ifAbsent: evaluate.Holds},
	{rule: "network-ingress-not-internet", resource: "SecurityGroupIngressRule control-plane-from-nodes", path: "cidrIpv6", bad: "::/0", ifAbsent: evaluate.Holds},
	{rule: "network-names-resolve", resource: "Vpc vpc", path: "enableDnsHostnames", bad: false},
	{rule: "network-names-resolve", resource: "Vpc vpc", path: "enableDnsSupport", bad: false, ifAbsent: evaluate.Holds},
	{rule: "network-nat-survives-zone", resource: "Route private-app-b-out", path: "natGatewayId", bad: "nat-of-a", subject: "NatGateway nat-a", ifAbsent: evaluate.Holds, edits: []edit{copyReferences("Route private-app-b-out", "natGatewayId", "Route private-app-a-out")}},
	{rule: "network-rules-apart", resource: "SecurityGroup node", path: "egress", bad: true, ifAbsent: evaluate.Holds},
	{rule: "network-rules-apart", resource: "SecurityGroup node", path: "ingress", bad: true, ifAbsent: evaluate.Holds},
	{rule: "network-rules-described", resource: "SecurityGroupEgressRule node-out", path: "description", bad: nil},
	{rule: "network-subnet-private-addresses", resource: "Subnet private-app-a", path: "mapPublicIpOnLaunch", bad: true, ifAbsent: evaluate.Holds},
	{rule: "network-subnets-apart", resource: "Subnet private-app-a", path: "cidrBlock", bad: "192.168.0.0/16", ifAbsent: evaluate.Holds, preparation: []edit{set("Subnet private-app-b", "cidrBlock", "192.168.4.0/24"), set("Subnet private-app-a", "cidrBlock", "10.99.0.0/24")}, alsoBroken: []string{"network-subnets-apart @ Subnet private-app-b"}},
}
