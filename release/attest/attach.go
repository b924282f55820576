package attest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/progressive-framework/platform/release/signkey"
)

const (
	// emptyType and emptyConfig are the media type and the content of the config of a
	// manifest that needs no config. Source: OCI image specification 1.1, "Guidance for
	// an empty descriptor".
	emptyType   = types.MediaType("application/vnd.oci.empty.v1+json")
	emptyConfig = "{}"
	// predicateAnnotation is the annotation in which cosign stores a bundle's predicate type.
	predicateAnnotation = "dev.sigstore.bundle.predicateType"
)

// Attach signs the statements and stores each as a referrer of the image. The image must be
// in the registry. If the key has signed a statement of the same predicate type for this
// image before, Attach skips the statement. So a repeated push adds nothing.
func Attach(ctx context.Context, image name.Digest, statements []*Statement, key signkey.Key, options ...remote.Option) error {
	id, err := signkey.ID(key.Public())
	if err != nil {
		return err
	}
	var predicateTypes []string
	for _, s := range statements {
		predicateTypes = append(predicateTypes, s.PredicateType)
	}
	found, err := inspect(ctx, image, signkey.Trusted{id: key.Public()}, predicateTypes, options)
	if err != nil {
		return err
	}
	signedTypes := map[string]bool{}
	for _, a := range found.valid {
		signedTypes[a.PredicateType] = true
	}
	statements = slices.DeleteFunc(slices.Clone(statements), func(s *Statement) bool { return signedTypes[s.PredicateType] })
	return attachAll(ctx, image, found.image, statements, key, options)
}

// Add signs the statements and stores each as a referrer of the image. Unlike Attach, Add also
// signs a statement if the key has signed one of the same predicate type before.
func Add(ctx context.Context, image name.Digest, statements []*Statement, key signkey.Key, options ...remote.Option) error {
	subject, err := remote.Head(image, append(slices.Clone(options), remote.WithContext(ctx))...)
	if err != nil {
		return classifyReadError(image, err)
	}
	return attachAll(ctx, image, *subject, statements, key, options)
}

// attachAll signs each statement and stores it as a referrer of the image. subject is the image's
// descriptor.
func attachAll(ctx context.Context, image name.Digest, subject v1.Descriptor, statements []*Statement, key signkey.Key, options []remote.Option) error {
	for _, s := range statements {
		bundle, err := Sign(ctx, s, key)
		if err != nil {
			return fmt.Errorf("sign %s: %w", image, err)
		}
		if err := attachBundle(ctx, image, subject, bundle, s.PredicateType, options); err != nil {
			return fmt.Errorf("attach %s to %s: %w", s.PredicateType, image, err)
		}
	}
	return nil
}

// attachBundle stores a bundle as a referrer of an image. subject is the image's descriptor.
func attachBundle(ctx context.Context, image name.Digest, subject v1.Descriptor, bundle []byte, predicateType string, options []remote.Option) error {
	pusher, err := remote.NewPusher(options...)
	if err != nil {
		return err
	}
	bundleManifest := v1.Manifest{
		SchemaVersion: 2,
		MediaType:     types.OCIManifestSchema1,
		ArtifactType:  BundleType,
		Subject:       &v1.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size},
		Annotations: map[string]string{
			"dev.sigstore.bundle.content": "dsse-envelope",
			predicateAnnotation:           predicateType,
		},
	}
	configLayer, bundleLayer := static.NewLayer([]byte(emptyConfig), emptyType), static.NewLayer(bundle, BundleType)
	for _, layer := range []v1.Layer{configLayer, bundleLayer} {
		if err := pusher.Upload(ctx, image.Context(), layer); err != nil {
			return err
		}
	}
	if bundleManifest.Config, err = newDescriptor(configLayer); err != nil {
		return err
	}
	bundleDescriptor, err := newDescriptor(bundleLayer)
	if err != nil {
		return err
	}
	bundleManifest.Layers = []v1.Descriptor{bundleDescriptor}
	raw, err := json.Marshal(bundleManifest)
	if err != nil {
		return err
	}
	digest, _, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return pusher.Push(ctx, image.Context().Digest(digest.String()), rawManifest(raw))
}

// newDescriptor returns the descriptor of a layer: its media type, digest and size.
func newDescriptor(l v1.Layer) (v1.Descriptor, error) {
	digest, err := l.Digest()
	if err != nil {
		return v1.Descriptor{}, err
	}
	size, err := l.Size()
	if err != nil {
		return v1.Descriptor{}, err
	}
	mediaType, err := l.MediaType()
	return v1.Descriptor{MediaType: mediaType, Digest: digest, Size: size}, err
}

// rawManifest is an encoded manifest. Its blobs must be in the registry already.
type rawManifest []byte

// RawManifest implements remote.Taggable.
func (m rawManifest) RawManifest() ([]byte, error) { return m, nil }

// MediaType makes the registry store the manifest as an OCI manifest.
func (m rawManifest) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }
