package registry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/home"
)

// bench is a sandbox with a registry that can be stopped and started again.
type bench struct {
	t        *testing.T
	home     *home.Home
	password string
	stop     func()
}

func newBench(t *testing.T) *bench {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := ln.Addr().(*net.TCPAddr).Port
	require.NoError(t, ln.Close())
	h, err := home.Create(t.TempDir(), home.Settings{Cluster: home.ClusterLocal, Ports: home.Ports{Registry: port}})
	require.NoError(t, err)
	b := &bench{t: t, home: h, stop: func() {}}
	b.password, err = EnsurePassword(h)
	require.NoError(t, err)
	b.start()
	t.Cleanup(func() { b.stop() })
	return b
}

func (b *bench) start() {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, b.home) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Errorf("Serve: %v", err)
		}
	})
	require.Eventually(b.t, func() bool {
		conn, err := net.Dial("tcp", b.home.RegistryAddress())
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}, 10*time.Second, 5*time.Millisecond)
}

func (b *bench) restart() { b.stop(); b.start() }

func (b *bench) ref(s string) name.Reference {
	b.t.Helper()
	r, err := name.ParseReference(b.home.RegistryAddress() + "/" + s)
	require.NoError(b.t, err)
	return r
}

func (b *bench) login() remote.Option {
	return remote.WithAuth(&authn.Basic{Username: User, Password: b.password})
}

func (b *bench) image() (v1.Image, v1.Hash) {
	b.t.Helper()
	img, err := random.Image(2048, 3)
	require.NoError(b.t, err)
	d, err := img.Digest()
	require.NoError(b.t, err)
	return img, d
}

// pulls asserts that anyone can pull what ref names and that it is sound.
func (b *bench) pulls(ref string, want v1.Hash) {
	b.t.Helper()
	img, err := remote.Image(b.ref(ref))
	require.NoError(b.t, err)
	require.NoError(b.t, validate.Image(img))
	got, err := img.Digest()
	require.NoError(b.t, err)
	require.Equal(b.t, want, got)
}

// do sends a plain request; an empty user sends no credentials.
func (b *bench) do(method, path, user string, body io.Reader, header http.Header) *http.Response {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, "http://"+b.home.RegistryAddress()+path, body)
	require.NoError(b.t, err)
	for k, v := range header {
		req.Header[k] = v
	}
	if user != "" {
		req.SetBasicAuth(user, b.password)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func requireStatus(t *testing.T, err error, status int) {
	t.Helper()
	var e *transport.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, status, e.StatusCode)
}

func TestRestartKeepsEverything(t *testing.T) {
	b := newBench(t)
	img, d := b.image()
	idx, err := random.Index(512, 2, 2)
	require.NoError(t, err)
	idxDigest, err := idx.Digest()
	require.NoError(t, err)
	require.NoError(t, remote.Write(b.ref("team/mca:v1"), img, b.login()))
	require.NoError(t, remote.WriteIndex(b.ref("team/mca:all"), idx, b.login()))

	b.restart()

	b.pulls("team/mca:v1", d)
	b.pulls("team/mca@"+d.String(), d)
	got, err := remote.Index(b.ref("team/mca:all"))
	require.NoError(t, err)
	require.NoError(t, validate.Index(got))
	gotDigest, err := got.Digest()
	require.NoError(t, err)
	require.Equal(t, idxDigest, gotDigest)
	tags, err := remote.List(b.ref("team/mca:v1").Context())
	require.NoError(t, err)
	require.Equal(t, []string{"all", "v1"}, tags)
	repos, err := remote.Catalog(t.Context(), b.ref("team/mca").Context().Registry)
	require.NoError(t, err)
	require.Equal(t, []string{"team/mca"}, repos)
}

