package attest

import (
	"fmt"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/release/gate"
	"github.com/progressive-framework/platform/release/signkey"
)

// pushBenchImage pushes an image of 12 MiB, the size of a service, to a registry on loopback.
func pushBenchImage(b *testing.B, repo name.Repository) name.Digest {
	b.Helper()
	image, err := random.Image(6<<20, 2)
	require.NoError(b, err)
	digest, err := image.Digest()
	require.NoError(b, err)
	require.NoError(b, remote.Write(repo.Digest(digest.String()), image))
	return repo.Digest(digest.String())
}

// sbomPackages is the number of packages in the SBOM of the benchmark. web has 55 modules.
const sbomPackages = 120

// newBenchSBOM returns the statement of an SPDX document with sbomPackages packages.
func newBenchSBOM(b *testing.B, image name.Digest) *Statement {
	b.Helper()
	var packages []map[string]any
	for i := range sbomPackages {
		module := fmt.Sprintf("example.com/organization/module-%d", i)
		packages = append(packages, map[string]any{
			"SPDXID": fmt.Sprintf("SPDXRef-Package-%d", i), "name": module, "versionInfo": "v1.2.3", "filesAnalyzed": false,
			"downloadLocation": "https://" + module, "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
			"externalRefs": []map[string]string{{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:golang/" + module + "@v1.2.3?type=module"}},
		})
	}
	hash, err := v1.NewHash(image.DigestStr())
	require.NoError(b, err)
	s, err := NewStatement(image.Context().Name(), hash, SPDXType, map[string]any{"spdxVersion": "SPDX-2.3", "packages": packages})
	require.NoError(b, err)
	return s
}

// BenchmarkRelease measures the verification, the copy and the signing of one image. The image has the
// statements that prod requires; the signing adds those of a build.
func BenchmarkRelease(b *testing.B) {
	r := newTestRegistry(b, true)
	key, trusted := newKey(b)
	image := pushBenchImage(b, r.repository(b, "staging/web"))
	attach := func(b *testing.B, key signkey.Key) {
		b.Helper()
		require.NoError(b, Attach(b.Context(), image, []*Statement{newTestStatement(b, image, ProvenanceType), newBenchSBOM(b, image)}, key))
	}
	attach(b, key)
	wanted := gate.ReleasePredicateTypes("prod", nil)
	for _, predicateType := range wanted[len(requiredTypes):] {
		require.NoError(b, Add(b.Context(), image, []*Statement{newTestStatement(b, image, predicateType)}, key))
	}
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			_, err := Verify(b.Context(), image, trusted, wanted)
			require.NoError(b, err)
		}
	})
	b.Run("copy", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			require.NoError(b, Copy(b.Context(), image, r.repository(b, fmt.Sprintf("prod/web%d", i)), nil, nil))
		}
	})
	b.Run("sign", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			image = pushImage(b, r.repository(b, "staging/other"))
			b.StartTimer()
			attach(b, key)
		}
	})
}
