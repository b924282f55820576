package attest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/release/gate"
	"github.com/progressive-framework/platform/release/signkey"
)

// testRegistry is go-containerregistry's registry on loopback. In its list of referrers, the
// field artifactType has the media type of the config. ECR and the sandbox's registry list the
// manifest's artifactType there. The package must work with both.
type testRegistry struct {
	host string

	mu sync.Mutex
	// tamper, if it is not nil, changes the content of each response to a GET request.
	tamper func(path string, content []byte) []byte
	status int // every response has this status, if it is not zero
}

// newTestRegistry starts a registry. Without referrersAPI the registry lists referrers only in a
// fallback tag.
func newTestRegistry(t testing.TB, referrersAPI bool) *testRegistry {
	t.Helper()
	r := &testRegistry{}
	upstream := registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(referrersAPI))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		tamper, status := r.tamper, r.status
		r.mu.Unlock()
		switch {
		case status != 0:
			w.WriteHeader(status)
		case tamper == nil || req.Method != http.MethodGet:
			upstream.ServeHTTP(w, req)
		default:
			response := httptest.NewRecorder()
			upstream.ServeHTTP(response, req)
			content := tamper(req.URL.Path, response.Body.Bytes())
			for k, v := range response.Header() {
				if k != "Content-Length" {
					w.Header()[k] = v
				}
			}
			w.WriteHeader(response.Code)
			_, _ = w.Write(content)
		}
	}))
	t.Cleanup(server.Close)
	r.host = strings.TrimPrefix(server.URL, "http://")
	return r
}

// repository returns the name of a repository in the registry.
func (r *testRegistry) repository(t testing.TB, path string) name.Repository {
	t.Helper()
	repo, err := name.NewRepository(r.host+"/"+path, name.StrictValidation)
	require.NoError(t, err)
	return repo
}

// pushImage pushes a new image and returns its digest.
func pushImage(t testing.TB, repo name.Repository) name.Digest {
	t.Helper()
	image, err := random.Image(256, 2)
	require.NoError(t, err)
	digest, err := image.Digest()
	require.NoError(t, err)
	ref := repo.Digest(digest.String())
	require.NoError(t, remote.Write(ref, image))
	return ref
}

// newKey returns a new signing key and the trusted keys that hold only its public key.
func newKey(t testing.TB) (signkey.Key, signkey.Trusted) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, signkey.Create(path))
	key, err := signkey.Read(path)
	require.NoError(t, err)
	public, err := os.ReadFile(path + ".pub")
	require.NoError(t, err)
	keys, err := signkey.ParseTrusted(string(public))
	require.NoError(t, err)
	return key, keys
}

// newTestStatement returns a statement about the image. Its predicate names the image's digest.
func newTestStatement(t testing.TB, image name.Digest, predicateType string) *Statement {
	t.Helper()
	hash, err := v1.NewHash(image.DigestStr())
	require.NoError(t, err)
	s, err := NewStatement(image.Context().Name(), hash, predicateType, map[string]string{"about": image.DigestStr()})
	require.NoError(t, err)
	return s
}

// requiredTypes are the predicate types that a release requires.
var requiredTypes = []string{ProvenanceType, SPDXType}

// pushSigned pushes an image and attaches a signed statement of each required type.
func pushSigned(t *testing.T, repo name.Repository, key signkey.Key) name.Digest {
	t.Helper()
	image := pushImage(t, repo)
	require.NoError(t, Attach(t.Context(), image, []*Statement{newTestStatement(t, image, ProvenanceType), newTestStatement(t, image, SPDXType)}, key))
	return image
}

