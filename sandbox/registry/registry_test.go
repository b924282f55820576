package registry

import (
	"context"
	"encoding/json"
	"errors"
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
	"testing/iotest"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// testRegistry is a sandbox with a registry that a test can stop and start.
type testRegistry struct {
	t        *testing.T
	layout   *layout.Layout
	password string
	stop     func()
}

// newTestRegistry starts the registry of a new sandbox on a free port.
func newTestRegistry(t *testing.T) *testRegistry {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := ln.Addr().(*net.TCPAddr).Port
	require.NoError(t, ln.Close())
	l, err := layout.Create(t.TempDir(), layout.Settings{Cluster: layout.ClusterLocal, Ports: layout.Ports{Registry: port}})
	require.NoError(t, err)
	r := &testRegistry{t: t, layout: l, stop: func() {}}
	r.password, err = EnsurePassword(l)
	require.NoError(t, err)
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

// start serves the registry and waits until it accepts connections.
func (r *testRegistry) start() {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	serveErr := make(chan error, 1)
	go func() { serveErr <- Serve(ctx, r.layout) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-serveErr; err != nil {
			r.t.Errorf("Serve: %v", err)
		}
	})
	require.Eventually(r.t, func() bool {
		conn, err := net.Dial("tcp", r.layout.RegistryAddress())
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}, 10*time.Second, 5*time.Millisecond)
}

func (r *testRegistry) restart() { r.stop(); r.start() }

// ref returns the reference of an image of the registry, such as "app:v1".
func (r *testRegistry) ref(image string) name.Reference {
	r.t.Helper()
	ref, err := name.ParseReference(r.layout.RegistryAddress() + "/" + image)
	require.NoError(r.t, err)
	return ref
}

// credentials returns the option for pushes.
func (r *testRegistry) credentials() remote.Option {
	return remote.WithAuth(&authn.Basic{Username: User, Password: r.password})
}

// newRandomImage returns a new image and its digest.
func (r *testRegistry) newRandomImage() (v1.Image, v1.Hash) {
	r.t.Helper()
	img, err := random.Image(2048, 3)
	require.NoError(r.t, err)
	imageDigest, err := img.Digest()
	require.NoError(r.t, err)
	return img, imageDigest
}

// requirePull asserts that the image ref can be pulled without credentials, is
// valid, and has the digest want.
func (r *testRegistry) requirePull(ref string, want v1.Hash) {
	r.t.Helper()
	img, err := remote.Image(r.ref(ref))
	require.NoError(r.t, err)
	require.NoError(r.t, validate.Image(img))
	digest, err := img.Digest()
	require.NoError(r.t, err)
	require.Equal(r.t, want, digest)
}

// sendRequest sends a request without a client library. If user is empty, the request has no
// credentials.
func (r *testRegistry) sendRequest(method, path, user string, body io.Reader, header http.Header) *http.Response {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.layout.RegistryAddress()+path, body)
	require.NoError(r.t, err)
	for name, values := range header {
		req.Header[name] = values
	}
	if user != "" {
		req.SetBasicAuth(user, r.password)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// listUploads lists the unfinished uploads of the repository app.
func (r *testRegistry) listUploads() []string {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(r.layout.RegistryDir(), "app/_uploads/*"))
	require.NoError(r.t, err)
	return files
}

// requireStatus asserts that err is a response with that status.
func requireStatus(t *testing.T, err error, status int) {
	t.Helper()
	var e *transport.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, status, e.StatusCode)
}

func TestRestartKeepsEverything(t *testing.T) {
	r := newTestRegistry(t)
	img, imageDigest := r.newRandomImage()
	idx, err := random.Index(512, 2, 2)
	require.NoError(t, err)
	idxDigest, err := idx.Digest()
	require.NoError(t, err)
	require.NoError(t, remote.Write(r.ref("team/mca:v1"), img, r.credentials()))
	require.NoError(t, remote.WriteIndex(r.ref("team/mca:all"), idx, r.credentials()))

	r.restart()

	r.requirePull("team/mca:v1", imageDigest)
	r.requirePull("team/mca@"+imageDigest.String(), imageDigest)
	pulled, err := remote.Index(r.ref("team/mca:all"))
	require.NoError(t, err)
	require.NoError(t, validate.Index(pulled))
	pulledDigest, err := pulled.Digest()
	require.NoError(t, err)
	require.Equal(t, idxDigest, pulledDigest)
	tags, err := remote.List(r.ref("team/mca:v1").Context())
	require.NoError(t, err)
	require.Equal(t, []string{"all", "v1"}, tags)
	tags, err = remote.List(r.ref("team/mca:v1").Context(), remote.WithPageSize(1))
	require.NoError(t, err)
	require.Equal(t, []string{"all", "v1"}, tags)
	repos, err := remote.Catalog(t.Context(), r.ref("team/mca").Context().Registry)
	require.NoError(t, err)
	require.Equal(t, []string{"team/mca"}, repos)
}

