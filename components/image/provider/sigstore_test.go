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
	key, public := signingKey(t)
	_, other := signingKey(t)
	s := createSignedImage(t, registry, key)
	ref, err := name.NewDigest(s.output("reference"))
	require.NoError(t, err)
	referrers, err := attest.Referrers(t.Context(), ref)
	require.NoError(t, err)
	require.Len(t, referrers, 2)
	hash, err := v1.NewHash(ref.DigestStr())
	require.NoError(t, err)
	for _, referrer := range referrers {
		signed := bundleAt(t, ref.Context().Digest(referrer.String()))
		require.NoError(t, sigstore(t, signed, public, hash.Hex))
		require.Error(t, sigstore(t, signed, other, hash.Hex), "another key")
		require.Error(t, sigstore(t, signed, public, referrer.Hex), "another image")
	}
}

// sigstore verifies a bundle with sigstore-go, for a public key and an image.
func sigstore(t *testing.T, signed *bundle.Bundle, public, image string) error {
	t.Helper()
	trusted, err := signkey.ParseTrusted(public)
	require.NoError(t, err)
	material := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		for _, k := range trusted {
			return expiring(t, k), nil
		}
		return nil, nil
	})
	verifier, err := verify.NewVerifier(material, verify.WithNoObserverTimestamps())
	require.NoError(t, err)
	digest, err := hex.DecodeString(image)
	require.NoError(t, err)
	_, err = verifier.Verify(signed, verify.NewPolicy(verify.WithArtifactDigest("sha256", digest), verify.WithKey()))
	return err
}

// expiring returns a trusted key without an end, in the form that sigstore-go requires.
func expiring(t *testing.T, key *ecdsa.PublicKey) *root.ExpiringKey {
	t.Helper()
	v, err := signature.LoadECDSAVerifier(key, crypto.SHA256)
	require.NoError(t, err)
	return root.NewExpiringKey(v, time.Time{}, time.Time{})
}

// bundleAt reads the bundle of a referrer.
func bundleAt(t *testing.T, ref name.Digest) *bundle.Bundle {
	t.Helper()
	desc, err := remote.Get(ref)
	require.NoError(t, err)
	var m v1.Manifest
	require.NoError(t, json.Unmarshal(desc.Manifest, &m))
	layer, err := remote.Layer(ref.Context().Digest(m.Layers[0].Digest.String()))
	require.NoError(t, err)
	content, err := layer.Compressed()
	require.NoError(t, err)
	defer content.Close()
	raw, err := io.ReadAll(content)
	require.NoError(t, err)
	signed := &bundle.Bundle{}
	require.NoError(t, signed.UnmarshalJSON(raw))
	return signed
}
