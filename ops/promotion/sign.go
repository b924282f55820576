package promotion

import (
	"context"
	"maps"
	"path/filepath"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/gate"
	"github.com/progressive-framework/platform/release/record"
	"github.com/progressive-framework/platform/release/signer"
	"github.com/progressive-framework/platform/release/signkey"
)

// openSigningKey opens the key that signs the gates: the key of --signing-key, or the key in the file
// of the stack p.from. A key of KMS is used in the stack's region, with the credentials of the
// environment: the person who promotes need not be allowed to deploy.
func (p promotion) openSigningKey(ctx context.Context) (signkey.Key, error) {
	reference := p.signingKey
	if reference == "" {
		file, err := p.readStackFile(p.from)
		if err != nil {
			return nil, err
		}
		if reference = file.SigningKey; reference == "" {
			return nil, refusedError("no key signs the gates: set images.signingKey in %s, or use --signing-key", fileName(p.from))
		}
		if !signkey.IsKMS(reference) {
			reference = filepath.Join(p.dir, reference)
		}
	}
	key, err := signer.Open(ctx, reference, signer.Credentials{Region: p.readRegion()})
	if err != nil {
		return nil, unreadError(err)
	}
	return key, nil
}

// signGates signs a statement of each passed gate for each image, and returns the number of new
// statements. It signs no second statement of a gate for the same image and stack.
func (p promotion) signGates(ctx context.Context, r *record.Record, results gateResults, key signkey.Key) (n int, err error) {
	id, err := signkey.ID(key.Public())
	if err != nil {
		return 0, err
	}
	signingKey := signkey.Trusted{id: key.Public()}
	for _, short := range slices.Sorted(maps.Keys(r.Images)) {
		image, err := name.NewDigest(r.Source(short), name.StrictValidation)
		if err != nil {
			return n, err
		}
		hash, err := v1.NewHash(r.Images[short])
		if err != nil {
			return n, err
		}
		attestations, err := attest.Find(ctx, image, signingKey, gate.PredicateTypes(p.to, gate.Names()), registryOptions()...)
		if err != nil {
			return n, err
		}
		var statements []*attest.Statement
		for _, gateResult := range results.list {
			if gateResult.result != passed || hasStatement(attestations, gateResult.name, p.to) {
				continue
			}
			s, err := attest.NewStatement(image.Context().Name(), hash, gateResult.name.PredicateType(p.to), gate.Predicate{
				From: p.from, To: p.to, Commit: r.Commit, At: r.At, Evidence: gateResult.why, Images: r.Images,
			})
			if err != nil {
				return n, err
			}
			statements = append(statements, s)
		}
		if err := attest.Add(ctx, image, statements, key, registryOptions()...); err != nil {
			return n, err
		}
		n += len(statements)
	}
	return n, nil
}

// hasStatement reports whether the attestations of an image include the statement of a gate for a
// stack.
func hasStatement(attestations []attest.Attestation, n gate.Name, to string) bool {
	return slices.ContainsFunc(attestations, func(a attest.Attestation) bool { return a.PredicateType == n.PredicateType(to) })
}
