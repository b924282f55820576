package cluster

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/network/access"
)

// controlPlanePorts are the ports of nodes and pods that the control plane calls:
// kubelets, and servers that extend the API server (EKS User Guide, "View Amazon EKS
// security group requirements for clusters").
var controlPlanePorts = []struct {
	// ruleName is the last part of the name of the ingress rule.
	ruleName, description string
	port                  int
}{
	{"https", "API services and webhooks on 443", 443},
	{"keda", "the metrics API of KEDA", 6443},
	{"webhook", "admission webhooks", 9443},
	{"kubelet", "kubelets: logs, exec, port-forward", 10250},
	{"metrics", "metrics-server, as EKS ships it", 10251},
}

// allPorts is the value of createIngressRule's parameter port for a rule that allows all ports and
// protocols.
const allPorts = 0

// admitOperators allows the networks of PrivateAccess to call the API server. EKS's own
// security group admits only network interfaces in the same group. So a private endpoint needs a
// rule for port 443 (EKS User Guide, "Cluster API server endpoint").
func (b *builder) admitOperators() error {
	for _, source := range b.args.PrivateAccess {
		rule, err := access.NewRule(b.ctx, b.name+"-control-plane", b.cluster.SecurityGroupID, source, b.parent)
		if err != nil {
			return err
		}
		b.cluster.AccessRules = append(b.cluster.AccessRules, rule)
	}
	return nil
}

// createNodeSecurityGroup creates the security group of all nodes. Nodes may connect to each
// other, to the API server, and through NAT to registries and AWS's APIs. The control
// plane may connect to a few ports of the nodes. All other ingress is denied.
func (b *builder) createNodeSecurityGroup() error {
	group, err := ec2.NewSecurityGroup(b.ctx, b.name+"-node", &ec2.SecurityGroupArgs{
		VpcId:       b.args.VPCID,
		Description: pulumi.String("Nodes of EKS cluster " + b.args.ClusterName),
		Tags:        pulumi.StringMap{"Name": pulumi.String(b.name + "-node")},
	}, b.parent)
	if err != nil {
		return fmt.Errorf("security group of nodes: %w", err)
	}
	nodeGroupID := group.ID().ToStringOutput()
	b.cluster.NodeSecurityGroupID = nodeGroupID
	controlPlaneGroupID := b.cluster.SecurityGroupID

	if err := b.createIngressRule("node-from-nodes", "nodes and pods among themselves", nodeGroupID, nodeGroupID, allPorts); err != nil {
		return err
	}
	for _, p := range controlPlanePorts {
		if err := b.createIngressRule("node-from-control-plane-"+p.ruleName, p.description, nodeGroupID, controlPlaneGroupID, p.port); err != nil {
			return err
		}
	}
	if err := b.createIngressRule("control-plane-from-nodes", "nodes and pods to the API server", controlPlaneGroupID, nodeGroupID, 443); err != nil {
		return err
	}
	egress, err := vpc.NewSecurityGroupEgressRule(b.ctx, b.name+"-node-out", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: nodeGroupID,
		Description:     pulumi.String("images, AWS APIs, data stores; network policies say what a pod may reach"),
		IpProtocol:      pulumi.String("-1"),
		CidrIpv4:        pulumi.String("0.0.0.0/0"),
	}, b.parent)
	if err != nil {
		return fmt.Errorf("egress of nodes: %w", err)
	}
	b.cluster.NodeDependencies = append(b.cluster.NodeDependencies, egress)
	return nil
}

// createIngressRule creates a rule: network interfaces in the security group clientGroupID may
// connect to a port of interfaces in serverGroupID. The port can be allPorts.
func (b *builder) createIngressRule(ruleName, description string, serverGroupID, clientGroupID pulumi.StringInput, port int) error {
	args := &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId:           serverGroupID,
		ReferencedSecurityGroupId: clientGroupID,
		Description:               pulumi.String(description),
		IpProtocol:                pulumi.String("-1"),
	}
	if port != allPorts {
		args.IpProtocol = pulumi.String("tcp")
		args.FromPort, args.ToPort = pulumi.Int(port), pulumi.Int(port)
	}
	rule, err := vpc.NewSecurityGroupIngressRule(b.ctx, b.name+"-"+ruleName, args, b.parent)
	if err != nil {
		return fmt.Errorf("ingress rule %s: %w", ruleName, err)
	}
	b.cluster.NodeDependencies = append(b.cluster.NodeDependencies, rule)
	return nil
}
