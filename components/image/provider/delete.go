package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/sync/errgroup"

	"github.com/progressive-framework/platform/release/attest"
)

// Delete deletes the tag of this resource. It also deletes the manifests of the image to
// which no other tag refers, with their SBOMs and signed statements.
//
// Delete succeeds in three cases where it deletes nothing, so that a destroy can
// continue. If the repository does not exist, the image does not exist either. If the
// login failed, or if the registry does not support deletion, Delete warns that
// the image stays in the registry. Delete returns an error if the registry does not
// respond, because a retry may succeed.
func (i *Image) Delete(ctx context.Context, req infer.DeleteRequest[ImageState]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, i.passwords.deleteImage(ctx, req.State.Reference, req.State.Tag)
}

// deleteImage deletes an image from the registry under the rules of Image.Delete.
func (e *ecrPasswords) deleteImage(ctx context.Context, reference, tag string) error {
	ref, err := name.NewDigest(reference)
	if err != nil {
		return fmt.Errorf("reference in the state: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, fmt.Errorf("no answer within %s", readTimeout))
	defer cancel()
	err = e.deleteTagAndManifests(ctx, ref, tag, loginFromContext(ctx))
	warn := func(reason string) {
		p.GetLogger(ctx).Warningf("%s was left in the registry: %s (%v). A lifecycle policy of the repository clears it, "+
			"as does deleting the repository", ref, reason, err)
	}
	switch {
	case err == nil:
	case errors.Is(err, errDenied), classify(err) == denied:
		warn("the login failed; log in (docker login " + ref.Context().RegistryStr() + ") before a destroy")
	case classify(err) == unsupported:
		warn("the registry does not support deletion")
	case classify(err) != absent:
		return fmt.Errorf("removing %s: %w", ref, err)
	}
	return nil
}

// deleteTagAndManifests deletes the tag and the manifests to which only this tag refers.
func (e *ecrPasswords) deleteTagAndManifests(ctx context.Context, ref name.Digest, tag string, l *ECRLogin) error {
	logins, err := e.possibleLogins(ctx, ref.Context(), l)
	if err != nil {
		return err
	}
	manifest, login, err := authenticate(ctx, ref, logins)
	if err != nil {
		return err
	}
	r := &remover{repo: ref.Context(), options: []remote.Option{remote.WithContext(ctx), remote.WithAuth(login.auth)}}
	digest, err := v1.NewHash(ref.DigestStr())
	if err != nil {
		return fmt.Errorf("reference in the state: %w", err)
	}
	candidates := []v1.Hash{digest} // the SBOM may exist without the manifest
	if manifest != nil {
		if candidates, err = r.listManifests(ref); err != nil {
			return err
		}
	}
	inUse, err := r.listManifestsOfOtherTags(ctx, tag)
	if err != nil {
		return err
	}
	if err := r.delete(r.repo.Tag(tag)); err != nil && classify(err) != unsupported {
		return err // a registry that can't delete tags may still delete manifests
	}
	for _, digest := range candidates {
		if inUse[digest] {
			continue
		}
		if err := r.deleteSBOM(digest); err != nil {
			return err
		}
		if err := r.deleteReferrers(ctx, digest); err != nil {
			return err
		}
		if err := r.delete(r.repo.Digest(digest.String())); err != nil {
			return err
		}
	}
	return nil
}

// remover deletes tags and manifests of one repository.
type remover struct {
	repo    name.Repository
	options []remote.Option
}

// listManifests returns the digest of the manifest at ref. If this manifest is an index,
// listManifests also returns the digests of the manifests in the index.
func (r *remover) listManifests(ref name.Reference) ([]v1.Hash, error) {
	desc, err := remote.Get(ref, r.options...)
	if err != nil {
		return nil, err
	}
	digests := []v1.Hash{desc.Digest}
	if !desc.MediaType.IsIndex() {
		return digests, nil
	}
	index, err := desc.ImageIndex()
	if err != nil {
		return nil, err
	}
	m, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, child := range m.Manifests {
		digests = append(digests, child.Digest)
	}
	return digests, nil
}

// maxReads limits the concurrent requests to a registry: the platform's choice.
const maxReads = 8

// listManifestsOfOtherTags returns the digests of the manifests of all tags except the given one.
// It skips cosign's tags, because they do not refer to images. It returns nil if the
// repository does not exist.
func (r *remover) listManifestsOfOtherTags(ctx context.Context, tag string) (map[v1.Hash]bool, error) {
	tags, err := remote.List(r.repo, r.options...)
	if err != nil {
		if classify(err) == absent {
			return nil, nil
		}
		return nil, err
	}
	inUse := map[v1.Hash]bool{}
	var mu sync.Mutex
	group, _ := errgroup.WithContext(ctx)
	group.SetLimit(maxReads)
	for _, other := range tags {
		if other == tag || isCosignTag(other) {
			continue
		}
		group.Go(func() error {
			digests, err := r.listManifests(r.repo.Tag(other))
			if err != nil {
				if classify(err) == absent {
					return nil // deleted meanwhile
				}
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, digest := range digests {
				inUse[digest] = true
			}
			return nil
		})
	}
	return inUse, group.Wait()
}

// isCosignTag reports whether cosign uses the tag for an SBOM, a signature or an
// attestation.
func isCosignTag(tag string) bool {
	return strings.HasPrefix(tag, "sha256-") &&
		(strings.HasSuffix(tag, ".sbom") || strings.HasSuffix(tag, ".sig") || strings.HasSuffix(tag, ".att"))
}

// deleteSBOM deletes the tag of a manifest's SBOM, and the SBOM.
func (r *remover) deleteSBOM(subject v1.Hash) error {
	tag := sbomTag(r.repo, subject)
	desc, err := remote.Head(tag, r.options...)
	if err != nil {
		if classify(err) == absent {
			return nil
		}
		return err
	}
	if err := r.delete(tag); err != nil && classify(err) != unsupported {
		return err
	}
	return r.delete(r.repo.Digest(desc.Digest.String()))
}

// deleteReferrers deletes the signed statements about a manifest.
func (r *remover) deleteReferrers(ctx context.Context, subject v1.Hash) error {
	referrers, err := attest.Referrers(ctx, r.repo.Digest(subject.String()), r.options...)
	if err != nil {
		return err
	}
	for _, digest := range referrers {
		if err := r.delete(r.repo.Digest(digest.String())); err != nil {
			return err
		}
	}
	if len(referrers) == 0 {
		return nil
	}
	// A registry without the referrers API lists the referrers of a manifest at this tag.
	fallback := r.repo.Tag(strings.Replace(subject.String(), ":", "-", 1))
	if err := r.delete(fallback); err != nil && classify(err) != unsupported {
		return err
	}
	return nil
}

// delete deletes a tag or a manifest. It also succeeds if the tag or the manifest does not exist.
func (r *remover) delete(ref name.Reference) error {
	if err := remote.Delete(ref, r.options...); err != nil && classify(err) != absent {
		return err
	}
	return nil
}
