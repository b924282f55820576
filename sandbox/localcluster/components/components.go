// Package components holds what the processes of a sandbox's cluster do once
// they are started as `sandbox run NAME`. It is the one package that links
// Kubernetes, etcd and kwok; which processes there are, and with which flags, is
// said in package cluster.
package components

import (
	"context"
	"fmt"

	"k8s.io/component-base/version"

	"github.com/progressive-framework/platform/sandbox/cluster"
	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/nodes"
	"github.com/progressive-framework/platform/sandbox/registry"
	"github.com/progressive-framework/platform/sandbox/volumes"
)

// bodies are the components by name, but containerd, which is Debian's.
var bodies = map[string]func(context.Context, *home.Home, cluster.Component) error{
	cluster.Registry: func(ctx context.Context, h *home.Home, _ cluster.Component) error {
		return registry.Serve(ctx, h)
	},
	cluster.Etcd:              serveEtcd,
	cluster.APIServer:         serveAPIServer,
	cluster.ControllerManager: serveControllerManager,
	cluster.Scheduler:         serveScheduler,
	cluster.Kubelet:           serveKubelet,
	cluster.Proxy:             serveProxy,
	cluster.Kwok:              func(ctx context.Context, h *home.Home, _ cluster.Component) error { return nodes.Run(ctx, h) },
	cluster.Volumes:           func(ctx context.Context, h *home.Home, _ cluster.Component) error { return volumes.Run(ctx, h) },
}

// Run is the body of `sandbox run NAME`. It returns when ctx ends, or with an
// error when the component does.
//
// The commands of Kubernetes register metrics, features and flags for the whole
// process: Run can be called once in a process, and for one component.
func Run(ctx context.Context, h *home.Home, name string) error {
	c, ok := cluster.ByName(name)
	body := bodies[name]
	if !ok || body == nil {
		return fmt.Errorf("run %q: no component of that name runs in this executable", name)
	}
	if got := version.Get().GitVersion; got != cluster.KubernetesVersion {
		return fmt.Errorf("run %s: this executable says it is Kubernetes %s, and is %s: "+
			"link it with -X k8s.io/component-base/version.gitVersion=%[3]s", name, got, cluster.KubernetesVersion)
	}
	if err := body(ctx, h, c); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
