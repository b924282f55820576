package registry

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
)

const (
	imageType = "application/vnd.oci.image.manifest.v1+json"
	indexType = "application/vnd.oci.image.index.v1+json"
)

// message reads the only error of an answer.
func message(t *testing.T, r io.Reader) (code, text string) {
	t.Helper()
	var body struct {
		Errors []struct{ Code, Message string }
	}
	require.NoError(t, json.NewDecoder(r).Decode(&body))
	require.Len(t, body.Errors, 1)
	return body.Errors[0].Code, body.Errors[0].Message
}

func TestRefusals(t *testing.T) {
	b := newBench(t)
	img, _ := b.image()
	require.NoError(t, remote.Write(b.ref("app:v1"), img, b.login()))
	absent := string(digestOf([]byte("absent")))
	for _, row := range []struct {
		reason             string
		method, path, kind string
		body               string
		status             int
		code               string
	}{
		{"upper case in a repository", "PUT", "/v2/App/manifests/v1", imageType, "{}", 400, codeNameInvalid},
		{"a way out of the folder", "GET", "/v2/app/%2e%2e/manifests/v1", "", "", 400, codeNameInvalid},
		{"a folder of our own", "GET", "/v2/app/_tags/manifests/v1", "", "", 400, codeNameInvalid},
		{"a repository's name too long", "GET", "/v2/" + strings.Repeat("a", 256) + "/manifests/v1", "", "", 400, codeNameInvalid},
		{"a tag with a space", "GET", "/v2/app/manifests/v%201", "", "", 400, codeManifestInvalid},
		{"a digest that is none", "GET", "/v2/app/blobs/sha256:12", "", "", 400, codeDigestInvalid},
		{"an algorithm that is not kept", "GET", "/v2/app/blobs/md5:d41d8cd98f00b204e9800998ecf8427e", "", "", 400, codeDigestInvalid},
		{"a manifest that is not JSON", "PUT", "/v2/app/manifests/v2", imageType, "no", 400, codeManifestInvalid},
		{"a manifest of no known kind", "PUT", "/v2/app/manifests/v2", "text/plain", "{}", 400, codeManifestInvalid},
		{"a manifest under another's digest", "PUT", "/v2/app/manifests/" + absent, imageType, "{}", 400, codeDigestInvalid},
		{"a manifest without its config", "PUT", "/v2/app/manifests/v2", imageType, `{"config":{"digest":"` + absent + `"}}`, 400, codeManifestBlobUnknown},
		{"an index without its image", "PUT", "/v2/app/manifests/v2", indexType, `{"manifests":[{"digest":"` + absent + `"}]}`, 400, codeManifestBlobUnknown},
		{"a manifest too large", "PUT", "/v2/app/manifests/v2", imageType, strings.Repeat(" ", maxManifest+1), 413, codeSizeInvalid},
		{"a blob under another's digest", "POST", "/v2/app/blobs/uploads/?digest=" + absent, "", "something", 400, codeDigestInvalid},
		{"an upload never begun", "PATCH", "/v2/app/blobs/uploads/" + strings.Repeat("0", 32), "", "x", 404, codeUploadUnknown},
		{"tags of an unknown repository", "GET", "/v2/none/tags/list", "", "", 404, codeNameUnknown},
		{"a count that is none", "GET", "/v2/app/tags/list?n=x", "", "", 400, codeUnsupported},
		{"a method that makes no sense", "PATCH", "/v2/app/manifests/v1", "", "", 405, codeUnsupported},
		{"no part of the API", "GET", "/v1/app", "", "", 404, codeUnsupported},
	} {
		t.Run(row.reason, func(t *testing.T) {
			header := http.Header{}
			if row.kind != "" {
				header.Set("Content-Type", row.kind)
			}
			resp := b.do(row.method, row.path, User, strings.NewReader(row.body), header)
			require.Equal(t, row.status, resp.StatusCode)
			code, text := message(t, resp.Body)
			require.Equal(t, row.code, code)
			require.NotEmpty(t, text)
		})
	}
	uploads, err := os.ReadDir(filepath.Join(b.home.RegistryDir(), "uploads"))
	require.NoError(t, err)
	require.Empty(t, uploads, "a refused push leaves nothing behind")
}

