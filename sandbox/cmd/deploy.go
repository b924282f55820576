package cmd

import (
	"context"
	"fmt"
	"slices"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localaddons"
	"github.com/progressive-framework/platform/sandbox/mirror"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/stack"
)

// deployWithAutoscaling runs `pulumi up`, waits until the platform is healthy, and returns the
// platform's URL. state is the stack's state before the run. If the images of Prometheus, KEDA and
// VPA are missing and the stack does not have KEDA yet, it runs `pulumi up` twice. The first run
// deploys the platform with a fixed number of pods. Then metrics-server is installed and the images
// are built, which takes a quarter of an hour. During that time the user can already open the
// platform.
func deployWithAutoscaling(ctx context.Context, l *layout.Layout, s *stack.Stack, state stack.State, log *progress.Log) (url string, err error) {
	if l.Cluster == layout.ClusterSimulated { // mirror.EnsureEmpty has pushed images without files
		return deployAndAwait(ctx, l, s, "", log)
	}
	missing, err := mirror.CountMissing(ctx, l)
	if err != nil {
		return "", err
	}
	if missing > 0 && !hasPodScaling(state) {
		if url, err = deployWithoutAutoscaling(ctx, l, s, log); err != nil {
			return "", err
		}
		log.Say("the platform answers at %s; the autoscalers of its pods follow", url)
	}
	if err := localaddons.InstallMetrics(ctx, l, log); err != nil {
		return "", err
	}
	if err := mirror.Ensure(ctx, l, log); err != nil {
		return "", err
	}
	return deployAndAwait(ctx, l, s, "", log)
}

// hasPodScaling reports whether the stack has KEDA, which scales the platform's pods.
func hasPodScaling(state stack.State) bool {
	return slices.ContainsFunc(state.Resources, func(r stack.Resource) bool { return r.Type == "progressive:keda:KEDA" })
}

// deployWithoutAutoscaling deploys the stack without the resources that scale pods.
func deployWithoutAutoscaling(ctx context.Context, l *layout.Layout, s *stack.Stack, log *progress.Log) (string, error) {
	file, err := project.WriteConfigWithoutPodScaling(s.Dir(), s.Name())
	if err != nil {
		return "", err
	}
	return deployAndAwait(ctx, l, s, file, log)
}

// deployAndAwait runs `pulumi up`, waits until the platform is healthy, and returns the platform's
// URL. If configFile is not empty, Pulumi reads it instead of the stack's configuration file.
func deployAndAwait(ctx context.Context, l *layout.Layout, s *stack.Stack, configFile string, log *progress.Log) (string, error) {
	args := []string{"up", "--yes", "--skip-preview", "--stack", s.Name()}
	if configFile != "" {
		args = append(args, "--config-file", configFile)
	}
	if err := s.Run(ctx, args...); err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("%w; the state is saved, make up continues from there", context.Cause(ctx))
		}
		return "", fmt.Errorf("%w. What was created stays. Fix the cause and run make up again", s.Explain(ctx, err))
	}
	state, err := s.Export(ctx)
	if err != nil {
		return "", err
	}
	url := state.Output("url")
	if l.Cluster == layout.ClusterSimulated {
		return url, nil
	}
	if l.Cluster == layout.ClusterExisting {
		if err := startForward(ctx, l, state.Output("namespace")); err != nil {
			return "", err
		}
	}
	if url == "" {
		return "", fmt.Errorf("the stack %s has no output named url", s.Name())
	}
	return url, log.Step("waiting for "+url+"/health", func(detail func(string)) error {
		return awaitFront(ctx, url, frontLimit, detail)
	})
}
