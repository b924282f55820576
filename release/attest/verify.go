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
	// maxReferrers limits how many referrers of an image are listed and copied. Whoever may
	// push can add some; we write one for each predicate type and key, and one for each gate
	// of a promotion and stack.
	maxReferrers = 200
	// maxBundle is the largest bundle in bytes. An SPDX document of a large service
	// has less than 1 MB.
	maxBundle = 16 << 20
)

// ErrAbsent is the cause of an error of an image that is not in the registry.
var ErrAbsent = errors.New("the image is not in the registry")

// RefusedError says why an image is not accepted.
type RefusedError struct {
	Image name.Digest
	// Missing are the predicate types without a valid attestation.
	Missing []string
	// Reasons say why each other attestation does not count.
	Reasons []string
}

func (e *RefusedError) Error() string {
	what := "was refused"
	if len(e.Missing) > 0 {
		what = "has no valid attestation of type " + strings.Join(e.Missing, ", ")
	}
	if len(e.Reasons) == 0 {
		return fmt.Sprintf("image %s %s: nothing of this type is attached to it; sign it where it was built", e.Image, what)
	}
	return fmt.Sprintf("image %s %s: %s", e.Image, what, strings.Join(e.Reasons, "; "))
}

// Verify checks that trusted keys have signed a statement of every predicate type about
// the image, and returns these. Attestations that are not valid do not count: whoever may
// push to a repository could add one. The error is a *RefusedError, has the cause
// ErrAbsent, or is one of the registry.
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

// Find returns the statements of some predicate types about the image that trusted keys have
// signed. There may be none. Its error is as that of Verify.
func Find(ctx context.Context, image name.Digest, keys signkey.Trusted, predicateTypes []string, options ...remote.Option) ([]Attestation, error) {
	found, err := inspect(ctx, image, keys, predicateTypes, options)
	if err != nil {
		return nil, err
	}
	return found.valid, nil
}

// inspected is an image with its attestations.
type inspected struct {
	image v1.Descriptor
	valid []Attestation
	// reasons say why the others do not count.
	reasons []string
}

// inspect reads the attestations of an image of some predicate types.
func inspect(ctx context.Context, image name.Digest, keys signkey.Trusted, predicateTypes []string, options []remote.Option) (*inspected, error) {
	options = append(slices.Clone(options), remote.WithContext(ctx))
	hash, err := v1.NewHash(image.DigestStr())
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", image, err)
	}
	subject, err := remote.Get(image, options...)
	if err != nil {
		return nil, readError(image, err)
	}
	found := &inspected{image: subject.Descriptor}
	referrers, err := listReferrers(image, options)
	if err != nil {
		return nil, err
	}
	for _, r := range referrers {
		if unwanted(r.Annotations, predicateTypes) {
			continue
		}
		bundle, err := readBundle(image.Context().Digest(r.Digest.String()), predicateTypes, options)
		switch {
		case err == nil && bundle == nil:
			continue // not an attestation
		case err == nil:
			var a *Attestation
			if a, err = open(bundle, keys, hash); err == nil {
				if slices.Contains(predicateTypes, a.PredicateType) {
					found.valid = append(found.valid, *a)
				}
				continue
			}
		case unreachable(err):
			return nil, fmt.Errorf("read attestation %s of %s: %w", r.Digest, image, err)
		}
		found.reasons = append(found.reasons, fmt.Sprintf("attestation %.19s: %v", r.Digest, err))
	}
	return found, nil
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

// unwanted says whether the annotations name another predicate type. They decide only what is
// read: a signed statement of a wrong type does not count, and to hide one a registry could as
// well leave it out.
func unwanted(annotations map[string]string, predicateTypes []string) bool {
	t := annotations[predicateAnnotation]
	return t != "" && !slices.Contains(predicateTypes, t)
}

// readBundle returns the bundle of a referrer, or nil if it is something else. The types
// are taken from the manifest, because not every registry lists them right.
func readBundle(ref name.Digest, predicateTypes []string, options []remote.Option) ([]byte, error) {
	desc, err := remote.Get(ref, options...) // compares the content with the digest
	if err != nil {
		return nil, err
	}
	var m v1.Manifest
	if err := json.Unmarshal(desc.Manifest, &m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if len(m.Layers) != 1 || m.Layers[0].MediaType != BundleType || unwanted(m.Annotations, predicateTypes) {
		return nil, nil
	}
	if m.Layers[0].Size > maxBundle {
		return nil, fmt.Errorf("its bundle has %d bytes, more than %d", m.Layers[0].Size, maxBundle)
	}
	layer, err := remote.Layer(ref.Context().Digest(m.Layers[0].Digest.String()), options...)
	if err != nil {
		return nil, err
	}
	content, err := layer.Compressed() // compares the content with the digest, too
	if err != nil {
		return nil, err
	}
	defer content.Close()
	raw, err := io.ReadAll(io.LimitReader(content, maxBundle+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) != m.Layers[0].Size {
		return nil, fmt.Errorf("its bundle has %d bytes, but its manifest says %d", len(raw), m.Layers[0].Size)
	}
	return raw, nil
}

// readError returns the error of a read of an image: ErrAbsent, a refusal if the content
// is not what the digest says, or the registry's error.
func readError(image name.Digest, err error) error {
	var answer *transport.Error
	switch {
	case errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s: %w", image, ErrAbsent)
	case unreachable(err):
		return fmt.Errorf("read %s: %w", image, err)
	default:
		return &RefusedError{Image: image, Reasons: []string{"its content was changed in the registry: " + err.Error()}}
	}
}

// unreachable says whether an error says nothing about the content: the registry does
// not answer, or refuses to. A part that is not found is a damaged content.
func unreachable(err error) bool {
	var (
		answer  *transport.Error
		request *url.Error
	)
	if errors.As(err, &answer) {
		return answer.StatusCode != http.StatusNotFound
	}
	return errors.As(err, &request) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
