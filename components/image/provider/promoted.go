package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/signkey"
)

// Promoted implements ko:index:Promoted: a copy of an image that another stack has built and
// signed. The copy has the same digest and the same signed statements.
type Promoted struct {
	passwords *ecrPasswords
}

// Annotate names the resource.
func (r *Promoted) Annotate(a infer.Annotator) {
	a.SetToken("index", "Promoted")
	a.Describe(&r, "A signed container image, copied by its digest from the repository of another stack, and verified before and after.")
}

// PromotedSpec has the properties that inputs and state share. Check computes the last
// two.
type PromotedSpec struct {
	Source         string   `pulumi:"source"`
	Repository     string   `pulumi:"repository"`
	TrustedKeys    []string `pulumi:"trustedKeys"`
	PredicateTypes []string `pulumi:"predicateTypes,optional"`

	Digest string `pulumi:"digest,optional"`
	Tag    string `pulumi:"tag,optional"`
}

// Annotate documents the properties in the schema.
func (s *PromotedSpec) Annotate(a infer.Annotator) {
	a.Describe(&s.Source, "The image to copy: REGISTRY/PATH@sha256:DIGEST.")
	a.Describe(&s.Repository, "Repository to copy to: REGISTRY/PATH without a tag. A change replaces the image.")
	a.Describe(&s.TrustedKeys, "Public keys in PEM. One of them must have signed each wanted statement.")
	a.Describe(&s.PredicateTypes, "The predicate types of the wanted statements; SLSA provenance v1 and SPDX if empty.")
	a.Describe(&s.Digest, "Set by the provider: the digest of the source.")
	a.Describe(&s.Tag, "Set by the provider: the tag of the manifest, promoted-STACK-NAME-DIGEST.")
}

// PromotedInputs are the inputs of the resource ko:index:Promoted.
type PromotedInputs struct {
	PromotedSpec
	Login *ECRLogin `pulumi:"login,optional"`
}

// Annotate documents the inputs in the schema.
func (in *PromotedInputs) Annotate(a infer.Annotator) {
	a.Describe(&in.Login, "How to log in to the repository's ECR registry; with the docker config if empty, and at other registries.")
}

// PromotedState has the properties of a copied image in the stack's state.
type PromotedState struct {
	PromotedSpec
	Reference string `pulumi:"reference"`
}

// Annotate documents the outputs in the schema.
func (s *PromotedState) Annotate(a infer.Annotator) {
	a.Describe(&s.Reference, "REPOSITORY@DIGEST, for pods.")
}

// WireDependencies declares which outputs a preview can show: the reference needs the
// repository, which is unknown in the first preview of a stack.
func (r *Promoted) WireDependencies(f infer.FieldSelector, in *PromotedInputs, out *PromotedState) {
	f.OutputField(&out.Reference).DependsOn(f.InputField(&in.Repository).Computed(), f.InputField(&in.Digest).Computed())
	if out.Reference != "" {
		f.OutputField(&out.Reference).AlwaysKnown()
	}
}

// Create copies and verifies the image. A preview copies nothing.
func (r *Promoted) Create(ctx context.Context, req infer.CreateRequest[PromotedInputs]) (infer.CreateResponse[PromotedState], error) {
	state, err := r.deploy(ctx, req.Inputs, req.DryRun)
	return infer.CreateResponse[PromotedState]{ID: req.Inputs.Repository, Output: state}, err
}

// Update copies and verifies the new image. The old one stays, for the pods that still
// run it and for a rollback.
func (r *Promoted) Update(ctx context.Context, req infer.UpdateRequest[PromotedInputs, PromotedState]) (infer.UpdateResponse[PromotedState], error) {
	state, err := r.deploy(ctx, req.Inputs, req.DryRun)
	return infer.UpdateResponse[PromotedState]{Output: state}, err
}