func TestDeletionOfADigestRemovesItsTagsAndNoOtherImage(t *testing.T) {
	r := newTestRegistry(t)
	deleted, deletedDigest := r.newRandomImage()
	kept, keptDigest := r.newRandomImage()
	require.NoError(t, remote.Write(r.ref("app:v1"), deleted, r.credentials()))
	require.NoError(t, remote.Tag(r.ref("app:stable").(name.Tag), deleted, r.credentials()))
	require.NoError(t, remote.Write(r.ref("app:v2"), kept, r.credentials()))

	requireStatus(t, remote.Delete(r.ref("app:v1")), http.StatusUnauthorized)
	require.NoError(t, remote.Delete(r.ref("app:v1"), r.credentials()))
	_, err := remote.Image(r.ref("app:v1"))
	requireStatus(t, err, http.StatusNotFound)
	r.requirePull("app:stable", deletedDigest) // the deletion of a tag does not delete the image

	require.NoError(t, remote.Delete(r.ref("app@"+deletedDigest.String()), r.credentials()))
	r.restart()
	for _, ref := range []string{"app:stable", "app@" + deletedDigest.String()} {
		_, err := remote.Image(r.ref(ref))
		requireStatus(t, err, http.StatusNotFound)
	}
	r.requirePull("app:v2", keptDigest)
	requireStatus(t, remote.Delete(r.ref("app@"+deletedDigest.String()), r.credentials()), http.StatusNotFound)
}

func TestPushesNeedThePassword(t *testing.T) {
	r := newTestRegistry(t)
	img, imageDigest := r.newRandomImage()
	require.NoError(t, remote.Write(r.ref("app:v1"), img, r.credentials()))
	other, _ := r.newRandomImage()
	for _, row := range []struct {
		reason string
		auth   authn.Authenticator
	}{
		{"no credentials", authn.Anonymous},
		{"wrong password", &authn.Basic{Username: User, Password: strings.Repeat("0", 64)}},
		{"wrong user", &authn.Basic{Username: "root", Password: r.password}},
		{"user and password split at another colon", &authn.Basic{Username: "A", Password: "WS:" + r.password}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			requireStatus(t, remote.Write(r.ref("app:v2"), other, remote.WithAuth(row.auth)), http.StatusUnauthorized)
		})
	}
	r.requirePull("app:v1", imageDigest)

	resp := r.sendRequest(http.MethodGet, "/v2/", "", nil, nil)
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	require.Contains(t, resp.Header.Get("WWW-Authenticate"), "Basic realm=")
	require.Equal(t, http.StatusOK, r.sendRequest(http.MethodGet, "/v2/", User, nil, nil).StatusCode)
}

func TestDamagedFilesAreNotServedAndAPushRestoresThem(t *testing.T) {
	r := newTestRegistry(t)
	img, imageDigest := r.newRandomImage()
	idx, err := random.Index(512, 2, 2)
	require.NoError(t, err)
	push := func() {
		require.NoError(t, remote.Write(r.ref("app:v1"), img, r.credentials()))
		require.NoError(t, remote.WriteIndex(r.ref("app:all"), idx, r.credentials()))
		r.requirePull("app:v1", imageDigest) // the registry now knows that the files are correct, and must still find later damage
		pulled, err := remote.Index(r.ref("app:all"))
		require.NoError(t, err)
		require.NoError(t, validate.Index(pulled))
	}
	push()
	files, err := filepath.Glob(filepath.Join(r.layout.RegistryDir(), "app/blobs/sha256/*"))
	require.NoError(t, err)
	// The image has 3 layers, a config and a manifest. Each of the two images of the index has
	// 2 layers, a config and a manifest. The index has one file.
	require.Len(t, files, 4+1+2*4+1, "layers, configs and manifests")
	for _, file := range append(files, filepath.Join(r.layout.RegistryDir(), "app/index.json")) {
		t.Run(filepath.Base(file)[:8], func(t *testing.T) {
			info, err := os.Stat(file)
			require.NoError(t, err)
			require.NoError(t, os.Truncate(file, info.Size()/2))
			_, imageErr := remote.Head(r.ref("app:v1"))
			_, indexErr := remote.Head(r.ref("app:all"))
			if filepath.Base(file) == "index.json" {
				r.restart() // a running registry keeps index.json in memory
				_, imageErr = remote.Head(r.ref("app:v1"))
			}
			requireStatus(t, errors.Join(imageErr, indexErr), http.StatusNotFound)
			push()
		})
	}
}

