// Package localaddons installs the basic add-ons in a local cluster. They are CoreDNS (DNS for
// services), metrics-server (resource metrics for autoscalers) and the pause image that every pod
// needs.
//
// The package has the commands of the three images, each in a subfolder, and the
// manifests. It starts no process of the sandbox and does not deploy the platform's own
// workloads.
//
// The package stores no state. Each `up` applies all manifests, which restores objects
// that somebody has removed or changed.
package localaddons

import (
	"context"
	"fmt"

	"github.com/progressive-framework/platform/sandbox/goimage"
	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localcluster"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// InstallDNS installs CoreDNS, which every pod of the platform needs.
func InstallDNS(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	return install(ctx, l, log, dns)
}

// InstallMetrics installs metrics-server, which only autoscalers need. It is ready half a minute
// after its start, so it is installed after the platform answers for the first time.
func InstallMetrics(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	return install(ctx, l, log, metrics)
}

// install builds missing images of an addon, applies its manifest and waits until everything is
// ready. If nothing has changed, that takes less than a second. The work is one step of the log,
// and each image that is built adds a step.
//
// The registry and the API server must run. For other kinds of cluster install does nothing: a
// simulated cluster runs no pods, and a user's own cluster has its own addons.
func install(ctx context.Context, l *layout.Layout, log *progress.Log, a addon) error {
	if l.Cluster != layout.ClusterLocal {
		return nil
	}
	b, err := goimage.NewBuilder(l)
	if err != nil {
		return err
	}
	refs, err := b.Ensure(ctx, "addons", a.images, log)
	if err != nil {
		return fmt.Errorf("addons: %w", err)
	}
	resolvers, err := readHostResolvers(resolverFiles)
	if err != nil {
		return err
	}
	objects, err := renderObjects(a.manifest, templateValues{
		Image:         refs[a.name],
		DNSAddress:    localcluster.DNSAddress,
		ClusterDomain: localcluster.ClusterDomain,
		Resolvers:     resolvers,
	})
	if err != nil {
		return err
	}
	return log.Step("addons: "+a.name+" in the cluster", func(detail func(string)) error {
		api, err := newAPIClient(l)
		if err != nil {
			return err
		}
		if err := api.apply(ctx, objects, detail); err != nil {
			return err
		}
		return api.awaitReady(ctx, objects, detail)
	})
}

// PushPause builds and pushes the pause image, if the registry does not have it under the
// name that containerd uses. Only the registry must run. For other kinds of cluster
// PushPause does nothing.
func PushPause(ctx context.Context, l *layout.Layout) error {
	if l.Cluster != layout.ClusterLocal {
		return nil
	}
	b, err := goimage.NewBuilder(l)
	if err != nil {
		return err
	}
	if err := b.EnsureQuietly(ctx, pauseImage); err != nil {
		return fmt.Errorf("addons: %w", err)
	}
	return nil
}
