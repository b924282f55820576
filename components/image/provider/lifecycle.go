package provider

import (
	"context"
	"errors"
	"maps"
	"slices"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Create pushes what Check built. A preview pushes nothing, and shows what it
// can.
func (i *Image) Create(ctx context.Context, req infer.CreateRequest[ImageInputs]) (infer.CreateResponse[ImageState], error) {
	state, err := i.deploy(ctx, req.Inputs, req.DryRun)
	return infer.CreateResponse[ImageState]{ID: req.Inputs.Repository, Output: state}, err
}

// Update pushes the new image. The old one stays in the registry: pods of it
// run until the rollout ends, and a rollback needs it.
func (i *Image) Update(ctx context.Context, req infer.UpdateRequest[ImageInputs, ImageState]) (infer.UpdateResponse[ImageState], error) {
	state, err := i.deploy(ctx, req.Inputs, req.DryRun)
	return infer.UpdateResponse[ImageState]{Output: state}, err
}

func (i *Image) deploy(ctx context.Context, in ImageInputs, dryRun bool) (ImageState, error) {
	state := ImageState{ImageSpec: in.ImageSpec}
	if in.Digest == "" {
		if dryRun {
			return state, nil
		}
		return state, errors.New("no digest: the inputs were not checked")
	}
	result, err := i.builder.planned(ctx, in.recipe(), in.Digest, in.keychain())
	if err != nil {
		return state, err
	}
	state.Size = int(result.size)
	if in.Repository != "" { // unknown in a preview before the repository exists
		state.Reference = in.Repository + "@" + in.Digest
		state.SBOMReference = in.Repository + "@" + result.sboms[0].digest.String()
	}
	if dryRun {
		return state, nil
	}
	return state, publish(ctx, result, in.Repository, in.Tag, in.Credentials)
}

// Diff compares what the sources build to with what was pushed. Everything
// that makes an image is in its digest, so that the digest decides; the inputs
// that differ are named beside it. Credentials never make a difference.
func (i *Image) Diff(_ context.Context, req infer.DiffRequest[ImageInputs, ImageState]) (infer.DiffResponse, error) {
	was, is := req.State.ImageSpec, req.Inputs.ImageSpec
	detail := map[string]p.PropertyDiff{}
	if was.Repository != is.Repository {
		detail["repository"] = p.PropertyDiff{Kind: p.UpdateReplace}
	}
	if was.Digest != is.Digest {
		detail["digest"] = p.PropertyDiff{Kind: p.Update}
		for name, same := range map[string]bool{
			"importPath": was.ImportPath == is.ImportPath,
			"base":       value(was.Base) == value(is.Base),
			"goVersion":  was.GoVersion == is.GoVersion || is.GoVersion == "",
			"platforms":  slices.Equal(was.Platforms, is.Platforms),
			"labels":     maps.Equal(was.Labels, is.Labels),
		} {
			if !same {
				detail[name] = p.PropertyDiff{Kind: p.Update}
			}
		}
	}
	return infer.DiffResponse{HasChanges: len(detail) > 0, DetailedDiff: detail}, nil
}
