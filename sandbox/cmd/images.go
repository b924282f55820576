package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/registry"
	"github.com/progressive-framework/platform/sandbox/stack"
)

// imageTypes are the resource types of images that the stack pushes: built by the stack,
// or copied from another stack's registry.
var imageTypes = []string{"ko:index:Image", "ko:index:Promoted"}

// refreshLostImages refreshes the stack if an image of its state is not in the sandbox's
// registry, so that the next update pushes the image again. Without the refresh, Pulumi would
// not push the image, because the state has it. Then new pods could not pull the image. Images
// in the user's own registry are not checked.
func refreshLostImages(ctx context.Context, l *layout.Layout, s *stack.Stack, state stack.State, log *progress.Log) error {
	if l.Settings.Registry != "" {
		return nil
	}
	lost, err := findLostImages(ctx, l, state)
	if err != nil || len(lost) == 0 {
		return err
	}
	log.Say("the sandbox's registry lacks images of the stack %s, which are pushed again: %s", s.Name(), strings.Join(lost, ", "))
	return s.Run(ctx, "refresh", "--yes", "--skip-preview", "--stack", s.Name())
}

// findLostImages returns the references of images that are in the state but not in
// the registry.
func findLostImages(ctx context.Context, l *layout.Layout, state stack.State) ([]string, error) {
	var lost []string
	for _, r := range state.Resources {
		reference, _ := r.Outputs["reference"].(string)
		if !slices.Contains(imageTypes, r.Type) || !strings.HasPrefix(reference, l.RegistryAddress()+"/") {
			continue
		}
		ref, err := name.NewDigest(reference)
		if err != nil {
			return nil, fmt.Errorf("image %s in the stack's state: %w", r.URN, err)
		}
		pushedDigest, err := registry.CommonDigest(ctx, remote.WithAuth(authn.Anonymous), ref)
		if err != nil {
			return nil, err
		}
		if pushedDigest == "" {
			lost = append(lost, reference)
		}
	}
	return lost, nil
}
