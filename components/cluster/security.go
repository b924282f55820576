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
	part, description string
	port              int
}{
	{"https", "API services and webhooks on 443", 443},
	{"keda", "the metrics API of KEDA", 6443},
	{"webhook", "admission webhooks", 9443},
	{"kubelet", "kubelets: logs, exec, port-forward", 10250},
	{"metrics", "metrics-server, as EKS ships it", 10251},
}

// allPorts is the port of an ingress rule for all ports and protocols.
const allPorts = 0

// admitOperators allows the networks of PrivateAccess to call the API server. EKS's own
// security group admits only its members. So a private endpoint needs a rule for port 443
// (EKS User Guide, "Cluster API server endpoint").
func (b *builder) admitOperators() error {
	for _, source := range b.args.PrivateAccess {
		rule, err := access.NewRule(b.ctx, b.name+"-control-plane", b.cluster.SecurityGroupID, source, b.parent)
		if err != nil {
			return err
		}
		b.cluster.Admitted = append(b.cluster.Admitted, rule)
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
	nodes := group.ID().ToStringOutput()
	b.cluster.NodeSecurityGroupID = nodes
	controlPlane := b.cluster.SecurityGroupID

	if err := b.createIngressRule("node-from-nodes", "nodes and pods among themselves", nodes, nodes, allPorts); err != nil {
		return err
	}
	for _, p := range controlPlanePorts {
		if err := b.createIngressRule("node-from-control-plane-"+p.part, p.description, nodes, controlPlane, p.port); err != nil {
			return err
		}
	}
	if err := b.createIngressRule("control-plane-from-nodes", "nodes and pods to the API server", controlPlane, nodes, 443); err != nil {
		return err
	}
	egress, err := vpc.NewSecurityGroupEgressRule(b.ctx, b.name+"-node-out", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: nodes,
		Description:     pulumi.String("images, AWS APIs, data stores; network policies say what a pod may reach"),
		IpProtocol:      pulumi.String("-1"),
		CidrIpv4:        pulumi.String("0.0.0.0/0"),
	}, b.parent)
	if err != nil {
		return fmt.Errorf("egress of nodes: %w", err)
	}
	b.cluster.NodesNeed = append(b.cluster.NodesNeed, egress)
	return nil
}

// createIngressRule creates a rule: members of the security group client may connect to a port of
// members of the security group server. The port can be allPorts.
func (b *builder) createIngressRule(part, description string, server, client pulumi.StringInput, port int) error {
	args := &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId:           server,
		ReferencedSecurityGroupId: client,
		Description:               pulumi.String(description),
		IpProtocol:                pulumi.String("-1"),
	}
	if port != allPorts {
		args.IpProtocol = pulumi.String("tcp")
		args.FromPort, args.ToPort = pulumi.Int(port), pulumi.Int(port)
	}
	rule, err := vpc.NewSecurityGroupIngressRule(b.ctx, b.name+"-"+part, args, b.parent)
	if err != nil {
		return fmt.Errorf("ingress rule %s: %w", part, err)
	}
	b.cluster.NodesNeed = append(b.cluster.NodesNeed, rule)
	return nil
}
