package attest

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Copy copies an image by its digest to another repository, with the referrers of its
// manifests: signatures, SBOMs and provenance go with it. If the image is an index, all
// its platforms are copied. It reads with from and writes with to. The target has the
// same digest, or Copy fails; it sets no tag. What the target has is not sent again.
func Copy(ctx context.Context, source name.Digest, target name.Repository, from, to []remote.Option) error {
	from = append(slices.Clone(from), remote.WithContext(ctx))
	pusher, err := remote.NewPusher(to...)
	if err != nil {
		return fmt.Errorf("copy %s: %w", source, err)
	}
	put := func(digest string) (*remote.Descriptor, error) {
		ref := source.Context().Digest(digest)
		desc, err := remote.Get(ref, from...)
		if err != nil {
			return nil, readError(ref, err)
		}
		if err := pusher.Push(ctx, target.Digest(digest), desc); err != nil {
			return nil, fmt.Errorf("copy %s to %s: %w", ref, target, err)
		}
		return desc, nil
	}
	image, err := put(source.DigestStr())
	if err != nil {
		return err
	}
	subjects := []v1.Hash{image.Digest}
	if image.MediaType.IsIndex() {
		index, err := image.ImageIndex()
		if err != nil {
			return fmt.Errorf("copy %s: %w", source, err)
		}
		list, err := index.IndexManifest()
		if err != nil {
			return fmt.Errorf("copy %s: %w", source, err)
		}
		for _, m := range list.Manifests {
			subjects = append(subjects, m.Digest)
		}
	}
	for _, subject := range subjects {
		referrers, err := listReferrers(source.Context().Digest(subject.String()), from)
		if err != nil {
			return err
		}
		for _, r := range referrers {
			if _, err := put(r.Digest.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Referrers returns the digests of the referrers of a manifest.
func Referrers(ctx context.Context, image name.Digest, options ...remote.Option) ([]v1.Hash, error) {
	list, err := listReferrers(image, append(slices.Clone(options), remote.WithContext(ctx)))
	if err != nil {
		return nil, err
	}
	digests := make([]v1.Hash, len(list))
	for i, r := range list {
		digests[i] = r.Digest
	}
	return digests, nil
}