// deploy returns the state of the copy, and copies the image unless dryRun is set.
func (r *Promoted) deploy(ctx context.Context, in PromotedInputs, dryRun bool) (PromotedState, error) {
	state := PromotedState{PromotedSpec: in.PromotedSpec}
	if in.Repository != "" && in.Digest != "" { // unknown in a preview before the repository exists
		state.Reference = in.Repository + "@" + in.Digest
	}
	if dryRun {
		return state, nil
	}
	t, err := r.newTransfer(in)
	if err != nil {
		return state, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, pushTimeout, fmt.Errorf("copying took longer than %s", pushTimeout))
	defer cancel()
	if err := t.copy(ctx); err != nil {
		var refused *attest.RefusedError
		if errors.As(err, &refused) || errors.Is(err, attest.ErrAbsent) {
			return state, err
		}
		return state, pushError(ctx, t.target.Context(), err)
	}
	return state, nil
}

// isSubset reports whether all contains each of some.
func isSubset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// Diff compares the repository, the digest and the inputs of the verification. Fewer predicate types
// are no change, because the image has been verified with more: so the preview of a draft, which
// demands fewer, shows only the images that change. Diff does not compare the source, because the
// digest identifies the image. It does not compare the login either.
func (r *Promoted) Diff(_ context.Context, req infer.DiffRequest[PromotedInputs, PromotedState]) (infer.DiffResponse, error) {
	before, now := req.State.PromotedSpec, req.Inputs.PromotedSpec
	detail := map[string]p.PropertyDiff{}
	if before.Repository != now.Repository {
		detail["repository"] = p.PropertyDiff{Kind: p.UpdateReplace}
	}
	for name, same := range map[string]bool{
		"digest":         before.Digest == now.Digest,
		"trustedKeys":    slices.Equal(before.TrustedKeys, now.TrustedKeys),
		"predicateTypes": isSubset(now.PredicateTypes, before.PredicateTypes),
	} {
		if !same {
			detail[name] = p.PropertyDiff{Kind: p.Update}
		}
	}
	return infer.DiffResponse{HasChanges: len(detail) > 0, DetailedDiff: detail}, nil
}

// Read looks for the copy and verifies it. If the copy or one of its signed statements does
// not exist, Read reports that the resource is deleted. The next update then copies the image
// again. If the login is refused, Read keeps the state, as Image.Read does.
func (r *Promoted) Read(ctx context.Context, req infer.ReadRequest[PromotedInputs, PromotedState]) (infer.ReadResponse[PromotedInputs, PromotedState], error) {
	unchanged := infer.ReadResponse[PromotedInputs, PromotedState](req)
	ref, err := name.NewDigest(req.State.Reference)
	if err != nil {
		return unchanged, fmt.Errorf("promoted image %s cannot be imported: register it in the program; the copy skips everything that the registry has", req.ID)
	}
	keys, err := signkey.ParseTrusted(req.State.TrustedKeys...)
	if err != nil {
		return unchanged, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, fmt.Errorf("no answer within %s", readTimeout))
	defer cancel()
	manifest, login, err := r.passwords.lookUp(ctx, ref, req.Inputs.Login)
	switch {
	case err != nil:
		return unchanged, ignoreDenied(err)
	case manifest == nil:
		return infer.ReadResponse[PromotedInputs, PromotedState]{}, nil
	}
	_, err = attest.Verify(ctx, ref, keys, req.State.PredicateTypes, remote.WithAuth(login.auth))
	var refused *attest.RefusedError
	switch {
	case errors.As(err, &refused):
		p.GetLogger(ctx).Warningf("%v. The next update copies it again", err)
		return infer.ReadResponse[PromotedInputs, PromotedState]{}, nil
	case err != nil:
		return unchanged, err
	}
	return unchanged, nil
}

// Delete deletes the copy under the rules of Image.Delete. Manifests to which other tags
// refer stay.
func (r *Promoted) Delete(ctx context.Context, req infer.DeleteRequest[PromotedState]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, r.passwords.deleteImage(ctx, req.State.Reference, req.State.Tag)
}