func TestDelete(t *testing.T) {
	b := newBench(t)
	old, oldDigest := b.image()
	now, nowDigest := b.image()
	require.NoError(t, remote.Write(b.ref("app:v1"), old, b.login()))
	require.NoError(t, remote.Tag(b.ref("app:stable").(name.Tag), old, b.login()))
	require.NoError(t, remote.Write(b.ref("app:v2"), now, b.login()))

	requireStatus(t, remote.Delete(b.ref("app:v1")), http.StatusUnauthorized)
	require.NoError(t, remote.Delete(b.ref("app:v1"), b.login()))
	_, err := remote.Image(b.ref("app:v1"))
	requireStatus(t, err, http.StatusNotFound)
	b.pulls("app:stable", oldDigest) // a tag's deletion leaves the image

	require.NoError(t, remote.Delete(b.ref("app@"+oldDigest.String()), b.login()))
	b.restart()
	for _, gone := range []string{"app:stable", "app@" + oldDigest.String()} {
		_, err := remote.Image(b.ref(gone))
		requireStatus(t, err, http.StatusNotFound)
	}
	b.pulls("app:v2", nowDigest)
	requireStatus(t, remote.Delete(b.ref("app@"+oldDigest.String()), b.login()), http.StatusNotFound)
}

func TestCredentials(t *testing.T) {
	b := newBench(t)
	img, d := b.image()
	require.NoError(t, remote.Write(b.ref("app:v1"), img, b.login()))
	other, _ := b.image()
	for _, row := range []struct {
		reason string
		auth   authn.Authenticator
	}{
		{"no credentials", authn.Anonymous},
		{"wrong password", &authn.Basic{Username: User, Password: strings.Repeat("0", 64)}},
		{"wrong user", &authn.Basic{Username: "root", Password: b.password}},
		{"password and user that meet at another colon", &authn.Basic{Username: "A", Password: "WS:" + b.password}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			requireStatus(t, remote.Write(b.ref("app:v2"), other, remote.WithAuth(row.auth)), http.StatusUnauthorized)
		})
	}
	b.pulls("app:v1", d)

	resp := b.do(http.MethodGet, "/v2/", "", nil, nil)
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	require.Contains(t, resp.Header.Get("WWW-Authenticate"), "Basic realm=")
	require.Equal(t, http.StatusOK, b.do(http.MethodGet, "/v2/", User, nil, nil).StatusCode)
}

func TestDamagedFilesAreNotServedAndHeal(t *testing.T) {
	for _, row := range []struct {
		reason string
		files  string
	}{
		{"a blob cut short", "blobs/sha256/*"},
		{"a manifest cut short", "repositories/app/_manifests/*"},
		{"a tag cut short", "repositories/app/_tags/*"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			b := newBench(t)
			img, d := b.image()
			require.NoError(t, remote.Write(b.ref("app:v1"), img, b.login()))
			b.pulls("app:v1", d) // whatever is remembered of a sound file must not hide the damage
			files, err := filepath.Glob(filepath.Join(b.home.RegistryDir(), row.files))
			require.NoError(t, err)
			require.NotEmpty(t, files)
			for _, f := range files {
				info, err := os.Stat(f)
				require.NoError(t, err)
				require.NoError(t, os.Truncate(f, info.Size()/2))
			}
			got, err := remote.Image(b.ref("app:v1"))
			if err == nil {
				err = validate.Image(got)
			}
			require.ErrorContains(t, err, "_UNKNOWN: ")
			require.NoError(t, remote.Write(b.ref("app:v1"), img, b.login()))
			b.pulls("app:v1", d)
		})
	}
}

func TestConcurrentPushes(t *testing.T) {
	b := newBench(t)
	base, _ := b.image() // shared layers race for the same blobs
	const n = 8
	digests := make([]v1.Hash, n)
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			layer, err := random.Layer(1024, "application/vnd.docker.image.rootfs.diff.tar.gzip")
			if err != nil {
				errs[i] = err
				return
			}
			img, err := mutate.AppendLayers(base, layer)
			if err != nil {
				errs[i] = err
				return
			}
			if digests[i], err = img.Digest(); err != nil {
				errs[i] = err
				return
			}
			errs[i] = remote.Write(b.ref("app:v"+strconv.Itoa(i)), img, b.login())
		})
	}
	all.Wait()
	for i := range n {
		require.NoError(t, errs[i])
		b.pulls(fmt.Sprintf("app:v%d", i), digests[i])
	}
}

