package provider

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

// deleteManifest deletes a manifest or a tag without Pulumi.
func deleteManifest(t *testing.T, reference string) {
	t.Helper()
	ref, err := name.ParseReference(reference)
	require.NoError(t, err)
	require.NoError(t, remote.Delete(ref, remote.WithContext(t.Context())))
}

// listTags returns all tags of a repository.
func listTags(t *testing.T, repository string) []string {
	t.Helper()
	repo, err := name.NewRepository(repository)
	require.NoError(t, err)
	tags, err := remote.List(repo, remote.WithContext(t.Context()))
	require.NoError(t, err)
	return tags
}

// addTag adds a tag to a pushed image.
func addTag(t *testing.T, reference, tag string) {
	t.Helper()
	ref, err := name.ParseReference(reference)
	require.NoError(t, err)
	desc, err := remote.Get(ref, remote.WithContext(t.Context()))
	require.NoError(t, err)
	require.NoError(t, remote.Tag(ref.Context().Tag(tag), desc, remote.WithContext(t.Context())))
}

func TestRefreshNoticesADeletedImage(t *testing.T) {
	registry := newRegistry(t)
	s := createImage(t, registry)
	inputs := s.inputs
	exists, err := s.refresh()
	require.NoError(t, err)
	require.True(t, exists)

	reference := s.output("reference")
	deleteManifest(t, reference)
	exists, err = s.refresh()
	require.NoError(t, err)
	require.False(t, exists)

	s.create(inputs)
	require.Equal(t, reference, s.output("reference"))
	requireExists(t, reference) // pushed again, although the registry still had the tag
}

func TestRefreshWithRefusedLoginKeepsTheState(t *testing.T) {
	registry := newRegistry(t)
	token := "monday"
	registry.password.Store(&token)
	aws := newFakeAWS(t, "monday")
	s := createImage(t, registry, loginInput(t))

	token = "tuesday"
	exists, err := s.refresh()
	require.NoError(t, err)
	require.True(t, exists, "a refused login does not mean a missing image, so the state is kept")

	s.server = newStack(t, "tiny").server
	aws.write("stderr", "The SSO session has expired")
	exists, err = s.refresh()
	require.NoError(t, err)
	require.True(t, exists, "nor does an AWS CLI that fails")

	dockerFolder := t.TempDir()
	writeFile(t, dockerFolder, "config.json", `{"auths":{"`+registry.host+`":{"username":"AWS","password":"tuesday"}}}`)
	t.Setenv("DOCKER_CONFIG", dockerFolder)
	id, state, inputs := s.id, s.state, s.inputs
	exists, err = s.refresh()
	require.NoError(t, err)
	require.True(t, exists, "it uses the docker config if the other login fails")

	s.id, s.state, s.inputs = id, state.Set("reference", property.New(
		registry.host+"/shop/tiny@sha256:"+strings.Repeat("0", 64))), inputs
	exists, err = s.refresh()
	require.NoError(t, err)
	require.False(t, exists, "a \"not found\" with an accepted login means a missing image")
}

func TestRefreshFailsIfTheRegistryDoesNotAnswer(t *testing.T) {
	registry := newRegistry(t)
	s := createImage(t, registry)
	registry.broken.Store(true)
	_, err := s.refresh()
	require.ErrorContains(t, err, "registry "+registry.host+" does not answer")
	require.ErrorContains(t, s.destroy(), "does not answer", "a destroy can be repeated")
}

func TestImportIsRefused(t *testing.T) {
	s := newStack(t, "tiny")
	s.id = "localhost:1/shop/tiny"
	_, err := s.refresh()
	require.ErrorContains(t, err, "cannot be imported")
}

func TestDeleteKeepsManifestsThatOtherTagsUse(t *testing.T) {
	for _, tc := range []struct {
		reason  string
		prepare func(t *testing.T, registry *testRegistry, repo string, s *stack)
		kept    bool // whether the manifest still exists
		// tags are the remaining tags. A text is the beginning of a tag, or its end after a dot.
		tags []string
	}{
		{"an image that nothing else uses is deleted", func(*testing.T, *testRegistry, string, *stack) {}, false, nil},
		{"a release tag keeps the manifest and its SBOM", func(t *testing.T, _ *testRegistry, _ string, s *stack) {
			addTag(t, s.output("reference"), "v1")
		}, true, []string{"sbom", "v1"}},
		{"an index that lists the manifest keeps it", func(t *testing.T, _ *testRegistry, repo string, s *stack) {
			ref, err := name.ParseReference(s.output("reference"))
			require.NoError(t, err)
			img, err := remote.Image(ref)
			require.NoError(t, err)
			index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img})
			require.NoError(t, remote.WriteIndex(ref.Context().Tag("all"), index))
		}, true, []string{"all", "sbom"}},
		{"a tag of another stack keeps the manifest", func(t *testing.T, registry *testRegistry, _ string, _ *stack) {
			createImage(t, registry, map[string]property.Value{"tag": property.New("prod-tiny-0123456789ab")})
		}, true, []string{"prod-tiny-", "sbom"}},
		{"tags of other images stay", func(t *testing.T, _ *testRegistry, repo string, _ *stack) {
			ref, err := name.ParseReference(repo + ":other")
			require.NoError(t, err)
			require.NoError(t, remote.Write(ref, empty.Image))
		}, false, []string{"other"}},
		{"the SBOM of a missing manifest is deleted", func(t *testing.T, _ *testRegistry, _ string, s *stack) {
			deleteManifest(t, s.output("reference"))
		}, false, nil},
		{"a registry without deletion is not a failure", func(_ *testing.T, registry *testRegistry, _ string, _ *stack) {
			registry.deleteStatus.Store(http.StatusMethodNotAllowed)
		}, true, []string{"sbom", "test-tiny-"}},
		{"a login without permission to delete is not a failure", func(_ *testing.T, registry *testRegistry, _ string, _ *stack) {
			registry.deleteStatus.Store(http.StatusForbidden)
		}, true, []string{"sbom", "test-tiny-"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			registry := newRegistry(t)
			repo := registry.host + "/shop/tiny"
			s := createImage(t, registry)
			tc.prepare(t, registry, repo, s)
			require.NoError(t, s.destroy())
			if tc.kept {
				requireExists(t, s.output("reference"))
			} else {
				requireMissing(t, s.output("reference"))
				requireMissing(t, s.output("sbomReference"))
			}
			remaining := listTags(t, repo)
			require.Len(t, remaining, len(tc.tags), "%v", remaining)
			for _, want := range tc.tags {
				require.Condition(t, func() bool {
					for _, tag := range remaining {
						if strings.HasPrefix(tag, want) || strings.HasSuffix(tag, "."+want) {
							return true
						}
					}
					return false
				}, "%s in %v", want, remaining)
			}
		})
	}
}