func TestChunkedUpload(t *testing.T) {
	b := newBench(t)
	const content = "first second"
	d := string(digestOf([]byte(content)))
	location := b.do(http.MethodPost, "/v2/app/blobs/uploads/", User, nil, nil).Header.Get("Location")
	chunk := func(at, body string) *http.Response {
		return b.do(http.MethodPatch, location, User, strings.NewReader(body), http.Header{"Content-Range": {at}})
	}
	resp := chunk("0-5", "first ")
	require.Equal(t, http.StatusAccepted, resp.StatusCode)
	require.Equal(t, "0-5", resp.Header.Get("Range"))
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, chunk("9-11", "ond").StatusCode, "a chunk that leaves a gap")
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, chunk("nine", "ond").StatusCode, "a range that is none")
	status := b.do(http.MethodGet, location, User, nil, nil)
	require.Equal(t, http.StatusNoContent, status.StatusCode)
	require.Equal(t, "0-5", status.Header.Get("Range"))
	resp = b.do(http.MethodPut, location+"?digest="+d, User, strings.NewReader("second"), nil)
	require.Equal(t, http.StatusCreated, resp.StatusCode)

	resp = b.do(http.MethodGet, "/v2/app/blobs/"+d, "", nil, http.Header{"Range": {"bytes=6-"}})
	require.Equal(t, http.StatusPartialContent, resp.StatusCode, "containerd goes on with a broken pull")
	rest, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "second", string(rest))

	resp = b.do(http.MethodPost, "/v2/other/blobs/uploads/?from=app&mount="+d, User, nil, nil)
	require.Equal(t, http.StatusCreated, resp.StatusCode, "a mount of a blob that is here")
	require.Equal(t, http.StatusAccepted, b.do(http.MethodDelete, "/v2/app/blobs/"+d, User, nil, nil).StatusCode)
	require.Equal(t, http.StatusNotFound, b.do(http.MethodGet, "/v2/app/blobs/"+d, "", nil, nil).StatusCode)
	require.Equal(t, http.StatusNotFound, b.do(http.MethodDelete, "/v2/app/blobs/"+d, User, nil, nil).StatusCode)

	location = b.do(http.MethodPost, "/v2/app/blobs/uploads/", User, nil, nil).Header.Get("Location")
	require.Equal(t, http.StatusNoContent, b.do(http.MethodDelete, location, User, nil, nil).StatusCode)
	require.Equal(t, http.StatusNotFound, b.do(http.MethodGet, location, User, nil, nil).StatusCode)
}

func TestNoSpaceLeft(t *testing.T) {
	full := "/dev/full" // every write to it fails with ENOSPC
	b := newBench(t)
	location := b.do(http.MethodPost, "/v2/app/blobs/uploads/", User, nil, nil).Header.Get("Location")
	upload := filepath.Join(b.home.RegistryDir(), "uploads", filepath.Base(location))
	require.NoError(t, os.Remove(upload))
	require.NoError(t, os.Symlink(full, upload))

	resp := b.do(http.MethodPatch, location, User, strings.NewReader("content"), nil)

	require.Equal(t, http.StatusInsufficientStorage, resp.StatusCode)
	_, text := message(t, resp.Body)
	require.Contains(t, text, "no space left")
	require.NoFileExists(t, upload)
}

func TestPages(t *testing.T) {
	b := newBench(t)
	img, _ := b.image()
	for _, tag := range []string{"a", "b", "c", "d", "e"} {
		require.NoError(t, remote.Write(b.ref("app:"+tag), img, b.login()))
	}
	tags, err := remote.List(b.ref("app:a").Context(), remote.WithPageSize(2))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c", "d", "e"}, tags)
	resp := b.do(http.MethodGet, "/v2/app/tags/list?n=2&last=bb", "", nil, nil)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.JSONEq(t, `{"name":"app","tags":["c","d"]}`, string(body))
	require.Equal(t, `</v2/app/tags/list?last=d&n=2>; rel="next"`, resp.Header.Get("Link"))
}
