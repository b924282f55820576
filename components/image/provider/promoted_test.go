package provider

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/signkey"
)

// newSigningKey creates a key. It returns the path of the private key's file, and the public key in PEM.
func newSigningKey(t *testing.T) (path, publicKey string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, signkey.Create(path))
	content, err := os.ReadFile(path + ".pub")
	require.NoError(t, err)
	return path, string(content)
}

// createSignedImage creates an image that the key in the file keyPath signs.
func createSignedImage(t *testing.T, registry *testRegistry, keyPath string, more ...map[string]property.Value) *stack {
	t.Helper()
	inputs := ImageInputs{ImageSpec: ImageSpec{SigningKey: &keyPath}}
	require.NoError(t, inputs.identifySigner(t.Context()))
	more = append(more, map[string]property.Value{"signingKey": property.New(keyPath), "signedBy": property.New(inputs.SignedBy)})
	return createImage(t, registry, more...)
}

// newPromotion returns a stack for a promoted image, and the inputs of its program.
func newPromotion(t *testing.T, source, repository string, keys ...string) (*stack, map[string]property.Value) {
	t.Helper()
	s := newStack(t, "web")
	s.urn = resource.NewURN("prod", "shop", "", "ko:index:Promoted", "web")
	keyList := make([]property.Value, len(keys))
	for i, k := range keys {
		keyList[i] = property.New(k)
	}
	return s, map[string]property.Value{
		"source": property.New(source), "repository": property.New(repository), "trustedKeys": property.New(keyList),
	}
}

func TestSignedImageHasProvenanceAndSBOM(t *testing.T) {
	registry := newRegistry(t)
	keyPath, publicKey := newSigningKey(t)
	s := createSignedImage(t, registry, keyPath)
	keys, err := signkey.ParseTrusted(publicKey)
	require.NoError(t, err)
	ref, err := name.NewDigest(s.output("reference"))
	require.NoError(t, err)
	statements, err := attest.Verify(t.Context(), ref, keys, defaultPredicateTypes)
	require.NoError(t, err)
	for _, statement := range statements {
		switch statement.PredicateType {
		case attest.ProvenanceType:
			var provenance attest.Provenance
			require.NoError(t, json.Unmarshal(statement.Predicate, &provenance))
			require.Equal(t, "example.com/tiny", provenance.BuildDefinition.ExternalParameters["importPath"])
			require.NotEmpty(t, provenance.BuildDefinition.InternalParameters["goVersion"])
		case attest.SPDXType:
			require.Contains(t, string(statement.Predicate), `"spdxVersion"`)
		}
	}
	private, err := os.ReadFile(keyPath)
	require.NoError(t, err)
	secret := strings.Split(string(private), "\n")[1]
	for k, v := range maps.Collect(s.state.All) {
		require.False(t, v.IsString() && strings.Contains(v.AsString(), secret), "state %s has the private key", k)
	}
	require.NoError(t, s.destroy())
	requireMissing(t, ref.String())
	referrers, err := attest.Referrers(t.Context(), ref)
	require.NoError(t, err)
	require.Empty(t, referrers, "what was signed is deleted with the image")
}

func TestNewSigningKeyIsADiffAndAMissingOneIsRefused(t *testing.T) {
	registry := newRegistry(t)
	s := createImage(t, registry)
	keyPath, _ := newSigningKey(t)
	inputs := s.inputs.Set("signingKey", property.New(keyPath)).Set("signedBy", property.New("id"))
	require.Equal(t, map[string]p.PropertyDiff{"signedBy": {Kind: p.Update}}, s.diff(inputs).DetailedDiff)

	_, failures := newStack(t, "tiny").check(imageInputs(testImportPath(t), t.TempDir(), "localhost:1/shop/tiny",
		map[string]property.Value{"signingKey": property.New(filepath.Join(t.TempDir(), "none.pem"))}))
	require.Contains(t, failures["signingKey"], "none.pem: no such file")
}

