// Package components runs the processes of a sandbox's cluster: `sandbox run NAME` calls
// Run. It is the only package that links Kubernetes, etcd and kwok. Package localcluster
// defines the processes and their flags.
package components

import (
	"context"
	"fmt"

	"k8s.io/component-base/version"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localcluster"
	"github.com/progressive-framework/platform/sandbox/nodes"
	"github.com/progressive-framework/platform/sandbox/registry"
	"github.com/progressive-framework/platform/sandbox/volumes"
)

// runFunctions has one function for each component, by the component's name. The function
// runs the component. containerd is missing, because it is an executable of a Debian package.
var runFunctions = map[string]func(context.Context, *layout.Layout, localcluster.Component) error{
	localcluster.Registry: func(ctx context.Context, l *layout.Layout, _ localcluster.Component) error {
		return registry.Serve(ctx, l)
	},
	localcluster.Etcd:              serveEtcd,
	localcluster.APIServer:         serveAPIServer,
	localcluster.ControllerManager: serveControllerManager,
	localcluster.Scheduler:         serveScheduler,
	localcluster.Kubelet:           serveKubelet,
	localcluster.Proxy:             serveProxy,
	localcluster.NetworkPolicies:   serveNetworkPolicies,
	localcluster.Kwok:              func(ctx context.Context, l *layout.Layout, _ localcluster.Component) error { return nodes.Run(ctx, l) },
	localcluster.Volumes: func(ctx context.Context, l *layout.Layout, _ localcluster.Component) error {
		return volumes.Run(ctx, l)
	},
}

// Run runs the component with that name. It returns nil after ctx has ended. If the component
// ends earlier, Run returns an error.
//
// The commands of Kubernetes register metrics, features and flags for the whole
// process, so Run can be called only once in a process.
func Run(ctx context.Context, l *layout.Layout, name string) error {
	c, ok := localcluster.ComponentByName(name)
	runComponent := runFunctions[name]
	if !ok || runComponent == nil {
		return fmt.Errorf("run %q: this executable has no component of that name", name)
	}
	if linkedVersion := version.Get().GitVersion; linkedVersion != localcluster.KubernetesVersion {
		return fmt.Errorf("run %s: this executable was linked as Kubernetes %s, but contains %s: "+
			"link it with -X k8s.io/component-base/version.gitVersion=%[3]s", name, linkedVersion, localcluster.KubernetesVersion)
	}
	if err := runComponent(ctx, l, c); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
