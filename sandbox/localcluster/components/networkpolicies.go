package components

import (
	"context"
	"fmt"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localcluster"
)

// serveNetworkPolicies runs kube-network-policies, which enforces NetworkPolicies: it
// decides for the first packet of each connection whether the packet may pass. It replaces
// the VPC CNI's policy agent.
//
// kube-network-policies queues packets with nftables, which needs a kernel with
// CONFIG_NFT_QUEUE. Some kernels do not have it, so localcluster.AddNFQueueRule also queues
// the packets with iptables. If both work, a packet is queued twice, with the same decision.
func serveNetworkPolicies(ctx context.Context, l *layout.Layout, _ localcluster.Component) error {
	config, err := clientcmd.BuildConfigFromFlags("", l.Kubeconfig())
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	controller, err := networkpolicy.NewController(client,
		factory.Networking().V1().NetworkPolicies(), factory.Core().V1().Namespaces(), factory.Core().V1().Pods(),
		nil, nil, nil, nil,
		networkpolicy.Config{
			NodeName: localcluster.NodeName,
			QueueID:  localcluster.NFQueueNumber,
			// If the process can't decide whether to allow a packet, the packet passes.
			FailOpen: true,
		})
	if err != nil {
		return fmt.Errorf("network policies: %w", err)
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	if err := localcluster.AddNFQueueRule(ctx); err != nil {
		return err
	}
	return controller.Run(ctx)
}
