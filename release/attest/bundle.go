package attest

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	bundlev1 "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	commonv1 "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	dssev1 "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/progressive-framework/platform/release/signkey"
)

const (
	// BundleType is the media type of a Sigstore bundle. It is also the artifactType of the
	// referrer that contains the bundle.
	BundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"
	// payloadType is the type of a statement in a DSSE envelope.
	payloadType = "application/vnd.in-toto+json"
)

// Sign signs the statement and returns it in a Sigstore bundle.
func Sign(ctx context.Context, s *Statement, key signkey.Key) ([]byte, error) {
	payload, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("statement %s: %w", s.PredicateType, err)
	}
	hint, err := signkey.ID(key.Public())
	if err != nil {
		return nil, err
	}
	signature, err := key.SignData(ctx, dsse.PAE(payloadType, payload))
	if err != nil {
		return nil, fmt.Errorf("sign the statement %s: %w", s.PredicateType, err)
	}
	return protojson.Marshal(&bundlev1.Bundle{
		MediaType: BundleType,
		VerificationMaterial: &bundlev1.VerificationMaterial{
			Content: &bundlev1.VerificationMaterial_PublicKey{PublicKey: &commonv1.PublicKeyIdentifier{Hint: hint}},
		},
		Content: &bundlev1.Bundle_DsseEnvelope{DsseEnvelope: &dssev1.Envelope{
			Payload:     payload,
			PayloadType: payloadType,
			Signatures:  []*dssev1.Signature{{Sig: signature}},
		}},
	})
}

// Attestation is a statement with a valid signature by a trusted key.
type Attestation struct {
	Statement
	// KeyID is the id of the key that signed the statement.
	KeyID string
}

// verifyBundle verifies the signature of a bundle, and that its statement is about the image. Its
// error says why the bundle is refused. It uses nothing of the bundle before the signature is
// verified, except the hint of the key. The hint only selects the text of the error.
func verifyBundle(bundle []byte, keys signkey.Trusted, image v1.Hash) (*Attestation, error) {
	var b bundlev1.Bundle
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(bundle, &b); err != nil {
		return nil, fmt.Errorf("it is not a Sigstore bundle: %w", err)
	}
	envelope := b.GetDsseEnvelope()
	if b.GetMediaType() != BundleType || envelope == nil || envelope.GetPayloadType() != payloadType || len(envelope.GetSignatures()) != 1 {
		return nil, fmt.Errorf("it is not a Sigstore bundle v0.3 with one signed in-toto statement")
	}
	id, isTrusted := findSigner(envelope, keys)
	hint := b.GetVerificationMaterial().GetPublicKey().GetHint()
	switch {
	case isTrusted:
	case keys[hint] != nil:
		return nil, fmt.Errorf("its signature does not match: the statement or the signature was changed after the key %.12s signed it", hint)
	case hint == "":
		return nil, fmt.Errorf("no trusted key has signed it")
	default:
		return nil, fmt.Errorf("it is signed by another key (%.12s): no trusted key has signed it", hint)
	}
	a := &Attestation{KeyID: id}
	if err := json.Unmarshal(envelope.GetPayload(), &a.Statement); err != nil {
		return nil, fmt.Errorf("its statement is not valid: %w", err)
	}
	if a.Type != StatementType {
		return nil, fmt.Errorf("its statement has the type %q: must be %s", a.Type, StatementType)
	}
	if !a.isAbout(image) {
		return nil, fmt.Errorf("its statement (%s) is about another image, %s", a.PredicateType, strings.Join(a.subjectDigests(), ", "))
	}
	return a, nil
}

// findSigner returns the id of the trusted key that signed an envelope. It returns false if no
// trusted key signed it.
func findSigner(e *dssev1.Envelope, keys signkey.Trusted) (string, bool) {
	hash := sha256.Sum256(dsse.PAE(e.GetPayloadType(), e.GetPayload()))
	for id, key := range keys {
		if ecdsa.VerifyASN1(key, hash[:], e.GetSignatures()[0].GetSig()) {
			return id, true
		}
	}
	return "", false
}
