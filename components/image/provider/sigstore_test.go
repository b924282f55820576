package provider

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/signkey"
)

// sigstore-go is the library with which cosign verifies. It accepts the bundles in the registry,
// and refuses them with another key or for another image. The test adds no dependency, because ko
// uses this library already.
func TestSigstoreAcceptsOnlySignedImages(t *testing.T) {
	registry := newRegistry(t)
	keyPath, publicKey := newSigningKey(t)
	_, otherPublicKey := newSigningKey(t)
	s := createSignedImage(t, registry, keyPath)
	ref, err := name.NewDigest(s.output("reference"))
	require.NoError(t, err)
	referrers, err := attest.Referrers(t.Context(), ref)
	require.NoError(t, err)
	require.Len(t, referrers, 2)
	hash, err := v1.NewHash(ref.DigestStr())
	require.NoError(t, err)
	for _, referrer := range referrers {
		signed := readBundle(t, ref.Context().Digest(referrer.String()))
		require.NoError(t, verifyWithSigstore(t, signed, publicKey, hash.Hex))
		require.Error(t, verifyWithSigstore(t, signed, otherPublicKey, hash.Hex), "another key")
		require.Error(t, verifyWithSigstore(t, signed, publicKey, referrer.Hex), "another image")
	}
}

// verifyWithSigstore verifies a bundle with sigstore-go, for a public key and the digest of an image.
func verifyWithSigstore(t *testing.T, signed *bundle.Bundle, publicKey, digestHex string) error {
	t.Helper()
	trusted, err := signkey.ParseTrusted(publicKey)
	require.NoError(t, err)
	material := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		for _, k := range trusted {
			return newExpiringKey(t, k), nil
		}
		return nil, nil
	})
	verifier, err := verify.NewVerifier(material, verify.WithNoObserverTimestamps())
	require.NoError(t, err)
	digest, err := hex.DecodeString(digestHex)
	require.NoError(t, err)
	_, err = verifier.Verify(signed, verify.NewPolicy(verify.WithArtifactDigest("sha256", digest), verify.WithKey()))
	return err
}

// newExpiringKey returns a trusted key that never expires, in the form that sigstore-go requires.
func newExpiringKey(t *testing.T, key *ecdsa.PublicKey) *root.ExpiringKey {
	t.Helper()
	verifier, err := signature.LoadECDSAVerifier(key, crypto.SHA256)
	require.NoError(t, err)
	return root.NewExpiringKey(verifier, time.Time{}, time.Time{})
}

// readBundle reads the bundle of a referrer.
func readBundle(t *testing.T, ref name.Digest) *bundle.Bundle {
	t.Helper()
	desc, err := remote.Get(ref)
	require.NoError(t, err)
	var manifest v1.Manifest
	require.NoError(t, json.Unmarshal(desc.Manifest, &manifest))
	layer, err := remote.Layer(ref.Context().Digest(manifest.Layers[0].Digest.String()))
	require.NoError(t, err)
	content, err := layer.Compressed()
	require.NoError(t, err)
	defer content.Close()
	bundleJSON, err := io.ReadAll(content)
	require.NoError(t, err)
	signed := &bundle.Bundle{}
	require.NoError(t, signed.UnmarshalJSON(bundleJSON))
	return signed
}
