package provider

import (
	"context"
	"errors"
	"maps"
	"slices"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Create pushes the image that Check built. A preview pushes nothing and shows the
// known outputs.
func (i *Image) Create(ctx context.Context, req infer.CreateRequest[ImageInputs]) (infer.CreateResponse[ImageState], error) {
	state, err := i.deploy(ctx, req.Inputs, req.DryRun)
	return infer.CreateResponse[ImageState]{ID: req.Inputs.Repository, Output: state}, err
}

// Update pushes the new image. The old one stays in the registry, because its pods
// run until the rollout ends, and a rollback needs it.
func (i *Image) Update(ctx context.Context, req infer.UpdateRequest[ImageInputs, ImageState]) (infer.UpdateResponse[ImageState], error) {
	state, err := i.deploy(ctx, req.Inputs, req.DryRun)
	return infer.UpdateResponse[ImageState]{Output: state}, err
}

// deploy returns the state of an image, and pushes the image unless dryRun is set. If a dry run
// does not have the digest, because an input is unknown, the state has only the inputs.
func (i *Image) deploy(ctx context.Context, in ImageInputs, dryRun bool) (ImageState, error) {
	state := ImageState{ImageSpec: in.ImageSpec}
	if in.Digest == "" {
		if dryRun {
			return state, nil
		}
		return state, errors.New("digest is empty: the engine must call Check before Create and Update")
	}
	image, err := i.builder.buildDigest(ctx, in.recipe(), in.Digest, i.keychain(in))
	if err != nil {
		return state, err
	}
	state.Size = int(image.size)
	if in.Repository != "" { // unknown in a preview before the repository exists
		state.Reference = in.Repository + "@" + in.Digest
		state.SBOMReference = in.Repository + "@" + image.sboms[0].digest.String()
	}
	if dryRun {
		return state, nil
	}
	state.SignedBy, err = i.publish(ctx, in, image)
	return state, err
}

// Diff reports a change if the digest, the repository or the signing key differs. Every
// change of an image changes its digest. If the digest differs, the diff also names the
// inputs that differ. Diff does not compare the login. An image that is not signed is a change only
// if the update can sign it.
func (i *Image) Diff(ctx context.Context, req infer.DiffRequest[ImageInputs, ImageState]) (infer.DiffResponse, error) {
	before, now := req.State.ImageSpec, req.Inputs.ImageSpec
	detail := map[string]p.PropertyDiff{}
	if before.Repository != now.Repository {
		detail["repository"] = p.PropertyDiff{Kind: p.UpdateReplace}
	}
	switch {
	case before.SignedBy == now.SignedBy:
	case before.SignedBy == "" && hasModifiedFiles(ctx, stringOrEmpty(now.Dir)):
		warnUnsigned(ctx)
	default:
		detail["signedBy"] = p.PropertyDiff{Kind: p.Update}
	}
	if before.Digest != now.Digest {
		detail["digest"] = p.PropertyDiff{Kind: p.Update}
		for name, same := range map[string]bool{
			"importPath": before.ImportPath == now.ImportPath,
			"base":       stringOrEmpty(before.Base) == stringOrEmpty(now.Base),
			"goVersion":  before.GoVersion == now.GoVersion || now.GoVersion == "",
			"platforms":  slices.Equal(before.Platforms, now.Platforms),
			"labels":     maps.Equal(before.Labels, now.Labels),
		} {
			if !same {
				detail[name] = p.PropertyDiff{Kind: p.Update}
			}
		}
	}
	return infer.DiffResponse{HasChanges: len(detail) > 0, DetailedDiff: detail}, nil
}