func TestErrorResponseHasStatusAndCode(t *testing.T) {
	const (
		imageType = "application/vnd.oci.image.manifest.v1+json"
		indexType = "application/vnd.oci.image.index.v1+json"
	)
	r := newTestRegistry(t)
	img, _ := r.newRandomImage()
	require.NoError(t, remote.Write(r.ref("app:v1"), img, r.credentials()))
	absent := digest.FromString("absent").String()
	for _, row := range []struct {
		reason                    string
		method, path, contentType string
		body                      string
		status                    int
		code                      string
	}{
		{"upper case in a repository", "PUT", "/v2/App/manifests/v1", imageType, "{}", 400, "NAME_INVALID"},
		{"a path outside the folder", "GET", "/v2/app/%2e%2e/manifests/v1", "", "", 400, "NAME_INVALID"},
		{"a folder of the library", "PUT", "/v2/app/blobs/manifests/v1", imageType, "{}", 400, "NAME_INVALID"},
		{"a repository's name too long", "GET", "/v2/" + strings.Repeat("a", 256) + "/manifests/v1", "", "", 400, "NAME_INVALID"},
		{"an invalid digest", "GET", "/v2/app/blobs/sha256:12", "", "", 400, "DIGEST_INVALID"},
		{"a manifest that is not JSON", "PUT", "/v2/app/manifests/v2", imageType, "no", 400, "MANIFEST_INVALID"},
		{"a manifest of an unknown type", "PUT", "/v2/app/manifests/v2", "text/plain", "{}", 400, "MANIFEST_INVALID"},
		{"a manifest under the digest of other content", "PUT", "/v2/app/manifests/" + absent, imageType, "{}", 400, "DIGEST_INVALID"},
		{"a manifest without its config", "PUT", "/v2/app/manifests/v2", imageType, `{"config":{"digest":"` + absent + `"}}`, 400, "MANIFEST_BLOB_UNKNOWN"},
		{"an index without its image", "PUT", "/v2/app/manifests/v2", indexType, `{"manifests":[{"digest":"` + absent + `"}]}`, 400, "MANIFEST_BLOB_UNKNOWN"},
		{"a manifest too large", "PUT", "/v2/app/manifests/v2", imageType, strings.Repeat(" ", maxManifestSize+1), 413, "SIZE_INVALID"},
		{"a blob under the digest of other content", "POST", "/v2/app/blobs/uploads/?digest=" + absent, "", "something", 400, "BLOB_UPLOAD_INVALID"},
		{"an upload that was never started", "PATCH", "/v2/app/blobs/uploads/none", "", "x", 400, "BLOB_UPLOAD_UNKNOWN"},
		{"tags of an unknown repository", "GET", "/v2/none/tags/list", "", "", 404, "NAME_UNKNOWN"},
		{"deletion in an unknown repository", "DELETE", "/v2/none/manifests/v1", "", "", 404, "NAME_UNKNOWN"},
		{"an unknown tag", "GET", "/v2/app/manifests/none", "", "", 404, "MANIFEST_UNKNOWN"},
		{"a path outside the API", "GET", "/v1/app", "", "", 404, "UNSUPPORTED"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			header := http.Header{}
			if row.contentType != "" {
				header.Set("Content-Type", row.contentType)
			}
			resp := r.sendRequest(row.method, row.path, User, strings.NewReader(row.body), header)
			require.Equal(t, row.status, resp.StatusCode)
			var body struct {
				Errors []struct{ Code, Message string }
			}
			require.NoError(t, json.NewDecoder(resp.Body).Decode(&body))
			require.Len(t, body.Errors, 1)
			require.Equal(t, row.code, body.Errors[0].Code)
			require.NotEmpty(t, body.Errors[0].Message)
		})
	}
	require.Empty(t, r.listUploads(), "a refused push leaves no upload")
}