func TestSignedImageIsAcceptedAndCopiedWithItsReferrers(t *testing.T) {
	for reason, hasReferrersAPI := range map[string]bool{"a registry with the referrers API": true, "a registry without it, by the fallback tag": false} {
		t.Run(reason, func(t *testing.T) {
			r := newTestRegistry(t, hasReferrersAPI)
			key, trusted := newKey(t)
			source := pushSigned(t, r.repository(t, "staging/web"), key)
			sourceAttestations, err := Verify(t.Context(), source, trusted, requiredTypes)
			require.NoError(t, err)
			require.Len(t, sourceAttestations, 2)

			target := r.repository(t, "prod/web")
			require.NoError(t, Copy(t.Context(), source, target, nil, nil))
			copied := target.Digest(source.DigestStr())
			copiedAttestations, err := Verify(t.Context(), copied, trusted, requiredTypes)
			require.NoError(t, err)
			require.ElementsMatch(t, sourceAttestations, copiedAttestations)
			digests, err := Referrers(t.Context(), copied)
			require.NoError(t, err)
			require.Len(t, digests, 2)
		})
	}
}

func TestIndexIsCopiedWithTheReferrersOfItsPlatforms(t *testing.T) {
	r := newTestRegistry(t, true)
	key, trusted := newKey(t)
	index, err := random.Index(128, 1, 2)
	require.NoError(t, err)
	digest, err := index.Digest()
	require.NoError(t, err)
	repo := r.repository(t, "staging/web")
	image := repo.Digest(digest.String())
	require.NoError(t, remote.WriteIndex(image, index))
	require.NoError(t, Attach(t.Context(), image, []*Statement{newTestStatement(t, image, ProvenanceType)}, key))
	list, err := index.IndexManifest()
	require.NoError(t, err)
	for _, m := range list.Manifests {
		child := repo.Digest(m.Digest.String())
		require.NoError(t, Attach(t.Context(), child, []*Statement{newTestStatement(t, child, SPDXType)}, key))
	}

	target := r.repository(t, "prod/web")
	require.NoError(t, Copy(t.Context(), image, target, nil, nil))
	_, err = Verify(t.Context(), target.Digest(digest.String()), trusted, []string{ProvenanceType})
	require.NoError(t, err)
	for _, m := range list.Manifests {
		_, err = Verify(t.Context(), target.Digest(m.Digest.String()), trusted, []string{SPDXType})
		require.NoError(t, err)
	}
}

func TestRepeatedSigningAddsNothing(t *testing.T) {
	r := newTestRegistry(t, true)
	key, _ := newKey(t)
	image := pushSigned(t, r.repository(t, "web"), key)
	require.NoError(t, Attach(t.Context(), image, []*Statement{newTestStatement(t, image, ProvenanceType), newTestStatement(t, image, SPDXType)}, key))
	digests, err := Referrers(t.Context(), image)
	require.NoError(t, err)
	require.Len(t, digests, 2)
}

// The gates accept the types of this package as provenance and SBOM.
func TestGatesAcceptProvenanceAndSBOM(t *testing.T) {
	require.Equal(t, requiredTypes, gate.BuildPredicateTypes())
	require.Equal(t, requiredTypes, gate.ReleasePredicateTypes("prod", nil)[:len(requiredTypes)])
}

// Verify reads no bundle of another type, so the statements of gates do not slow it down.
func TestVerifyReadsOnlyTheRequiredTypes(t *testing.T) {
	r := newTestRegistry(t, true)
	key, trusted := newKey(t)
	image := pushSigned(t, r.repository(t, "web"), key)
	var others []*Statement
	for _, predicateType := range []string{"https://example.com/a", "https://example.com/b"} {
		others = append(others, newTestStatement(t, image, predicateType))
	}
	require.NoError(t, Add(t.Context(), image, others, key))
	var blobs atomic.Int64
	r.tamper = func(path string, content []byte) []byte {
		if strings.Contains(path, "/blobs/") {
			blobs.Add(1)
		}
		return content
	}
	found, err := Verify(t.Context(), image, trusted, requiredTypes)
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.EqualValues(t, 2, blobs.Load())
	found, err = Find(t.Context(), image, trusted, []string{"https://example.com/a"})
	require.NoError(t, err)
	require.Len(t, found, 1)
}

func TestRotationAcceptsEitherKey(t *testing.T) {
	r := newTestRegistry(t, true)
	oldKey, oldTrusted := newKey(t)
	newerKey, trusted := newKey(t)
	for id, key := range oldTrusted {
		trusted[id] = key
	}
	for _, key := range []signkey.Key{oldKey, newerKey} {
		_, err := Verify(t.Context(), pushSigned(t, r.repository(t, "web"), key), trusted, requiredTypes)
		require.NoError(t, err)
	}
}