func TestReferrers(t *testing.T) {
	b := newBench(t)
	img, d := b.image()
	require.NoError(t, remote.Write(b.ref("app:v1"), img, b.login()))
	desc, err := remote.Head(b.ref("app:v1"))
	require.NoError(t, err)
	sbom, err := random.Image(64, 1)
	require.NoError(t, err)
	sbom = mutate.ConfigMediaType(sbom, "application/vnd.example.sbom")
	sbom = mutate.Subject(sbom, *desc).(v1.Image)
	sbomDigest, err := sbom.Digest()
	require.NoError(t, err)
	require.NoError(t, remote.Write(b.ref("app@"+sbomDigest.String()), sbom, b.login()))

	b.restart()

	for _, row := range []struct {
		reason, query string
		want          int
	}{
		{"all of an image", "", 1},
		{"one kind", "?artifactType=application/vnd.example.sbom", 1},
		{"another kind", "?artifactType=application/vnd.example.signature", 0},
	} {
		t.Run(row.reason, func(t *testing.T) {
			resp := b.do(http.MethodGet, "/v2/app/referrers/"+d.String()+row.query, "", nil, nil)
			require.Equal(t, http.StatusOK, resp.StatusCode)
			idx, err := v1.ParseIndexManifest(resp.Body)
			require.NoError(t, err)
			require.Len(t, idx.Manifests, row.want)
			if row.want > 0 {
				require.Equal(t, sbomDigest, idx.Manifests[0].Digest)
			}
		})
	}
	none, err := remote.Referrers(b.ref("other@" + d.String()).(name.Digest))
	require.NoError(t, err)
	m, err := none.IndexManifest()
	require.NoError(t, err)
	require.Empty(t, m.Manifests)
}

func TestPortInUse(t *testing.T) {
	b := newBench(t)
	err := Serve(t.Context(), b.home)
	require.ErrorContains(t, err, b.home.RegistryAddress()+" is in use")
}

func TestNotServedWhereThePersonHasARegistry(t *testing.T) {
	h, err := home.Create(t.TempDir(), home.Settings{Cluster: home.ClusterExisting, Registry: "127.0.0.1:5050"})
	require.NoError(t, err)
	require.ErrorContains(t, Serve(t.Context(), h), "127.0.0.1:5050")
}

func TestRestartDropsWhatNobodyUses(t *testing.T) {
	b := newBench(t)
	img, d := b.image()
	require.NoError(t, remote.Write(b.ref("app:v1"), img, b.login()))
	blob := func(content string) string { return string(digestOf([]byte(content))) }
	push := func(content string) {
		resp := b.do(http.MethodPost, "/v2/app/blobs/uploads/?digest="+blob(content), User, strings.NewReader(content), nil)
		require.Equal(t, http.StatusCreated, resp.StatusCode)
	}
	push("old")
	push("fresh")
	long := time.Now().Add(-2 * sweepAge)
	files, err := filepath.Glob(filepath.Join(b.home.RegistryDir(), "blobs/sha256/*"))
	require.NoError(t, err)
	for _, f := range files {
		if filepath.Base(f) != digestOf([]byte("fresh")).hex() {
			require.NoError(t, os.Chtimes(f, long, long))
		}
	}
	resp := b.do(http.MethodPost, "/v2/app/blobs/uploads/", User, nil, nil)
	require.Equal(t, http.StatusAccepted, resp.StatusCode)

	b.restart()

	b.pulls("app:v1", d)
	require.Equal(t, http.StatusNotFound, b.do(http.MethodHead, "/v2/app/blobs/"+blob("old"), "", nil, nil).StatusCode)
	require.Equal(t, http.StatusOK, b.do(http.MethodHead, "/v2/app/blobs/"+blob("fresh"), "", nil, nil).StatusCode)
	uploads, err := os.ReadDir(filepath.Join(b.home.RegistryDir(), "uploads"))
	require.NoError(t, err)
	require.Empty(t, uploads)
	require.Equal(t, http.StatusNotFound, b.do(http.MethodPut, resp.Header.Get("Location")+"?digest="+blob("x"), User, bytes.NewReader(nil), nil).StatusCode)
}
