package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var networkExamples = []example{
	{rule: "network-acl-no-admin-ports", at: "NetworkAcl private-data-acl", path: "ingress.0.cidrBlock", bad: "0.0.0.0/0", absent: evaluate.Holds},
	{rule: "network-acl-no-admin-ports", at: "NetworkAcl private-data-acl", path: "ingress.0.ipv6CidrBlock", bad: "::/0", absent: evaluate.Holds},
	{rule: "network-default-group-closed", at: "DefaultSecurityGroup default-sg", path: "ingress", bad: []any{map[string]any{"protocol": "-1"}}, on: "Vpc vpc", absent: evaluate.Holds},
	{rule: "network-default-group-closed", at: "DefaultSecurityGroup default-sg", path: "vpcId", bad: nil, on: "Vpc vpc"},
	{rule: "network-egress-scoped", at: "SecurityGroupEgressRule node-out", path: "ipProtocol", bad: "-1", absent: evaluate.Holds},
	{rule: "network-egress-scoped", at: "SecurityGroupEgressRule node-out", path: "cidrIpv6", bad: "::/0", absent: evaluate.Holds, given: []edit{set("SecurityGroupEgressRule node-out", "cidrIpv4", nil), set("SecurityGroupEgressRule node-out", "ipProtocol", "-1")}},
	{rule: "network-endpoint-policy", at: "VpcEndpoint endpoint-logs", path: "policy", bad: nil},
	{rule: "network-endpoint-private-names", at: "VpcEndpoint endpoint-autoscaling", path: "privateDnsEnabled", bad: false},
	{rule: "network-flow-logs", at: "FlowLog flow-logs", path: "trafficType", bad: "REJECT", on: "Vpc vpc", absent: evaluate.Holds},
	{rule: "network-flow-logs", at: "FlowLog flow-logs", path: "vpcId", bad: "vpc-of-another", on: "Vpc vpc"},
	{rule: "network-ingress-by-reference", at: "SecurityGroupIngressRule control-plane-from-nodes", path: "referencedSecurityGroupId", bad: nil},
	{rule: "network-ingress-not-internet", at: "SecurityGroupIngressRule control-plane-from-nodes", path: "cidrIpv4", bad: "0.0.0.0/0", absent: evaluate.Holds},
	{rule: "network-ingress-not-internet", at: "SecurityGroupIngressRule control-plane-from-nodes", path: "cidrIpv6", bad: "::/0", absent: evaluate.Holds},
	{rule: "network-names-resolve", at: "Vpc vpc", path: "enableDnsHostnames", bad: false},
	{rule: "network-names-resolve", at: "Vpc vpc", path: "enableDnsSupport", bad: false, absent: evaluate.Holds},
	{rule: "network-nat-survives-zone", at: "Route private-app-b-out", path: "natGatewayId", bad: "nat-of-a", on: "NatGateway nat-a", absent: evaluate.Holds, edits: []edit{pointAt("Route private-app-b-out", "natGatewayId", "Route private-app-a-out")}},
	{rule: "network-rules-apart", at: "SecurityGroup node", path: "egress", bad: true, absent: evaluate.Holds},
	{rule: "network-rules-apart", at: "SecurityGroup node", path: "ingress", bad: true, absent: evaluate.Holds},
	{rule: "network-rules-described", at: "SecurityGroupEgressRule node-out", path: "description", bad: nil},
	{rule: "network-subnet-private-addresses", at: "Subnet private-app-a", path: "mapPublicIpOnLaunch", bad: true, absent: evaluate.Holds},
	{rule: "network-subnets-apart", at: "Subnet private-app-a", path: "cidrBlock", bad: "192.168.0.0/16", absent: evaluate.Holds, given: []edit{set("Subnet private-app-b", "cidrBlock", "192.168.4.0/24"), set("Subnet private-app-a", "cidrBlock", "10.99.0.0/24")}, also: []string{"network-subnets-apart @ Subnet private-app-b"}},
}
