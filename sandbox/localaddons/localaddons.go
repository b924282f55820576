// Package localaddons puts into a local cluster what every cluster has and nobody
// thinks of: the pause image that holds a pod together, DNS for services
// (CoreDNS), and the resource metrics that autoscalers read (metrics-server).
//
// It owns the commands of the three images (one folder each below this one),
// how they are built with ko and pushed to the sandbox's registry, and the
// manifests. It starts no process of the sandbox, and knows nothing of the
// platform's own workloads.
//
// Nothing is remembered apart from what is there: an image is tagged with a
// digest of its sources, so a tag that exists means that there is nothing to
// build; and the manifests are applied every time, so whatever was removed or
// changed by hand comes back.
package localaddons

import (
	"context"
	"fmt"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localcluster"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// Install builds what is missing, applies the manifests and waits until
// everything is ready. Where nothing has changed it calls no compiler and is
// done within a second. It takes one step of the log, and one more, which it
// adds, for each image that it builds.
//
// It needs the registry and the API server. A simulated cluster runs no pods
// and the person's own cluster has addons of its own, so for those it does
// nothing.
func Install(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	if l.Cluster != layout.ClusterLocal {
		return nil
	}
	b, err := newBuilder(l)
	if err != nil {
		return err
	}
	refs, err := b.ensure(ctx, images, log)
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

// PushPause makes sure that the registry holds the pause image under the name
// that the cluster's containerd asks for. It needs the registry alone, so it
// can be called before the cluster has any pod. For clusters without pods of
// their own it does nothing.
func PushPause(ctx context.Context, l *layout.Layout) error {
	if l.Cluster != layout.ClusterLocal {
		return nil
	}
	b, err := newBuilder(l)
	if err != nil {
		return err
	}
	f, err := b.look(ctx, pause)
	if err == nil && f.digest == "" {
		_, err = b.build(ctx, pause, f.tags, func(string) {})
	}
	if err != nil {
		return fmt.Errorf("addons: image %s: %w", pause.name, err)
	}
	return nil
}
