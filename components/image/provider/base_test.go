package provider

import (
	"bytes"
	"crypto/x509"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/image"
)

// The base is part of the digest of every image. New certificates or time zones
// change the base. Then set its new digest here and increase image.Version, so that
// a preview shows why all images change.
func TestBaseDigestChangesOnlyWithTheVersion(t *testing.T) {
	layer, err := baseLayer()
	require.NoError(t, err)
	diffID, err := layer.DiffID()
	require.NoError(t, err)
	require.Equal(t, "0.1.0", image.Version)
	require.Equal(t, "sha256:3ed10fa2fad047c78558621e9ed81ad483ce2ab31e7bc6be75933f5635f7dac9", diffID.String())
}

func TestBaseIndexHasEveryPlatform(t *testing.T) {
	platforms := []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}
	index, err := baseIndex(platforms)
	require.NoError(t, err)
	m, err := index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, m.Manifests, 2)
	for i, desc := range m.Manifests {
		require.Equal(t, platforms[i].String(), desc.Platform.String())
	}
}

func TestCertificatesCanBeParsed(t *testing.T) {
	raw := certificates()
	require.True(t, x509.NewCertPool().AppendCertsFromPEM(raw))
	require.Greater(t, bytes.Count(raw, []byte("BEGIN CERTIFICATE")), 100)
}
