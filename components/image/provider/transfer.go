package provider

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	p "github.com/pulumi/pulumi-go-provider"

	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/signkey"
)

// transfer is the copy of a promoted image.
type transfer struct {
	source, target name.Digest
	// targetKnown is false in a preview before the target's repository exists.
	targetKnown    bool
	tag            string
	keys           signkey.Trusted
	predicateTypes []string
	sourceOptions  []remote.Option
	targetOptions  []remote.Option
}

// newTransfer returns the transfer that the checked inputs describe.
func (r *Promoted) newTransfer(in PromotedInputs) (*transfer, error) {
	t := &transfer{targetKnown: in.Repository != "", tag: in.Tag, predicateTypes: in.PredicateTypes}
	var err error
	if t.source, err = name.NewDigest(in.Source, name.StrictValidation); err != nil {
		return nil, fmt.Errorf("source %q: %w", in.Source, err)
	}
	if t.keys, err = signkey.ParseTrusted(in.TrustedKeys...); err != nil {
		return nil, fmt.Errorf("trustedKeys: %w", err)
	}
	login := in.Login
	if t.targetKnown {
		repo, err := name.NewRepository(in.Repository, name.StrictValidation)
		if err != nil {
			return nil, fmt.Errorf("repository %q: %w", in.Repository, err)
		}
		t.target, t.targetOptions = repo.Digest(t.source.DigestStr()), r.passwords.clientOptions(repo, login)
		if repo.RegistryStr() != t.source.RegistryStr() {
			login = nil // only the target's registry may get the password
		}
	} else if login != nil && !login.isForRegistry(t.source.RegistryStr()) {
		login = nil // the target may be in another registry
	}
	t.sourceOptions = r.passwords.clientOptions(t.source.Context(), login)
	return t, nil
}

// isVerifiedInTarget reports whether the target has the image and the image passes the
// verification.
func (t *transfer) isVerifiedInTarget(ctx context.Context) bool {
	if !t.targetKnown {
		return false
	}
	_, err := attest.Verify(ctx, t.target, t.keys, t.predicateTypes, t.targetOptions...)
	return err == nil
}

// verifySource verifies the image in the source.
func (t *transfer) verifySource(ctx context.Context) error {
	_, err := attest.Verify(ctx, t.source, t.keys, t.predicateTypes, t.sourceOptions...)
	return err
}

// copy verifies the source, copies it, verifies the copy, and then sets the tag. If the
// target already has the verified image, copy only sets the tag. In this case the source
// need not exist any more.
func (t *transfer) copy(ctx context.Context) error {
	if !t.isVerifiedInTarget(ctx) {
		p.GetLogger(ctx).InfoStatusf("copying %s", t.source)
		if err := t.verifySource(ctx); err != nil {
			return err
		}
		if err := attest.Copy(ctx, t.source, t.target.Context(), t.sourceOptions, t.targetOptions); err != nil {
			return err
		}
		if _, err := attest.Verify(ctx, t.target, t.keys, t.predicateTypes, t.targetOptions...); err != nil {
			return fmt.Errorf("verify the copy: %w", err)
		}
	}
	options := append([]remote.Option{remote.WithContext(ctx)}, t.targetOptions...)
	desc, err := remote.Get(t.target, options...)
	if err != nil {
		return fmt.Errorf("read the copy %s: %w", t.target, err)
	}
	pusher, err := remote.NewPusher(t.targetOptions...)
	if err != nil {
		return fmt.Errorf("registry %s: %w", t.target.RegistryStr(), err)
	}
	// A push skips a tag that already refers to the image. That is important, because
	// repositories with immutable tags refuse to set a tag again.
	if err := pusher.Push(ctx, t.target.Context().Tag(t.tag), desc); err != nil {
		return fmt.Errorf("tag %s: %w", t.target, err)
	}
	return nil
}
