package attest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/progressive-framework/platform/release/signkey"
)

const (
	// maxReferrers is the largest number of referrers of an image that are listed and
	// copied. Everybody with push access to the repository can add referrers. We write one
	// for each predicate type and key, and one for each gate of a promotion to a stack.
	maxReferrers = 200
	// maxBundle is the largest bundle in bytes. An SPDX document of a large service
	// has less than 1 MB.
	maxBundle = 16 << 20
)

// ErrAbsent means that the image is not in the registry.
var ErrAbsent = errors.New("the image is not in the registry")

// RefusedError says why an image is not accepted.
type RefusedError struct {
	Image name.Digest
	// Missing are the predicate types without a valid attestation.
	Missing []string
	// Reasons has an entry for each attestation that is not valid.
	Reasons []string
}

// Error returns the image and why it is not accepted.
func (e *RefusedError) Error() string {
	problem := "was refused"
	if len(e.Missing) > 0 {
		problem = "has no valid attestation of type " + strings.Join(e.Missing, ", ")
	}
	if len(e.Reasons) == 0 {
		return fmt.Sprintf("image %s %s: nothing of this type is attached to it; sign it where it was built", e.Image, problem)
	}
	return fmt.Sprintf("image %s %s: %s", e.Image, problem, strings.Join(e.Reasons, "; "))
}

// Verify checks that trusted keys have signed a statement of every predicate type about the
// image, and returns these statements. It ignores attestations that are not valid, because
// everybody with push access to the repository could add one. The error is a *RefusedError,
// wraps ErrAbsent, or is an error of the registry.
func Verify(ctx context.Context, image name.Digest, keys signkey.Trusted, predicateTypes []string, options ...remote.Option) ([]Attestation, error) {
	if len(keys) == 0 || len(predicateTypes) == 0 {
		return nil, fmt.Errorf("verify %s: no trusted key or no predicate type: nothing could be verified", image)
	}
	found, err := inspect(ctx, image, keys, predicateTypes, options)
	if err != nil {
		return nil, err
	}
	refused := &RefusedError{Image: image, Reasons: found.reasons}
	for _, t := range predicateTypes {
		if !slices.ContainsFunc(found.valid, func(a Attestation) bool { return a.PredicateType == t }) {
			refused.Missing = append(refused.Missing, t)
		}
	}
	if len(refused.Missing) > 0 {
		return nil, refused
	}
	return found.valid, nil
}

// Find returns the statements of these predicate types about the image that trusted keys have
// signed. Unlike Verify, it returns no error if there is no such statement. It returns the same
// errors as Verify if the image can't be read.
func Find(ctx context.Context, image name.Digest, keys signkey.Trusted, predicateTypes []string, options ...remote.Option) ([]Attestation, error) {
	found, err := inspect(ctx, image, keys, predicateTypes, options)
	if err != nil {
		return nil, err
	}
	return found.valid, nil
}

// inspection is an image with its attestations.
type inspection struct {
	image v1.Descriptor
	valid []Attestation
	// reasons has an entry for each attestation that is not valid.
	reasons []string
}

// inspect reads and verifies the attestations of an image that have one of the predicate types.
func inspect(ctx context.Context, image name.Digest, keys signkey.Trusted, predicateTypes []string, options []remote.Option) (*inspection, error) {
	options = append(slices.Clone(options), remote.WithContext(ctx))
	hash, err := v1.NewHash(image.DigestStr())
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", image, err)
	}
	subject, err := remote.Get(image, options...)
	if err != nil {
		return nil, classifyReadError(image, err)
	}
	found := &inspection{image: subject.Descriptor}
	referrers, err := listReferrers(image, options)
	if err != nil {
		return nil, err
	}
	for _, r := range referrers {
		if hasOtherType(r.Annotations, predicateTypes) {
			continue
		}
		a, err := readAttestation(image.Context().Digest(r.Digest.String()), keys, hash, predicateTypes, options)
		switch {
		case err != nil && isUnreachable(err):
			return nil, fmt.Errorf("read attestation %s of %s: %w", r.Digest, image, err)
		case err != nil:
			found.reasons = append(found.reasons, fmt.Sprintf("attestation %.19s: %v", r.Digest, err))
		case a != nil && slices.Contains(predicateTypes, a.PredicateType):
			found.valid = append(found.valid, *a)
		}
	}
	return found, nil
}

