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

// drop deletes a manifest or a tag behind Pulumi's back.
func drop(t *testing.T, reference string) {
	t.Helper()
	ref, err := name.ParseReference(reference)
	require.NoError(t, err)
	require.NoError(t, remote.Delete(ref, remote.WithContext(t.Context())))
}

func tags(t *testing.T, repository string) []string {
	t.Helper()
	repo, err := name.NewRepository(repository)
	require.NoError(t, err)
	found, err := remote.List(repo, remote.WithContext(t.Context()))
	require.NoError(t, err)
	return found
}

// tag gives a pushed image another tag.
func tag(t *testing.T, reference, other string) {
	t.Helper()
	ref, err := name.ParseReference(reference)
	require.NoError(t, err)
	desc, err := remote.Get(ref, remote.WithContext(t.Context()))
	require.NoError(t, err)
	require.NoError(t, remote.Tag(ref.Context().Tag(other), desc, remote.WithContext(t.Context())))
}

func TestRefreshNoticesADeletedImage(t *testing.T) {
	store := newStore(t)
	s := pushed(t, store)
	inputs := s.inputs
	there, err := s.refresh()
	require.NoError(t, err)
	require.True(t, there)

	reference := s.output("reference")
	drop(t, reference)
	there, err = s.refresh()
	require.NoError(t, err)
	require.False(t, there)

	s.create(inputs)
	require.Equal(t, reference, s.output("reference"))
	head(t, reference) // pushed again, though the registry still had the tag
}

func TestRefreshWithARefusedLogin(t *testing.T) {
	store := newStore(t)
	token := "monday"
	store.password.Store(&token)
	s := pushed(t, store, credentials("monday"))

	there, err := s.refresh()
	require.NoError(t, err)
	require.True(t, there, "the credentials of the inputs are used")

	token = "tuesday"
	there, err = s.refresh()
	require.NoError(t, err)
	require.True(t, there, "an expired login proves nothing: the record is kept")

	docker := t.TempDir()
	edit(t, docker, "config.json", `{"auths":{"`+store.host+`":{"username":"AWS","password":"tuesday"}}}`)
	t.Setenv("DOCKER_CONFIG", docker)
	id, state, inputs := s.id, s.state, s.inputs
	there, err = s.refresh()
	require.NoError(t, err)
	require.True(t, there, "the docker config's login is used where the other is refused")

	s.id, s.state, s.inputs = id, state.Set("reference", property.New(
		store.host+"/shop/tiny@sha256:"+strings.Repeat("0", 64))), inputs
	there, err = s.refresh()
	require.NoError(t, err)
	require.False(t, there, "and is believed")
}

func TestRefreshWithoutARegistry(t *testing.T) {
	store := newStore(t)
	s := pushed(t, store)
	store.broken.Store(true)
	_, err := s.refresh()
	require.ErrorContains(t, err, "registry "+store.host+" does not answer")
	require.ErrorContains(t, s.destroy(), "does not answer", "a destroy can be tried again")
}

func TestImportIsRefused(t *testing.T) {
	s := newStack(t, "tiny")
	s.id = "localhost:1/shop/tiny"
	_, err := s.refresh()
	require.ErrorContains(t, err, "cannot be imported")
}

func TestDelete(t *testing.T) {
	for _, c := range []struct {
		why    string
		before func(t *testing.T, store *store, repo string, s *stack)
		kept   bool // whether the manifest is still there
		tags   []string
	}{
		{"alone, nothing is left", func(*testing.T, *store, string, *stack) {}, false, nil},
		{"a release tag keeps the manifest and its SBOM", func(t *testing.T, _ *store, _ string, s *stack) {
			tag(t, s.output("reference"), "v1")
		}, true, []string{"sbom", "v1"}},
		{"an index that lists the manifest keeps it", func(t *testing.T, _ *store, repo string, s *stack) {
			ref, err := name.ParseReference(s.output("reference"))
			require.NoError(t, err)
			img, err := remote.Image(ref)
			require.NoError(t, err)
			index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img})
			require.NoError(t, remote.WriteIndex(ref.Context().Tag("all"), index))
		}, true, []string{"all", "sbom"}},
		{"another stack's claim keeps the manifest", func(t *testing.T, store *store, _ string, _ *stack) {
			pushed(t, store, map[string]property.Value{"tag": property.New("prod-tiny-0123456789ab")})
		}, true, []string{"prod-tiny-", "sbom"}},
		{"another image's tags are left", func(t *testing.T, _ *store, repo string, _ *stack) {
			ref, err := name.ParseReference(repo + ":other")
			require.NoError(t, err)
			require.NoError(t, remote.Write(ref, empty.Image))
		}, false, []string{"other"}},
		{"a manifest that is gone leaves no SBOM", func(t *testing.T, _ *store, _ string, s *stack) {
			drop(t, s.output("reference"))
		}, false, nil},
		{"a registry that does not delete is no failure", func(_ *testing.T, store *store, _ string, _ *stack) {
			store.refuse.Store(http.StatusMethodNotAllowed)
		}, true, []string{"sbom", "test-tiny-"}},
		{"a login that may not delete is no failure", func(_ *testing.T, store *store, _ string, _ *stack) {
			store.refuse.Store(http.StatusForbidden)
		}, true, []string{"sbom", "test-tiny-"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			store := newStore(t)
			repo := store.host + "/shop/tiny"
			s := pushed(t, store)
			c.before(t, store, repo, s)
			require.NoError(t, s.destroy())
			if c.kept {
				head(t, s.output("reference"))
			} else {
				gone(t, s.output("reference"))
				gone(t, s.output("sbomReference"))
			}
			left := tags(t, repo)
			require.Len(t, left, len(c.tags), "%v", left)
			for _, want := range c.tags {
				require.Condition(t, func() bool {
					for _, got := range left {
						if strings.HasPrefix(got, want) || strings.HasSuffix(got, "."+want) {
							return true
						}
					}
					return false
				}, "%s in %v", want, left)
			}
		})
	}
}

