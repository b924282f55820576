package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/sync/errgroup"
)

// Delete removes this resource's tag, and the manifests that no other tag
// leads to, with their SBOMs. Other tags keep what they lead to.
//
// What a destroy cannot clean up does not stop it: a repository that is gone
// took the image with it; a login that has expired, or a registry that does
// not delete, leaves an image behind, which a warning names, and which the
// repository's lifecycle policy or its own removal clears. A registry that
// does not answer is an error, since trying again may help.
func (i *Image) Delete(ctx context.Context, req infer.DeleteRequest[ImageState]) (infer.DeleteResponse, error) {
	ref, err := name.NewDigest(req.State.Reference)
	if err != nil {
		return infer.DeleteResponse{}, fmt.Errorf("reference in the state: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookTimeout, fmt.Errorf("no answer within %s", lookTimeout))
	defer cancel()
	err = remove(ctx, ref, req.State.Tag, credentialsOf(ctx))
	left := func(why string) {
		p.GetLogger(ctx).Warningf("%s was left in the registry: %s (%v). A lifecycle policy of the repository clears it, "+
			"as does deleting the repository", ref, why, err)
	}
	switch {
	case err == nil:
	case errors.Is(err, errDenied), meaning(err) == denied:
		left("the login was refused; docker login " + ref.Context().RegistryStr() + " would have allowed it")
	case meaning(err) == unsupported:
		left("the registry does not delete")
	case meaning(err) != absent:
		return infer.DeleteResponse{}, fmt.Errorf("removing %s: %w", ref, err)
	}
	return infer.DeleteResponse{}, nil
}

// remove deletes tag and what only it leads to.
func remove(ctx context.Context, ref name.Digest, tag string, c *Credentials) error {
	ids, err := identities(ref.Context(), c)
	if err != nil {
		return err
	}
	found, id, err := login(ctx, ref, ids)
	if err != nil {
		return err
	}
	r := &remover{repo: ref.Context(), options: []remote.Option{remote.WithContext(ctx), remote.WithAuth(id.auth)}}
	digest, err := v1.NewHash(ref.DigestStr())
	if err != nil {
		return fmt.Errorf("reference in the state: %w", err)
	}
	ours := []v1.Hash{digest} // its SBOM may be there when it is not
	if found != nil {
		if ours, err = r.reach(ref); err != nil {
			return err
		}
	}
	others, err := r.others(ctx, tag)
	if err != nil {
		return err
	}
	if err := r.delete(r.repo.Tag(tag)); err != nil && meaning(err) != unsupported {
		return err // a registry that cannot delete a tag may still delete a manifest
	}
	for _, digest := range ours {
		if others[digest] {
			continue
		}
		if err := r.deleteSBOM(digest); err != nil {
			return err
		}
		if err := r.delete(r.repo.Digest(digest.String())); err != nil {
			return err
		}
	}
	return nil
}

// remover deletes in one repository.
type remover struct {
	repo    name.Repository
	options []remote.Option
}

// reach is the manifest at ref, and, of an index, those it lists.
func (r *remover) reach(ref name.Reference) ([]v1.Hash, error) {
	desc, err := remote.Get(ref, r.options...)
	if err != nil {
		return nil, err
	}
	out := []v1.Hash{desc.Digest}
	if !desc.MediaType.IsIndex() {
		return out, nil
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
		out = append(out, child.Digest)
	}
	return out, nil
}

// others is every manifest that a tag other than the given leads to. The tags
// that cosign hangs on a manifest lead to nothing else.
func (r *remover) others(ctx context.Context, tag string) (map[v1.Hash]bool, error) {
	tags, err := remote.List(r.repo, r.options...)
	if err != nil {
		if meaning(err) == absent {
			return nil, nil
		}
		return nil, err
	}
	out := map[v1.Hash]bool{}
	var mu sync.Mutex
	group, _ := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, other := range tags {
		if other == tag || slices.ContainsFunc([]string{".sbom", ".sig", ".att"}, func(end string) bool {
			return strings.HasPrefix(other, "sha256-") && strings.HasSuffix(other, end)
		}) {
			continue
		}
		group.Go(func() error {
			reached, err := r.reach(r.repo.Tag(other))
			if err != nil {
				if meaning(err) == absent {
					return nil // deleted meanwhile
				}
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, digest := range reached {
				out[digest] = true
			}
			return nil
		})
	}
	return out, group.Wait()
}

// deleteSBOM deletes the tag of a manifest's SBOM and what it leads to.
func (r *remover) deleteSBOM(of v1.Hash) error {
	tag := sbomTag(r.repo, of)
	desc, err := remote.Head(tag, r.options...)
	if err != nil {
		if meaning(err) == absent {
			return nil
		}
		return err
	}
	if err := r.delete(tag); err != nil && meaning(err) != unsupported {
		return err
	}
	return r.delete(r.repo.Digest(desc.Digest.String()))
}

// delete deletes a tag or a manifest; one that is not there is deleted.
func (r *remover) delete(ref name.Reference) error {
	if err := remote.Delete(ref, r.options...); err != nil && meaning(err) != absent {
		return err
	}
	return nil
}