func TestDeleteSucceedsWithoutTheRepository(t *testing.T) {
	s := createImage(t, newRegistry(t))
	emptyRepository := newRegistry(t).host + "/shop/tiny"
	s.state = s.state.Set("reference", property.New(emptyRepository+"@"+s.output("digest")))
	require.NoError(t, s.destroy())
}

func TestDeleteWithoutALoginKeepsTheImage(t *testing.T) {
	registry := newRegistry(t)
	s := createImage(t, registry)
	token := "monday"
	registry.password.Store(&token)
	require.NoError(t, s.destroy(), "without a login the image stays, and the destroy continues")
	registry.password.Store(nil)
	requireExists(t, s.output("reference"))
}

func TestDeleteAnIndexKeepsSharedManifests(t *testing.T) {
	t.Parallel()
	dir := newModule(t, map[string]string{"main.go": helloSource})
	repo := newRegistry(t).host + "/shop/tiny"
	onePlatform, twoPlatforms := newStack(t, "one"), newStack(t, "both")
	platforms := func(names ...string) map[string]property.Value {
		list := []property.Value{}
		for _, n := range names {
			list = append(list, property.New(n))
		}
		return map[string]property.Value{"platforms": property.New(list)}
	}
	require.True(t, onePlatform.up(imageInputs(testImportPath(t), dir, repo)))
	require.True(t, twoPlatforms.up(imageInputs(testImportPath(t), dir, repo, platforms("linux/arm64", "linux/amd64", "linux/amd64"))))
	ref, err := name.ParseReference(twoPlatforms.output("reference"))
	require.NoError(t, err)
	index, err := remote.Index(ref)
	require.NoError(t, err)
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, manifest.Manifests, 2)
	built := map[string]v1.Hash{}
	for _, child := range manifest.Manifests {
		built[child.Platform.String()] = child.Digest
	}
	require.Equal(t, onePlatform.output("digest"), built["linux/amd64"].String(), "an index lists the same image as a build for one platform")

	require.NoError(t, twoPlatforms.destroy())
	requireMissing(t, twoPlatforms.output("reference"))
	requireMissing(t, repo+"@"+built["linux/arm64"].String())
	requireExists(t, onePlatform.output("reference"))
	require.NoError(t, onePlatform.destroy())
	require.Empty(t, listTags(t, repo))
}

func TestPushWithRefusedLoginNamesTheFix(t *testing.T) {
	registry := newRegistry(t)
	token := "monday"
	registry.password.Store(&token)
	base, err := stackWithCheckedInputs()
	require.NoError(t, err)
	inputs := base.inputs.Set("repository", property.New(registry.host+"/shop/tiny")).Set("login", loginInput(t)["login"])
	newFakeAWS(t, "wrong")
	_, err = base.server.Create(p.CreateRequest{Urn: base.urn, Properties: inputs})
	require.ErrorContains(t, err, "log in with an identity that may push")
	require.NotContains(t, err.Error(), "wrong")
}

func TestPasswordIsSentToItsRegistryOnly(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	newFakeAWS(t, "secret")
	passwords := &ecrPasswords{timeout: loginTimeout}
	scoped := passwords.keychain("own.example.com", &ECRLogin{Region: "us-east-1"})
	for host, want := range map[string]string{"own.example.com": "secret", "base.example.com": ""} {
		registry, err := name.NewRegistry(host)
		require.NoError(t, err)
		auth, err := scoped.Resolve(registry)
		require.NoError(t, err)
		config, err := auth.Authorization()
		require.NoError(t, err)
		require.Equal(t, want, config.Password, host)
	}
}

func TestErrorKindFollowsFromStatusAndCode(t *testing.T) {
	responseError := func(code int, codes ...transport.ErrorCode) error {
		response := &transport.Error{StatusCode: code}
		for _, c := range codes {
			response.Errors = append(response.Errors, transport.Diagnostic{Code: c})
		}
		return response
	}
	for _, c := range []struct {
		reason string
		err    error
		want   errorKind
	}{
		{"a missing manifest or repository", responseError(404), absent},
		{"a missing login", responseError(401), denied},
		{"an expired token of ECR", responseError(403, transport.DeniedErrorCode), denied},
		{"a registry that does not support deletion", responseError(405), unsupported},
		{"an older registry that does not support deletion", responseError(400, transport.UnsupportedErrorCode), unsupported},
		{"a broken registry", responseError(500), failed},
		{"an unreachable registry", errors.New("connection refused"), failed},
		{"a canceled request", context.Canceled, failed},
	} {
		require.Equal(t, c.want, classify(c.err), c.reason)
	}
}
