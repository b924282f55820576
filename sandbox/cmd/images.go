package cmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/registry"
	"github.com/progressive-framework/platform/sandbox/stack"
)

// imageType is the type of an image that the stack builds and pushes.
const imageType = "ko:index:Image"

// refreshLostImages refreshes the stack where the sandbox's registry has lost
// an image of its state, so that the next update pushes the image again.
// Without that, Pulumi would trust the state, and new pods could not pull. The
// images in a registry of the person's own are not checked.
func refreshLostImages(ctx context.Context, h *home.Home, s *stack.Stack, log *progress.Log) error {
	if h.Settings.Registry != "" {
		return nil
	}
	state, err := s.Export(ctx)
	if err != nil {
		return err
	}
	lost, err := lostImages(ctx, h, state)
	if err != nil || len(lost) == 0 {
		return err
	}
	log.Say("the sandbox's registry lacks images of the stack %s, which are pushed again: %s", s.Name(), strings.Join(lost, ", "))
	return s.Run(ctx, "refresh", "--yes", "--skip-preview", "--stack", s.Name())
}

// lostImages returns the references of the images that the state has and the
// registry lacks.
func lostImages(ctx context.Context, h *home.Home, state stack.State) ([]string, error) {
	var lost []string
	for _, r := range state.Resources {
		reference, _ := r.Outputs["reference"].(string)
		if r.Type != imageType || !strings.HasPrefix(reference, h.RegistryAddress()+"/") {
			continue
		}
		ref, err := name.NewDigest(reference)
		if err != nil {
			return nil, fmt.Errorf("image %s in the stack's state: %w", r.URN, err)
		}
		held, err := registry.Held(ctx, remote.WithAuth(authn.Anonymous), ref)
		if err != nil {
			return nil, err
		}
		if held == "" {
			lost = append(lost, reference)
		}
	}
	return lost, nil
}
