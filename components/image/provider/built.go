package provider

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/ko/pkg/build"
	"github.com/sigstore/cosign/v3/pkg/oci"
	"github.com/sigstore/cosign/v3/pkg/oci/walk"
)

// builtImage is the result of a build, before the push.
type builtImage struct {
	image     build.Result
	digest    v1.Hash
	goVersion string
	size      int64
	sboms     []sbom // the SBOM of the image or index itself is the first
}

// sbom is the SPDX document of one manifest.
type sbom struct {
	subject v1.Hash  // the digest of the manifest that the document describes
	digest  v1.Hash  // the digest of the manifest of the document itself
	file    oci.File // the document
}

// newBuiltImage reads the outputs of the resource from ko's result.
func newBuiltImage(ctx context.Context, result build.Result, goVersion string) (*builtImage, error) {
	entity, ok := result.(oci.SignedEntity)
	if !ok {
		return nil, fmt.Errorf("ko returned a %T: must be an image or an index", result)
	}
	digest, err := result.Digest()
	if err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	image := &builtImage{image: result, digest: digest, goVersion: goVersion}
	blobSizes := map[v1.Hash]int64{}
	err = walk.SignedEntity(ctx, entity, func(_ context.Context, e oci.SignedEntity) error {
		s, err := readSBOM(e)
		if err != nil {
			return err
		}
		if s.subject == digest {
			image.sboms = append([]sbom{s}, image.sboms...)
		} else {
			image.sboms = append(image.sboms, s)
		}
		if img, ok := e.(v1.Image); ok {
			return addBlobSizes(blobSizes, img)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(image.sboms) == 0 || image.sboms[0].subject != digest {
		return nil, errors.New("ko returned no SBOM for the image")
	}
	for _, n := range blobSizes {
		image.size += n
	}
	return image, nil
}

// readSBOM reads the SBOM that ko attached to a manifest.
func readSBOM(entity oci.SignedEntity) (sbom, error) {
	subject, err := entity.Digest()
	if err != nil {
		return sbom{}, fmt.Errorf("digest: %w", err)
	}
	document, err := entity.Attachment("sbom")
	if err != nil {
		return sbom{}, fmt.Errorf("SBOM of %s: %w", subject, err)
	}
	digest, err := document.Digest()
	if err != nil {
		return sbom{}, fmt.Errorf("SBOM of %s: %w", subject, err)
	}
	return sbom{subject: subject, digest: digest, file: document}, nil
}

// addBlobSizes adds the sizes of an image's blobs by digest. Each blob counts once,
// because the platforms share the base.
func addBlobSizes(blobSizes map[v1.Hash]int64, img v1.Image) error {
	m, err := img.Manifest()
	if err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	blobSizes[m.Config.Digest] = m.Config.Size
	for _, l := range m.Layers {
		blobSizes[l.Digest] = l.Size
	}
	return nil
}