// readAttestation reads and verifies the attestation in a referrer of an image. The result is nil
// if the referrer has no bundle of a wanted type.
func readAttestation(referrer name.Digest, keys signkey.Trusted, image v1.Hash, predicateTypes []string, options []remote.Option) (*Attestation, error) {
	bundle, err := readBundle(referrer, predicateTypes, options)
	if err != nil || bundle == nil {
		return nil, err
	}
	return verifyBundle(bundle, keys, image)
}

// listReferrers returns the referrers of a manifest.
func listReferrers(image name.Digest, options []remote.Option) ([]v1.Descriptor, error) {
	index, err := remote.Referrers(image, options...)
	if err != nil {
		return nil, fmt.Errorf("referrers of %s: %w", image, err)
	}
	list, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("referrers of %s: %w", image, err)
	}
	if len(list.Manifests) > maxReferrers {
		return nil, fmt.Errorf("referrers of %s: there are %d, more than %d; delete those that nobody needs", image, len(list.Manifests), maxReferrers)
	}
	return list.Manifests, nil
}

// hasOtherType reports whether the annotations of a referrer name a predicate type that is not
// wanted. Annotations are not signed, so they only decide which bundles are read. A wrong
// annotation can't make an invalid statement valid. It can hide a statement, but the registry can
// hide a statement anyway.
func hasOtherType(annotations map[string]string, predicateTypes []string) bool {
	t := annotations[predicateAnnotation]
	return t != "" && !slices.Contains(predicateTypes, t)
}

// readBundle returns the bundle of a referrer, or nil if the referrer has no bundle of a wanted
// type. It reads the types from the manifest, because some registries list wrong types.
func readBundle(ref name.Digest, predicateTypes []string, options []remote.Option) ([]byte, error) {
	desc, err := remote.Get(ref, options...) // verifies the digest
	if err != nil {
		return nil, err
	}
	var manifest v1.Manifest
	if err := json.Unmarshal(desc.Manifest, &manifest); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if len(manifest.Layers) != 1 || manifest.Layers[0].MediaType != BundleType || hasOtherType(manifest.Annotations, predicateTypes) {
		return nil, nil
	}
	if manifest.Layers[0].Size > maxBundle {
		return nil, fmt.Errorf("its bundle has %d bytes, more than %d", manifest.Layers[0].Size, maxBundle)
	}
	layer, err := remote.Layer(ref.Context().Digest(manifest.Layers[0].Digest.String()), options...)
	if err != nil {
		return nil, err
	}
	content, err := layer.Compressed() // verifies the digest too
	if err != nil {
		return nil, err
	}
	defer content.Close()
	raw, err := io.ReadAll(io.LimitReader(content, maxBundle+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) != manifest.Layers[0].Size {
		return nil, fmt.Errorf("its bundle has %d bytes, but its manifest says %d", len(raw), manifest.Layers[0].Size)
	}
	return raw, nil
}

// classifyReadError converts an error that occurred when an image was read. The result wraps
// ErrAbsent, is a *RefusedError if the content does not match the digest, or wraps the registry's
// error.
func classifyReadError(image name.Digest, err error) error {
	var transportErr *transport.Error
	switch {
	case errors.As(err, &transportErr) && transportErr.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s: %w", image, ErrAbsent)
	case isUnreachable(err):
		return fmt.Errorf("read %s: %w", image, err)
	default:
		return &RefusedError{Image: image, Reasons: []string{"its content was changed in the registry: " + err.Error()}}
	}
}

// isUnreachable reports whether the registry did not return the content: it sent no response, or a
// response with an error status other than 404. A 404 for a part of an existing image is not such
// an error: the image is damaged.
func isUnreachable(err error) bool {
	var (
		transportErr *transport.Error
		requestErr   *url.Error
	)
	if errors.As(err, &transportErr) {
		return transportErr.StatusCode != http.StatusNotFound
	}
	return errors.As(err, &requestErr) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