func TestAnyClientCanRead(t *testing.T) {
	r := newTestRegistry(t)
	img, imageDigest := r.newRandomImage()
	require.NoError(t, remote.Write(r.ref("app:v1"), img, r.credentials()))
	want, err := img.RawManifest()
	require.NoError(t, err)
	for _, accept := range []string{"", "*/*"} {
		resp := r.sendRequest(http.MethodGet, "/v2/app/manifests/v1", "", nil, http.Header{"Accept": {accept}})
		manifest, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, string(want), string(manifest))
		require.Equal(t, imageDigest.String(), resp.Header.Get("Docker-Content-Digest"))
	}
	config, err := img.ConfigName()
	require.NoError(t, err)
	raw, err := img.RawConfigFile()
	require.NoError(t, err)
	resp := r.sendRequest(http.MethodGet, "/v2/app/blobs/"+config.String(), "", nil, http.Header{"Range": {"bytes=6-"}})
	require.Equal(t, http.StatusPartialContent, resp.StatusCode, "containerd continues a broken pull")
	received, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, string(raw[6:]), string(received))
}

func TestFailedUploadIsDeleted(t *testing.T) {
	r := newTestRegistry(t)
	location := r.sendRequest(http.MethodPost, "/v2/app/blobs/uploads/", User, nil, nil).Header.Get("Location")
	require.Len(t, r.listUploads(), 1)
	body := iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("the body ends early")))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://"+r.layout.RegistryAddress()+location, body)
	require.NoError(t, err)
	req.SetBasicAuth(User, r.password)
	_, err = http.DefaultClient.Do(req)
	require.Error(t, err)
	require.Eventually(t, func() bool { return len(r.listUploads()) == 0 }, 10*time.Second, 5*time.Millisecond)
}

func TestDiskErrorIsInTheResponse(t *testing.T) {
	r := newTestRegistry(t)
	require.NoError(t, os.WriteFile(filepath.Join(r.layout.RegistryDir(), "app"), nil, 0o600)) // this file prevents the creation of the repository's folder
	resp := r.sendRequest(http.MethodPost, "/v2/app/blobs/uploads/", User, nil, nil)
	require.Equal(t, http.StatusInternalServerError, resp.StatusCode)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), "its log has the reason")
}

func TestConcurrentPushesOfCommonLayersSucceed(t *testing.T) {
	r := newTestRegistry(t)
	base, _ := r.newRandomImage() // all images have its layers, so the pushes write the same blobs
	const imageCount = 8
	digests := make([]v1.Hash, imageCount)
	errs := make([]error, imageCount)
	var wg sync.WaitGroup
	for i := range imageCount {
		wg.Go(func() {
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
			errs[i] = remote.Write(r.ref("app:v"+strconv.Itoa(i)), img, r.credentials())
		})
	}
	wg.Wait()
	for i := range imageCount {
		require.NoError(t, errs[i])
		r.requirePull(fmt.Sprintf("app:v%d", i), digests[i])
	}
}

func TestReferrersAreListedAndDeletedWithTheirImage(t *testing.T) {
	r := newTestRegistry(t)
	img, imageDigest := r.newRandomImage()
	require.NoError(t, remote.Write(r.ref("app:v1"), img, r.credentials()))
	subject, err := remote.Head(r.ref("app:v1"))
	require.NoError(t, err)
	pushReferrer := func(kind string) (v1.Hash, error) {
		referrer, err := random.Image(64, 1)
		if err != nil {
			return v1.Hash{}, err
		}
		referrer = mutate.Subject(mutate.ConfigMediaType(referrer, types.MediaType(kind)), *subject).(v1.Image)
		digest, err := referrer.Digest()
		if err != nil {
			return v1.Hash{}, err
		}
		return digest, remote.Write(r.ref("app@"+digest.String()), referrer, r.credentials())
	}
	sbom, err := pushReferrer("application/vnd.example.sbom")
	require.NoError(t, err)
	const signatures = 8
	errs := make([]error, signatures)
	var wg sync.WaitGroup
	for i := range signatures { // at the same time, as a promotion may push them
		wg.Go(func() { _, errs[i] = pushReferrer("application/vnd.example.signature") })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))

	r.restart()

	listReferrers := func(kind string) []v1.Descriptor {
		index, err := remote.Referrers(r.ref("app@"+imageDigest.String()).(name.Digest), remote.WithFilter("artifactType", kind))
		require.NoError(t, err)
		m, err := index.IndexManifest()
		require.NoError(t, err)
		return m.Manifests
	}
	require.Len(t, listReferrers("application/vnd.example.signature"), signatures)
	require.Empty(t, listReferrers("application/vnd.example.other"))
	require.Len(t, listReferrers("application/vnd.example.sbom"), 1)
	require.Equal(t, sbom, listReferrers("application/vnd.example.sbom")[0].Digest)
	r.requirePull("app@"+sbom.String(), sbom)

	// ECR deletes the referrers of a deleted image within a day.
	require.NoError(t, remote.Delete(r.ref("app@"+imageDigest.String()), r.credentials()))
	files, err := filepath.Glob(filepath.Join(r.layout.RegistryDir(), "app/blobs/sha256/*"))
	require.NoError(t, err)
	old := time.Now().Add(-2 * gracePeriod)
	for _, f := range files {
		require.NoError(t, os.Chtimes(f, old, old))
	}
	r.restart()
	_, err = remote.Head(r.ref("app@" + sbom.String()))
	requireStatus(t, err, http.StatusNotFound)
	repos, err := remote.Catalog(t.Context(), r.ref("app").Context().Registry)
	require.NoError(t, err)
	require.Empty(t, repos)
}