func TestRefreshNoticesMissingSignatures(t *testing.T) {
	registry := newRegistry(t)
	keyPath, _ := newSigningKey(t)
	s := createSignedImage(t, registry, keyPath)
	inputs := s.inputs
	exists, err := s.refresh()
	require.NoError(t, err)
	require.True(t, exists)
	deleteReferrers(t, s.output("reference"))
	exists, err = s.refresh()
	require.NoError(t, err)
	require.False(t, exists)
	s.create(inputs)
	exists, err = s.refresh()
	require.NoError(t, err)
	require.True(t, exists, "it was signed again")
}

// deleteReferrers deletes the signed statements about an image, and the tag that lists them.
func deleteReferrers(t *testing.T, reference string) {
	t.Helper()
	ref, err := name.NewDigest(reference)
	require.NoError(t, err)
	referrers, err := attest.Referrers(t.Context(), ref)
	require.NoError(t, err)
	require.NotEmpty(t, referrers)
	for _, digest := range referrers {
		require.NoError(t, remote.Delete(ref.Context().Digest(digest.String())))
	}
	require.NoError(t, remote.Delete(ref.Context().Tag(strings.Replace(ref.DigestStr(), ":", "-", 1))))
}

func TestPromotedImageIsTheSameDigestWithItsSignatures(t *testing.T) {
	registry := newRegistry(t)
	keyPath, publicKey := newSigningKey(t)
	source := createSignedImage(t, registry, keyPath)
	s, programInputs := newPromotion(t, source.output("reference"), registry.host+"/prod/web", publicKey)

	_, previewOutputs := s.preview(programInputs)
	want := registry.host + "/prod/web@" + source.output("digest")
	require.Equal(t, want, previewOutputs.Get("reference").AsString())
	requireMissing(t, want)

	require.True(t, s.up(programInputs))
	require.Equal(t, want, s.output("reference"))
	require.Regexp(t, "^promoted-prod-web-[0-9a-f]{12}$", s.output("tag"))
	exists, err := s.refresh()
	require.NoError(t, err)
	require.True(t, exists)

	require.NoError(t, source.destroy(), "prod must not need staging")
	writes := registry.writes.Load()
	require.False(t, s.up(programInputs))
	require.Equal(t, writes, registry.writes.Load())

	newKeyPath, _ := newSigningKey(t)
	newPublicKey, err := os.ReadFile(newKeyPath + ".pub")
	require.NoError(t, err)
	programInputs["trustedKeys"] = property.New([]property.Value{property.New(publicKey), property.New(string(newPublicKey))})
	require.True(t, s.up(programInputs), "another list of keys is verified, in the target alone")

	require.NoError(t, s.destroy())
	requireMissing(t, want)
}

func TestPreviewRefusesAPromotionThatIsNotVerified(t *testing.T) {
	registry := newRegistry(t)
	keyPath, publicKey := newSigningKey(t)
	_, otherPublicKey := newSigningKey(t)
	signed := createSignedImage(t, registry, keyPath)
	require.NotEmpty(t, signed.output("reference"))
	otherRegistry := newRegistry(t)
	unsigned := createImage(t, otherRegistry).output("reference")
	for _, tc := range []struct{ reason, source, publicKey, property, want string }{
		{"nobody signed it", unsigned, publicKey, "source", "nothing of this type is attached"},
		{"another key signed it", signed.output("reference"), otherPublicKey, "source", "is signed by another key"},
		{"it does not exist", registry.host + "/shop/tiny@sha256:" + strings.Repeat("0", 64), publicKey, "source", "the target does not have it either"},
		{"a tag can move", registry.host + "/shop/tiny:v1", publicKey, "source", "does not name an image by its digest"},
		{"no key is trusted", signed.output("reference"), "text", "trustedKeys", "has no public key"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s, programInputs := newPromotion(t, tc.source, registry.host+"/prod/web", tc.publicKey)
			_, failures := s.check(programInputs)
			require.Contains(t, failures[tc.property], tc.want)
		})
	}
}

// A preview may run where the source can't be reached. The update always verifies the image.
func TestUpdateVerifiesAPromotionThatThePreviewCouldNotVerify(t *testing.T) {
	registry := newRegistry(t)
	source := createImage(t, registry)
	_, publicKey := newSigningKey(t)
	s, programInputs := newPromotion(t, source.output("reference"), registry.host+"/prod/web", publicKey)
	registry.broken.Store(true)
	inputs, failures := s.check(programInputs)
	require.Empty(t, failures)
	registry.broken.Store(false)
	_, err := s.server.Create(p.CreateRequest{Urn: s.urn, Properties: inputs})
	require.ErrorContains(t, err, "nothing of this type is attached")
	requireMissing(t, registry.host+"/prod/web@"+source.output("digest"))
}

