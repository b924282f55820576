package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	p "github.com/pulumi/pulumi-go-provider"
)

// sbomTag is where cosign and ko keep the SBOM of a manifest.
func sbomTag(repo name.Repository, of v1.Hash) name.Tag {
	return repo.Tag(strings.Replace(of.String(), ":", "-", 1) + ".sbom")
}

// publish pushes the SBOMs and then the image under its tag, so that the tag
// says that all is there. What the registry has is not sent again.
func publish(ctx context.Context, b *built, repository, tag string, c *Credentials) error {
	ctx, cancel := context.WithTimeoutCause(ctx, pushTimeout, fmt.Errorf("pushing took longer than %s", pushTimeout))
	defer cancel()
	repo, err := name.NewRepository(repository, name.StrictValidation)
	if err != nil {
		return fmt.Errorf("repository %q: %w", repository, err)
	}
	pusher, err := remote.NewPusher(remote.WithAuthFromKeychain(keychain(repo.RegistryStr(), c)), remote.WithUserAgent("pulumi-resource-ko"))
	if err != nil {
		return fmt.Errorf("registry %s: %w", repo.RegistryStr(), err)
	}
	p.GetLogger(ctx).InfoStatusf("pushing %s@%s", repository, b.digest)
	for _, s := range b.sboms {
		if err := pusher.Push(ctx, sbomTag(repo, s.of), s.image); err != nil {
			return refusal(ctx, repo, fmt.Errorf("pushing the SBOM of %s: %w", repo.Digest(s.of.String()), err))
		}
	}
	// By digest first: a registry may still have the tag of a manifest that it
	// has lost, and pods ask for the digest.
	for _, ref := range []name.Reference{repo.Digest(b.digest.String()), repo.Tag(tag)} {
		if err := pusher.Push(ctx, ref, b.image); err != nil {
			return refusal(ctx, repo, fmt.Errorf("pushing %s: %w", ref, err))
		}
	}
	return nil
}

// refusal adds to a failed push what mends it.
func refusal(ctx context.Context, repo name.Repository, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w: %w", cause, err)
	}
	switch meaning(err) {
	case denied:
		return fmt.Errorf("%w; give credentials that may push to %s, or log in with docker login", err, repo)
	case absent:
		return fmt.Errorf("%w; does the repository %s exist?", err, repo)
	default:
		return fmt.Errorf("%w; is the registry up, and reachable from here?", err)
	}
}