func TestDeleteWithoutTheRepository(t *testing.T) {
	s := pushed(t, newStore(t))
	empty := newStore(t).host + "/shop/tiny"
	s.state = s.state.Set("reference", property.New(empty+"@"+s.output("digest")))
	require.NoError(t, s.destroy())
}

func TestDeleteUsesTheCredentials(t *testing.T) {
	store := newStore(t)
	token := "monday"
	store.password.Store(&token)
	s := pushed(t, store, credentials("monday"))
	require.NoError(t, s.destroy())
	store.password.Store(nil)
	gone(t, s.output("reference"))

	s = pushed(t, store)
	store.password.Store(&token)
	require.NoError(t, s.destroy(), "without a login the image is left, and the destroy goes on")
	store.password.Store(nil)
	head(t, s.output("reference"))
}

func TestDeleteAnIndex(t *testing.T) {
	t.Parallel()
	dir := module(t, map[string]string{"main.go": hello})
	repo := newStore(t).host + "/shop/tiny"
	one, both := newStack(t, "one"), newStack(t, "both")
	platforms := func(names ...string) map[string]property.Value {
		list := []property.Value{}
		for _, n := range names {
			list = append(list, property.New(n))
		}
		return map[string]property.Value{"platforms": property.New(list)}
	}
	require.True(t, one.up(args(tinyPath(t), dir, repo)))
	require.True(t, both.up(args(tinyPath(t), dir, repo, platforms("linux/arm64", "linux/amd64", "linux/amd64"))))
	ref, err := name.ParseReference(both.output("reference"))
	require.NoError(t, err)
	index, err := remote.Index(ref)
	require.NoError(t, err)
	m, err := index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, m.Manifests, 2)
	built := map[string]v1.Hash{}
	for _, child := range m.Manifests {
		built[child.Platform.String()] = child.Digest
	}
	require.Equal(t, one.output("digest"), built["linux/amd64"].String(), "an index lists the very image of the platform alone")

	require.NoError(t, both.destroy())
	gone(t, both.output("reference"))
	gone(t, repo+"@"+built["linux/arm64"].String())
	head(t, one.output("reference"))
	require.NoError(t, one.destroy())
	require.Empty(t, tags(t, repo))
}

func TestPushWithARefusedLogin(t *testing.T) {
	store := newStore(t)
	token := "monday"
	store.password.Store(&token)
	from, err := checked()
	require.NoError(t, err)
	inputs := from.inputs.Set("repository", property.New(store.host+"/shop/tiny")).Set("credentials", credentials("wrong")["credentials"])
	_, err = from.server.Create(p.CreateRequest{Urn: from.urn, Properties: inputs})
	require.ErrorContains(t, err, "give credentials that may push")
	require.NotContains(t, err.Error(), "wrong")
}

func TestCredentialsStayWithTheirRegistry(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	keys := keychain("own.example.com", &Credentials{"AWS", "secret"})
	for host, want := range map[string]string{"own.example.com": "secret", "base.example.com": ""} {
		reg, err := name.NewRegistry(host)
		require.NoError(t, err)
		auth, err := keys.Resolve(reg)
		require.NoError(t, err)
		config, err := auth.Authorization()
		require.NoError(t, err)
		require.Equal(t, want, config.Password, host)
	}
}

func TestMeaning(t *testing.T) {
	status := func(code int, codes ...transport.ErrorCode) error {
		e := &transport.Error{StatusCode: code}
		for _, c := range codes {
			e.Errors = append(e.Errors, transport.Diagnostic{Code: c})
		}
		return e
	}
	for _, c := range []struct {
		why  string
		err  error
		want answer
	}{
		{"no manifest, or no repository", status(404), absent},
		{"no login", status(401), denied},
		{"ECR's answer to an expired token", status(403, transport.DeniedErrorCode), denied},
		{"a registry with deletes switched off", status(405), unsupported},
		{"the same, in the words of older registries", status(400, transport.UnsupportedErrorCode), unsupported},
		{"a broken registry", status(500), failed},
		{"no registry at all", errors.New("connection refused"), failed},
		{"an interrupted call", context.Canceled, failed},
	} {
		require.Equal(t, c.want, meaning(c.err), c.why)
	}
}
