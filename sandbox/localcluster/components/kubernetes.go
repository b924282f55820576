package components

import (
	"context"
	"errors"
	"net"
	"strconv"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // the metrics of each component's client
	_ "k8s.io/component-base/metrics/prometheus/version"  // and of its version
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"github.com/progressive-framework/platform/sandbox/cluster"
	"github.com/progressive-framework/platform/sandbox/cluster/internal/forward"
	"github.com/progressive-framework/platform/sandbox/home"
)

func serveAPIServer(ctx context.Context, h *home.Home, c cluster.Component) error {
	if h.Cluster == home.ClusterLocal {
		// Pods come by the node's address; see the doc of package cluster.
		port := strconv.Itoa(h.Ports.APIServer)
		if err := forward.Start(ctx, net.JoinHostPort(cluster.NodeAddress, port), net.JoinHostPort("127.0.0.1", port)); err != nil {
			return err
		}
	}
	return execute(ctx, apiserver.NewAPIServerCommand(), c.Flags(h))
}

func serveControllerManager(ctx context.Context, h *home.Home, c cluster.Component) error {
	return executeUntil(ctx, controllermanager.NewControllerManagerCommand(), c.Flags(h))
}

func serveScheduler(ctx context.Context, h *home.Home, c cluster.Component) error {
	return execute(ctx, scheduler.NewSchedulerCommand(), c.Flags(h))
}

func serveKubelet(ctx context.Context, h *home.Home, c cluster.Component) error {
	return execute(ctx, kubelet.NewKubeletCommand(ctx), c.Flags(h))
}

func serveProxy(ctx context.Context, h *home.Home, c cluster.Component) error {
	return executeUntil(ctx, proxy.NewProxyCommand(), c.Flags(h))
}

var errEnded = errors.New("it ended by itself")

// execute runs a command of Kubernetes that ends in order on SIGTERM, which it
// waits for by itself, beside whatever ends ctx.
func execute(ctx context.Context, cmd *cobra.Command, flags []string) error {
	cmd.SetArgs(flags)
	err := cli.RunNoErrOutput(cmd)
	if err == nil && ctx.Err() == nil {
		return errEnded
	}
	return err
}

// executeUntil runs a command that takes no notice of signals and has nothing
// to put in order: it is left when ctx ends.
func executeUntil(ctx context.Context, cmd *cobra.Command, flags []string) error {
	ended := make(chan error, 1)
	go func() { ended <- execute(ctx, cmd, flags) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}