func TestPortInUseIsAnError(t *testing.T) {
	r := newTestRegistry(t)
	err := Serve(t.Context(), r.layout)
	require.ErrorContains(t, err, r.layout.RegistryAddress()+" is in use")
}

func TestServeRefusesIfTheUserHasARegistry(t *testing.T) {
	l, err := layout.Create(t.TempDir(), layout.Settings{Cluster: layout.ClusterExisting, Registry: "127.0.0.1:5050"})
	require.NoError(t, err)
	require.ErrorContains(t, Serve(t.Context(), l), "127.0.0.1:5050")
}

func TestRestartRemovesUnusedBlobsAndUploads(t *testing.T) {
	r := newTestRegistry(t)
	img, imageDigest := r.newRandomImage()
	newer, _ := r.newRandomImage()
	idx, err := random.Index(512, 2, 2)
	require.NoError(t, err)
	indexManifest, err := idx.IndexManifest()
	require.NoError(t, err)
	require.NoError(t, remote.Write(r.ref("app:v1"), img, r.credentials()))
	require.NoError(t, remote.Write(r.ref("app:v1"), newer, r.credentials())) // now img has no tag
	require.NoError(t, remote.WriteIndex(r.ref("app:all"), idx, r.credentials()))
	push := func(content string) {
		resp := r.sendRequest(http.MethodPost, "/v2/app/blobs/uploads/?digest="+digest.FromString(content).String(), User, strings.NewReader(content), nil)
		require.Equal(t, http.StatusCreated, resp.StatusCode)
	}
	push("old")
	push("fresh")
	old := time.Now().Add(-2 * gracePeriod)
	files, err := filepath.Glob(filepath.Join(r.layout.RegistryDir(), "app/blobs/sha256/*"))
	require.NoError(t, err)
	for _, f := range files {
		if filepath.Base(f) != digest.FromString("fresh").Encoded() {
			require.NoError(t, os.Chtimes(f, old, old))
		}
	}
	r.restart()
	unfinished := filepath.Join(r.layout.RegistryDir(), "app/_uploads/upload.1") // of a process that was killed
	require.NoError(t, os.MkdirAll(filepath.Dir(unfinished), 0o700))
	require.NoError(t, os.WriteFile(unfinished, []byte("part"), 0o600))
	r.restart()

	r.requirePull("app@"+imageDigest.String(), imageDigest)
	for _, child := range indexManifest.Manifests {
		r.requirePull("app@"+child.Digest.String(), child.Digest)
	}
	headStatus := func(content string) int {
		return r.sendRequest(http.MethodHead, "/v2/app/blobs/"+digest.FromString(content).String(), "", nil, nil).StatusCode
	}
	require.Equal(t, http.StatusNotFound, headStatus("old"))
	require.Equal(t, http.StatusOK, headStatus("fresh"))
	require.Empty(t, r.listUploads())
}

func TestImagesOfAnEarlierReleaseArePushedAgain(t *testing.T) {
	r := newTestRegistry(t)
	r.stop()
	for _, old := range []string{"blobs/sha256/0123", "uploads/x", "repositories/app/_manifests/0123", "repositories/app/_tags/v1"} {
		path := filepath.Join(r.layout.RegistryDir(), old)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	}
	r.start()
	pushedDigest, err := CommonDigest(t.Context(), r.credentials(), r.ref("app:v1"))
	require.NoError(t, err)
	require.Empty(t, pushedDigest)
	img, imageDigest := r.newRandomImage()
	require.NoError(t, remote.Write(r.ref("app:v1"), img, r.credentials()))
	r.restart()
	r.requirePull("app:v1", imageDigest)
	pushedDigest, err = CommonDigest(t.Context(), r.credentials(), r.ref("app:v1"), r.ref("app@"+imageDigest.String()))
	require.NoError(t, err)
	require.Equal(t, imageDigest.String(), pushedDigest)
	require.NoDirExists(t, filepath.Join(r.layout.RegistryDir(), "repositories"))
}
