package components

import (
	"context"
	"errors"
	"net"
	"strconv"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // registers the metrics of each component's API client
	_ "k8s.io/component-base/metrics/prometheus/version"  // registers the metric of each component's version
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localcluster"
	"github.com/progressive-framework/platform/sandbox/localcluster/internal/forward"
)

func serveAPIServer(ctx context.Context, l *layout.Layout, c localcluster.Component) error {
	if l.Cluster == layout.ClusterLocal {
		// Pods use the node's address; see the comment of package localcluster.
		port := strconv.Itoa(l.Ports.APIServer)
		if err := forward.Start(ctx, net.JoinHostPort(localcluster.NodeAddress, port), net.JoinHostPort("127.0.0.1", port)); err != nil {
			return err
		}
	}
	return runCommand(ctx, apiserver.NewAPIServerCommand(), c.Flags(l))
}

func serveControllerManager(ctx context.Context, l *layout.Layout, c localcluster.Component) error {
	return runCommandUntilDone(ctx, controllermanager.NewControllerManagerCommand(), c.Flags(l))
}

func serveScheduler(ctx context.Context, l *layout.Layout, c localcluster.Component) error {
	return runCommand(ctx, scheduler.NewSchedulerCommand(), c.Flags(l))
}

func serveKubelet(ctx context.Context, l *layout.Layout, c localcluster.Component) error {
	return runCommand(ctx, kubelet.NewKubeletCommand(ctx), c.Flags(l))
}

func serveProxy(ctx context.Context, l *layout.Layout, c localcluster.Component) error {
	return runCommandUntilDone(ctx, proxy.NewProxyCommand(), c.Flags(l))
}

var errEnded = errors.New("ended by itself")

// runCommand runs a command of Kubernetes that ends at SIGTERM. The command has its own signal
// handler, and the caller's signal handler ends ctx at the same signal. If the command ends
// while ctx is still active, runCommand returns an error.
func runCommand(ctx context.Context, cmd *cobra.Command, flags []string) error {
	cmd.SetArgs(flags)
	err := cli.RunNoErrOutput(cmd)
	if err == nil && ctx.Err() == nil {
		return errEnded
	}
	return err
}

// runCommandUntilDone runs a command that ignores signals and needs no shutdown. When ctx ends,
// runCommandUntilDone returns although the command still runs.
func runCommandUntilDone(ctx context.Context, cmd *cobra.Command, flags []string) error {
	ended := make(chan error, 1)
	go func() { ended <- runCommand(ctx, cmd, flags) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}
