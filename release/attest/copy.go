package attest

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Copy copies an image by its digest to another repository. It also copies the referrers of the
// image's manifests: signatures, SBOMs and provenance. If the image is an index, it copies all
// platforms. readOptions are for requests to the source's registry, and writeOptions for requests
// to the target's. The copy has the same digest as the source, or Copy fails. Copy sets no tag, and
// does not send what the target already has.
func Copy(ctx context.Context, source name.Digest, target name.Repository, readOptions, writeOptions []remote.Option) error {
	readOptions = append(slices.Clone(readOptions), remote.WithContext(ctx))
	pusher, err := remote.NewPusher(writeOptions...)
	if err != nil {
		return fmt.Errorf("copy %s: %w", source, err)
	}
	copyManifest := func(digest string) (*remote.Descriptor, error) {
		ref := source.Context().Digest(digest)
		desc, err := remote.Get(ref, readOptions...)
		if err != nil {
			return nil, classifyReadError(ref, err)
		}
		if err := pusher.Push(ctx, target.Digest(digest), desc); err != nil {
			return nil, fmt.Errorf("copy %s to %s: %w", ref, target, err)
		}
		return desc, nil
	}
	image, err := copyManifest(source.DigestStr())
	if err != nil {
		return err
	}
	subjects := []v1.Hash{image.Digest}
	if image.MediaType.IsIndex() {
		index, err := image.ImageIndex()
		if err != nil {
			return fmt.Errorf("copy %s: %w", source, err)
		}
		indexManifest, err := index.IndexManifest()
		if err != nil {
			return fmt.Errorf("copy %s: %w", source, err)
		}
		for _, m := range indexManifest.Manifests {
			subjects = append(subjects, m.Digest)
		}
	}
	for _, subject := range subjects {
		referrers, err := listReferrers(source.Context().Digest(subject.String()), readOptions)
		if err != nil {
			return err
		}
		for _, r := range referrers {
			if _, err := copyManifest(r.Digest.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Referrers returns the digests of the referrers of a manifest.
func Referrers(ctx context.Context, image name.Digest, options ...remote.Option) ([]v1.Hash, error) {
	referrers, err := listReferrers(image, append(slices.Clone(options), remote.WithContext(ctx)))
	if err != nil {
		return nil, err
	}
	digests := make([]v1.Hash, len(referrers))
	for i, r := range referrers {
		digests[i] = r.Digest
	}
	return digests, nil
}