func TestRefreshNoticesAMissingPromotedImageOrSignature(t *testing.T) {
	registry := newRegistry(t)
	keyPath, publicKey := newSigningKey(t)
	source := createSignedImage(t, registry, keyPath)
	s, programInputs := newPromotion(t, source.output("reference"), registry.host+"/prod/web", publicKey)
	for _, deletePart := range []func(*testing.T, string){deleteReferrers, deleteManifest} {
		require.True(t, s.up(programInputs))
		deletePart(t, s.output("reference"))
		exists, err := s.refresh()
		require.NoError(t, err)
		require.False(t, exists)
	}
	require.True(t, s.up(programInputs), "it is copied again")
}

func TestDeleteOfAPromotedImageKeepsASharedDigest(t *testing.T) {
	registry := newRegistry(t)
	keyPath, publicKey := newSigningKey(t)
	source := createSignedImage(t, registry, keyPath)
	s, programInputs := newPromotion(t, source.output("reference"), registry.host+"/prod/web", publicKey)
	require.True(t, s.up(programInputs))
	reference := s.output("reference")
	addTag(t, reference, "v1")
	require.NoError(t, s.destroy())
	requireExists(t, reference)
	keys, err := signkey.ParseTrusted(publicKey)
	require.NoError(t, err)
	ref, err := name.NewDigest(reference)
	require.NoError(t, err)
	_, err = attest.Verify(t.Context(), ref, keys, defaultPredicateTypes)
	require.NoError(t, err, "its signatures stay, too")
}

func TestPreviewOfPromotedImageShowsTheDigestBeforeTheRepositoryExists(t *testing.T) {
	registry := newRegistry(t)
	keyPath, publicKey := newSigningKey(t)
	source := createSignedImage(t, registry, keyPath)
	s, programInputs := newPromotion(t, source.output("reference"), "", publicKey)
	programInputs["repository"] = property.New(property.Computed)
	programInputs["login"] = loginInput(t)["login"]
	aws := newFakeAWS(t, "monday")
	_, previewOutputs := s.preview(programInputs)
	require.Empty(t, aws.calls(), "the source is not in ECR, so it must not get a password of ECR")
	require.Equal(t, source.output("digest"), previewOutputs.Get("digest").AsString())
	require.True(t, previewOutputs.Get("reference").IsComputed())
}

// A stack can build its images first, and promote images later. During that update, the repository
// has the built and the promoted image, with one digest. The deletion of the built image must keep
// the manifest.
func TestPromotedImageReplacesABuiltOneWithTheSameDigest(t *testing.T) {
	registry := newRegistry(t)
	keyPath, publicKey := newSigningKey(t)
	built := createSignedImage(t, registry, keyPath)
	s, programInputs := newPromotion(t, built.output("reference"), registry.host+"/shop/tiny", publicKey)
	s.urn = resource.NewURN("test", "shop", "", "ko:index:Promoted", "tiny")
	require.True(t, s.up(programInputs))
	require.NoError(t, built.destroy())
	requireExists(t, s.output("reference"))
	exists, err := s.refresh()
	require.NoError(t, err)
	require.True(t, exists)
}

// The preview of a draft demands fewer statements than the release before it. It must not show an update
// of each image that stays the same.
func TestFewerPredicateTypesAreNoChange(t *testing.T) {
	diff := func(before, now []string) bool {
		response, err := (&Promoted{}).Diff(t.Context(), infer.DiffRequest[PromotedInputs, PromotedState]{
			State:  PromotedState{PromotedSpec: PromotedSpec{PredicateTypes: before}},
			Inputs: PromotedInputs{PromotedSpec: PromotedSpec{PredicateTypes: now}},
		})
		require.NoError(t, err)
		return response.HasChanges
	}
	require.False(t, diff([]string{"provenance", "gate"}, []string{"provenance"}))
	require.True(t, diff([]string{"provenance"}, []string{"provenance", "gate"}), "the image was not verified with the gate")
}
