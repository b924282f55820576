// Package localaddons installs the addons that every cluster has into a local
// cluster: the pause image, which every pod needs, DNS for services (CoreDNS),
// and the resource metrics for autoscalers (metrics-server).
//
// It owns the commands of the three images (a folder for each below this one) and
// the manifests. It starts no process of the sandbox and does not deploy the
// platform's own workloads.
//
// It stores no state. The manifests are applied every time, which restores objects
// that were removed or changed by hand.
package localaddons

import (
	"context"
	"fmt"

	"github.com/progressive-framework/platform/sandbox/goimage"
	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localcluster"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// Install builds missing images, applies the manifests and waits until everything
// is ready. If nothing has changed it takes less than a second. It is one step of
// the log, and adds a step for each image that it builds.
//
// It needs the registry and the API server. For other kinds of cluster it does
// nothing: a simulated cluster runs no pods, and a user's own cluster has its own
// addons.
func Install(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	if l.Cluster != layout.ClusterLocal {
		return nil
	}
	b, err := goimage.NewBuilder(l)
	if err != nil {
		return err
	}
	refs, err := b.Ensure(ctx, "addons", images, log)
	if err != nil {
		return fmt.Errorf("addons: %w", err)
	}
	resolvers, err := hostResolvers(resolverFiles)
	if err != nil {
		return err
	}
	objects, err := render(values{
		CoreDNS:       refs[corednsName],
		MetricsServer: refs[metricsServerName],
		DNSAddress:    localcluster.DNSAddress,
		ClusterDomain: localcluster.ClusterDomain,
		Resolvers:     resolvers,
	})
	if err != nil {
		return err
	}
	return log.Step("addons: CoreDNS and metrics-server in the cluster", func(detail func(string)) error {
		api, err := connect(l)
		if err != nil {
			return err
		}
		if err := api.apply(ctx, objects, detail); err != nil {
			return err
		}
		return api.await(ctx, objects, detail)
	})
}

// PushPause makes sure that the pause image is in the registry under the name
// that containerd uses. It only needs the registry, so it can be called before the
// cluster has a pod. For other kinds of cluster it does nothing.
func PushPause(ctx context.Context, l *layout.Layout) error {
	if l.Cluster != layout.ClusterLocal {
		return nil
	}
	b, err := goimage.NewBuilder(l)
	if err != nil {
		return err
	}
	if err := b.EnsureQuietly(ctx, pause); err != nil {
		return fmt.Errorf("addons: %w", err)
	}
	return nil
}