func TestImagesWithoutValidAttestationsAreRefused(t *testing.T) {
	key, trusted := newKey(t)
	attach := func(t *testing.T, image name.Digest, bundle []byte) {
		t.Helper()
		desc, err := remote.Head(image)
		require.NoError(t, err)
		require.NoError(t, attachBundle(t.Context(), image, *desc, bundle, ProvenanceType, nil))
	}
	sign := func(t *testing.T, s *Statement) []byte {
		t.Helper()
		bundle, err := Sign(t.Context(), s, key)
		require.NoError(t, err)
		return bundle
	}
	tests := map[string]struct {
		prepare func(t *testing.T, r *testRegistry, repo name.Repository) name.Digest
		want    string // a part of the reason
	}{
		"no attestation": {
			func(t *testing.T, _ *testRegistry, repo name.Repository) name.Digest { return pushImage(t, repo) },
			"nothing of this type is attached",
		},
		"another key": {
			func(t *testing.T, _ *testRegistry, repo name.Repository) name.Digest {
				other, _ := newKey(t)
				return pushSigned(t, repo, other)
			},
			"is signed by another key",
		},
		"an attestation of another image": {
			func(t *testing.T, _ *testRegistry, repo name.Repository) name.Digest {
				image := pushImage(t, repo)
				attach(t, image, sign(t, newTestStatement(t, pushImage(t, repo), ProvenanceType)))
				return image
			},
			"is about another image, sha256:",
		},
		"a changed payload": {
			func(t *testing.T, _ *testRegistry, repo name.Repository) name.Digest {
				image := pushImage(t, repo)
				var bundle map[string]any
				require.NoError(t, json.Unmarshal(sign(t, newTestStatement(t, pushImage(t, repo), ProvenanceType)), &bundle))
				payload, err := json.Marshal(newTestStatement(t, image, ProvenanceType))
				require.NoError(t, err)
				bundle["dsseEnvelope"].(map[string]any)["payload"] = payload
				raw, err := json.Marshal(bundle)
				require.NoError(t, err)
				attach(t, image, raw)
				return image
			},
			"its signature does not match",
		},
		"provenance without an SBOM": {
			func(t *testing.T, _ *testRegistry, repo name.Repository) name.Digest {
				image := pushImage(t, repo)
				attach(t, image, sign(t, newTestStatement(t, image, ProvenanceType)))
				return image
			},
			"no valid attestation of type " + SPDXType,
		},
		"no bundle at all": {
			func(t *testing.T, _ *testRegistry, repo name.Repository) name.Digest {
				image := pushImage(t, repo)
				attach(t, image, []byte("{}"))
				return image
			},
			"not a Sigstore bundle",
		},
		"a registry that changed the bundle": {
			func(t *testing.T, r *testRegistry, repo name.Repository) name.Digest {
				image := pushSigned(t, repo, key)
				r.tamper = func(path string, content []byte) []byte {
					if strings.Contains(path, "/blobs/") && bytes.Contains(content, []byte("dsseEnvelope")) {
						return bytes.Replace(content, []byte("payloadType"), []byte("payloadTypo"), 1)
					}
					return content
				}
				return image
			},
			"error verifying sha256",
		},
		"a registry that changed the manifest": {
			func(t *testing.T, r *testRegistry, repo name.Repository) name.Digest {
				image := pushSigned(t, repo, key)
				r.tamper = func(path string, content []byte) []byte {
					if strings.Contains(path, "/manifests/"+image.DigestStr()) {
						return append(content, ' ')
					}
					return content
				}
				return image
			},
			"its content was changed in the registry",
		},
	}
	for reason, test := range tests {
		t.Run(reason, func(t *testing.T) {
			r := newTestRegistry(t, true)
			image := test.prepare(t, r, r.repository(t, "staging/web"))
			_, err := Verify(t.Context(), image, trusted, requiredTypes)
			var refused *RefusedError
			require.ErrorAs(t, err, &refused)
			require.ErrorContains(t, err, test.want)
			require.ErrorContains(t, err, image.String())
		})
	}
}

