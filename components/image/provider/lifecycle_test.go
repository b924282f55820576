package provider

import (
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

func TestPreviewUpdateAndDestroy(t *testing.T) {
	t.Parallel()
	dir := newModule(t, map[string]string{"main.go": helloSource})
	registry := newRegistry(t)
	repo := registry.host + "/shop/tiny"
	s := newStack(t, "tiny")

	diff, previewOutputs := s.preview(imageInputs(testImportPath(t), dir, repo))
	require.True(t, diff.HasChanges)
	require.Zero(t, registry.writes.Load(), "a preview pushes nothing")
	digest := previewOutputs.Get("digest").AsString()
	require.Regexp(t, `^sha256:[0-9a-f]{64}$`, digest, "a preview shows the digest")
	require.Equal(t, repo+"@"+digest, previewOutputs.Get("reference").AsString())

	require.True(t, s.up(imageInputs(testImportPath(t), dir, repo)))
	require.Equal(t, digest, s.output("digest"), "the update pushes the digest of the preview")
	require.Equal(t, repo+"@"+digest, s.output("reference"))
	require.Equal(t, "test-tiny-"+digest[7:19], s.output("tag"))
	requireExists(t, s.output("reference"))
	requireExists(t, repo+":"+s.output("tag"))

	writes := registry.writes.Load()
	require.False(t, s.up(imageInputs(testImportPath(t), dir, repo)), "unchanged sources change nothing")
	require.Equal(t, writes, registry.writes.Load())

	writeFile(t, dir, "main.go", `package main

func main() { println("changed") }
`)
	diff, previewOutputs = s.preview(imageInputs(testImportPath(t), dir, repo))
	require.True(t, diff.HasChanges)
	require.Contains(t, diff.DetailedDiff, "digest")
	require.NotContains(t, diff.DetailedDiff, "repository")
	require.NotEqual(t, digest, previewOutputs.Get("digest").AsString())
	require.Equal(t, writes, registry.writes.Load(), "a preview pushes nothing")
	require.True(t, s.up(imageInputs(testImportPath(t), dir, repo)))
	require.Equal(t, previewOutputs.Get("digest").AsString(), s.output("digest"))
	requireExists(t, s.output("reference"))
	requireExists(t, repo+"@"+digest) // the old image stays, for pods that still run it

	require.NoError(t, s.destroy())
	requireMissing(t, s.output("reference"))
	requireMissing(t, s.output("sbomReference"))
	requireExists(t, repo+"@"+digest)
}

func TestPreviewShowsTheDigestBeforeTheRepositoryExists(t *testing.T) {
	t.Parallel()
	s := newStack(t, "tiny")
	programInputs := imageInputs(testImportPath(t), newModule(t, map[string]string{"main.go": helloSource}), "")
	programInputs["repository"] = property.New(property.Computed)
	programInputs["login"] = loginInput(t)["login"]
	inputs, failures := s.check(programInputs)
	require.Empty(t, failures)
	require.Equal(t, t.Name(), inputs.Get("login").AsMap().Get("profile").AsString())
	resp, err := s.server.Create(p.CreateRequest{Urn: s.urn, Properties: inputs, DryRun: true})
	require.NoError(t, err)
	previewOutputs := resp.Properties
	require.Regexp(t, "^sha256:", previewOutputs.Get("digest").AsString(), "the digest needs no repository")
	require.True(t, previewOutputs.Get("reference").IsComputed())
	require.True(t, previewOutputs.Get("sbomReference").IsComputed())
	require.True(t, previewOutputs.Get("size").IsNumber())
}

func TestUnknownBuildInputMakesTheOutputsUnknown(t *testing.T) {
	s := newStack(t, "tiny")
	_, previewOutputs := s.preview(imageInputs(testImportPath(t), t.TempDir(), "localhost:1/shop/tiny", map[string]property.Value{"base": property.New(property.Computed)}))
	for _, name := range []string{"digest", "tag", "reference", "sbomReference", "size"} {
		require.True(t, previewOutputs.Get(name).IsComputed(), name)
	}
}

func TestNewLoginChangesNothing(t *testing.T) {
	s := createImage(t, newRegistry(t))
	diff := s.diff(s.inputs.Set("login", loginInput(t)["login"]))
	require.False(t, diff.HasChanges, "the login is not a property of the image")
}

func TestAnotherRepositoryReplacesTheImage(t *testing.T) {
	s := createImage(t, newRegistry(t))
	diff := s.diff(s.inputs.Set("repository", property.New("example.com/shop/other")))
	require.Equal(t, map[string]p.PropertyDiff{"repository": {Kind: p.UpdateReplace}}, diff.DetailedDiff)
	diff = s.diff(s.inputs.Set("repository", property.New(property.Computed)))
	require.Equal(t, p.UpdateReplace, diff.DetailedDiff["repository"].Kind, "the URL of a replaced repository is unknown")
}

func TestDiffNamesTheChangedInputs(t *testing.T) {
	s := createImage(t, newRegistry(t))
	diff := s.diff(s.inputs.
		Set("digest", property.New("sha256:1")).
		Set("goVersion", property.New("go1.99")).
		Set("labels", property.New(map[string]property.Value{"team": property.New("shop")})))
	require.Equal(t, map[string]p.PropertyDiff{
		"digest": {Kind: p.Update}, "goVersion": {Kind: p.Update}, "labels": {Kind: p.Update},
	}, diff.DetailedDiff)
}

func TestPushSkipsWhatTheRegistryHas(t *testing.T) {
	registry := newRegistry(t)
	createImage(t, registry)
	uploads, writes := registry.uploads.Load(), registry.writes.Load()
	createImage(t, registry, map[string]property.Value{"tag": property.New("test-two-0123456789ab")})
	require.Equal(t, uploads, registry.uploads.Load(), "no blob is sent twice")
	require.Equal(t, writes+1, registry.writes.Load(), "only the second resource's tag is written")
	createImage(t, registry)
	require.Equal(t, writes+1, registry.writes.Load(), "nothing is written twice")
}

// requireExists requires that the registry has a manifest or a tag.
func requireExists(t *testing.T, reference string) {
	t.Helper()
	ref, err := name.ParseReference(reference)
	require.NoError(t, err)
	_, err = remote.Head(ref, remote.WithContext(t.Context()))
	require.NoError(t, err, reference)
}

// requireMissing requires that the registry does not have a manifest or a tag.
func requireMissing(t *testing.T, reference string) {
	t.Helper()
	ref, err := name.ParseReference(reference)
	require.NoError(t, err)
	_, err = remote.Head(ref, remote.WithContext(t.Context()))
	require.Equal(t, absent, classify(err), "%s: %v", reference, err)
}
