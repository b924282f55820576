package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/containerlogs"
	"github.com/progressive-framework/platform/components/containerlogs/fluentbit"
	"github.com/progressive-framework/platform/infra/config"
)

// deployContainerLogs deploys Fluent Bit on each node. Fluent Bit sends the logs of all containers
// to CloudWatch. If the stack does not manage the nodes, as in the sandbox, the function deploys
// nothing and the logs stay on the nodes.
func deployContainerLogs(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, nodes *nodes) error {
	if stack.Cluster.Nodes == config.NodesOwn {
		return nil
	}
	image, err := resolveImage(ctx, base, stack.ThirdPartyImage(fluentbit.Image, containerlogs.Repository))
	if err != nil {
		return err
	}
	_, err = containerlogs.NewShipper(ctx, stack.Name()+"-logs", &containerlogs.Args{
		Account: base.account, Cluster: eks.Cluster, Namespace: stack.Name(), KeyARN: base.key.ARN, Image: image,
		AlarmTopicARN: stack.Edge.AlarmTopicARN, Nodes: nodes.ready,
	}, eks.bothProviders)
	return err
}
