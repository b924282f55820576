package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	p "github.com/pulumi/pulumi-go-provider"
)

// sbomTag returns the tag that cosign and ko use for the SBOM of a manifest.
func sbomTag(repo name.Repository, subject v1.Hash) name.Tag {
	return repo.Tag(strings.Replace(subject.String(), ":", "-", 1) + ".sbom")
}

// publish pushes the SBOMs, the image, the signed statements and then the tag. So the tag
// exists only when the image is complete. Blobs that the registry has are not sent again.
// publish returns the id of the key that signed, or "".
func (i *Image) publish(ctx context.Context, in ImageInputs, b *builtImage) (signedBy string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, pushTimeout, fmt.Errorf("pushing took longer than %s", pushTimeout))
	defer cancel()
	repo, err := name.NewRepository(in.Repository, name.StrictValidation)
	if err != nil {
		return "", fmt.Errorf("repository %q: %w", in.Repository, err)
	}
	options := i.passwords.clientOptions(repo, in.Login)
	pusher, err := remote.NewPusher(options...)
	if err != nil {
		return "", fmt.Errorf("registry %s: %w", repo.RegistryStr(), err)
	}
	p.GetLogger(ctx).InfoStatusf("pushing %s@%s", repo, b.digest)
	for _, s := range b.sboms {
		if err := pusher.Push(ctx, sbomTag(repo, s.subject), s.file); err != nil {
			return "", pushError(ctx, repo, fmt.Errorf("pushing the SBOM of %s: %w", repo.Digest(s.subject.String()), err))
		}
	}
	// The push by digest comes first, because pods use the digest. A push by tag alone
	// would push nothing if the registry has the tag but has lost the manifest.
	push := func(ref name.Reference) error {
		if err := pusher.Push(ctx, ref, b.image); err != nil {
			return pushError(ctx, repo, fmt.Errorf("pushing %s: %w", ref, err))
		}
		return nil
	}
	if err := push(repo.Digest(b.digest.String())); err != nil {
		return "", err
	}
	if signedBy, err = in.sign(ctx, b, repo, options); err != nil {
		return "", pushError(ctx, repo, err)
	}
	return signedBy, push(repo.Tag(in.Tag))
}

// clientOptions returns the options of requests to a repository.
func (e *ecrPasswords) clientOptions(repo name.Repository, l *ECRLogin) []remote.Option {
	return []remote.Option{remote.WithAuthFromKeychain(e.keychain(repo.RegistryStr(), l)), remote.WithUserAgent("pulumi-resource-ko")}
}

// pushError adds the fix to the error of a push.
func pushError(ctx context.Context, repo name.Repository, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w: %w", cause, err)
	}
	if errors.Is(err, errNoPassword) {
		return err // it has its fix
	}
	switch classify(err) {
	case denied:
		return fmt.Errorf("%w; log in with an identity that may push to %s: correct the input login, or use docker login without it", err, repo)
	case absent:
		return fmt.Errorf("%w; check that the repository %s exists", err, repo)
	default:
		return fmt.Errorf("%w; check that the registry runs and that this machine can reach it", err)
	}
}