// A changed layer has a different digest than its manifest names, so Copy fails and the target has
// no image.
func TestCopyRefusesAChangedLayer(t *testing.T) {
	r := newTestRegistry(t, true)
	key, _ := newKey(t)
	source := pushSigned(t, r.repository(t, "staging/web"), key)
	other := newTestRegistry(t, true)
	r.tamper = func(path string, content []byte) []byte {
		if strings.Contains(path, "/blobs/") && len(content) > 0 {
			content[len(content)-1] ^= 1
		}
		return content
	}
	require.Error(t, Copy(t.Context(), source, other.repository(t, "prod/web"), nil, nil))
	_, err := remote.Head(other.repository(t, "prod/web").Digest(source.DigestStr()))
	require.Error(t, err)
}

// If the registry can't be reached, Verify knows nothing about the image. It then returns an ordinary
// error and not a RefusedError, so a caller can retry.
func TestUnreachableRegistryIsNotARefusal(t *testing.T) {
	r := newTestRegistry(t, true)
	key, trusted := newKey(t)
	image := pushSigned(t, r.repository(t, "web"), key)
	var refused *RefusedError
	for status, reason := range map[int]string{http.StatusTeapot: "broken", http.StatusForbidden: "denied"} {
		r.status = status
		_, err := Verify(t.Context(), image, trusted, requiredTypes)
		require.Error(t, err, reason)
		require.False(t, errors.As(err, &refused), reason)
		require.NotErrorIs(t, err, ErrAbsent, reason)
	}
	r.status = 0
	absent := image.Context().Digest("sha256:" + strings.Repeat("0", 64))
	_, err := Verify(t.Context(), absent, trusted, requiredTypes)
	require.ErrorIs(t, err, ErrAbsent)
}

func TestInvalidAttestationsDoNotHideAValidOne(t *testing.T) {
	r := newTestRegistry(t, true)
	key, trusted := newKey(t)
	other, _ := newKey(t)
	image := pushImage(t, r.repository(t, "web"))
	for _, k := range []signkey.Key{other, key} {
		require.NoError(t, Attach(t.Context(), image, []*Statement{newTestStatement(t, image, ProvenanceType), newTestStatement(t, image, SPDXType)}, k))
	}
	// Verify also ignores a referrer that is not an attestation.
	desc, err := remote.Head(image)
	require.NoError(t, err)
	unrelated, ok := mutate.Subject(mutate.Annotations(newTestImage(t), map[string]string{"a": "b"}).(v1.Image), *desc).(v1.Image)
	require.True(t, ok)
	digest, err := unrelated.Digest()
	require.NoError(t, err)
	require.NoError(t, remote.Write(image.Context().Digest(digest.String()), unrelated))
	found, err := Verify(t.Context(), image, trusted, requiredTypes)
	require.NoError(t, err)
	require.Len(t, found, 2)
}

// After a change of one byte, a bundle is invalid or its statement is the same.
func TestChangedByteNeverChangesTheAcceptedStatement(t *testing.T) {
	key, trusted := newKey(t)
	repo, err := name.NewRepository("registry.example.com/web")
	require.NoError(t, err)
	image := repo.Digest("sha256:" + strings.Repeat("a", 64))
	hash, err := v1.NewHash(image.DigestStr())
	require.NoError(t, err)
	bundle, err := Sign(context.Background(), newTestStatement(t, image, ProvenanceType), key)
	require.NoError(t, err)
	want, err := verifyBundle(bundle, trusted, hash)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		changed := bytes.Clone(bundle)
		position := rapid.IntRange(0, len(changed)-1).Draw(t, "at")
		changed[position] = rapid.Byte().Draw(t, "byte")
		if a, err := verifyBundle(changed, trusted, hash); err == nil {
			require.Equal(t, want.Statement, a.Statement)
		}
	})
}

// newTestImage returns a random image of one layer.
func newTestImage(t *testing.T) v1.Image {
	t.Helper()
	image, err := random.Image(64, 1)
	require.NoError(t, err)
	return image
}
