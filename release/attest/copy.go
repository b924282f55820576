package attest

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Copy copies an image by its digest to another repository. It also copies the referrers of
// the image's manifests: signatures, SBOMs and provenance. If the image is an index, it
// copies all platforms. from are the options for reads, and to are those for writes. The
// copy has the same digest as the source, or Copy fails. Copy sets no tag, and does not
// send what the target already has.
func Copy(ctx context.Context, source name.Digest, target name.Repository, from, to []remote.Option) error {
	from = append(slices.Clone(from), remote.WithContext(ctx))
	pusher, err := remote.NewPusher(to...)
	if err != nil {
		return fmt.Errorf("copy %s: %w", source, err)
	}
	copyManifest := func(digest string) (*remote.Descriptor, error) {
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
			if _, err := copyManifest(r.Digest.String()); err != nil {
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
