package provider

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// testRecipe returns the recipe of the test module in dir.
func testRecipe(t *testing.T, dir string) recipe {
	return recipe{ImportPath: testImportPath(t), Platforms: []string{"linux/amd64"}, Dir: dir}
}

// buildImageDigest builds a recipe and returns the digest of the image.
func buildImageDigest(t *testing.T, r recipe) string {
	t.Helper()
	built, err := newBuilder(isolate).build(t.Context(), r, authn.DefaultKeychain)
	require.NoError(t, err)
	return built.digest.String()
}

func TestDigestDependsOnlyOnTheSources(t *testing.T) {
	t.Parallel()
	files := map[string]string{"main.go": helloSource, "kodata/page.html": "<p>page</p>"}
	dir := newModule(t, files)
	want := buildImageDigest(t, testRecipe(t, dir))

	t.Run("another folder, a changed git checkout, other file times and modes", func(t *testing.T) {
		other := newModule(t, files)
		writeFile(t, other, ".git/HEAD", "ref: refs/heads/main\n")
		writeFile(t, other, "notes.txt", "not a source")
		require.NoError(t, os.Chmod(filepath.Join(other, "main.go"), 0o600))
		require.NoError(t, os.Chtimes(filepath.Join(other, "kodata/page.html"), epoch.Time, epoch.Time))
		require.Equal(t, want, buildImageDigest(t, testRecipe(t, other)))
	})
	t.Run("code, data and labels change the digest", func(t *testing.T) {
		seen := map[string]string{want: "the original"}
		requireNew := func(digest, change string) {
			require.NotContains(t, seen, digest, "%s: the digest of %s", change, seen[digest])
			seen[digest] = change
		}
		writeFile(t, dir, "kodata/page.html", "<p>another</p>")
		requireNew(buildImageDigest(t, testRecipe(t, dir)), "data")
		writeFile(t, dir, "main.go", strings.ReplaceAll(helloSource, "hello", "hullo"))
		requireNew(buildImageDigest(t, testRecipe(t, dir)), "code")
		labelled := testRecipe(t, dir)
		labelled.Labels = map[string]string{"team": "shop"}
		requireNew(buildImageDigest(t, labelled), "labels")
	})
}

func TestEnvironmentDoesNotChangeTheImage(t *testing.T) {
	t.Parallel()
	// TestMain sets GOFLAGS, GOAMD64 and GOOS before it calls Isolate. leaked.go does not compile,
	// and is part of the build only if Isolate leaves one of these variables set.
	dir := newModule(t, map[string]string{
		"main.go":   "package main\n\nfunc main() {}\n",
		"leaked.go": "//go:build leaked || amd64.v2 || windows\n\npackage main\n\nfunc init() { doesNotCompile }\n",
	})
	buildImageDigest(t, testRecipe(t, dir))
}

// The build uses exactly the toolchain in the toolchain line of go.mod, even if a newer one is
// installed or GOTOOLCHAIN is local. Without this toolchain the build fails. The provenance names the
// toolchain.
func TestToolchainOfTheModuleBuildsTheImage(t *testing.T) {
	pinned, err := pinnedToolchain(".")
	require.NoError(t, err)
	require.NotEmpty(t, pinned, "go.mod needs a toolchain line: go get toolchain@go1.N.M")
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOTOOLCHAIN", "local")
	installed, err := readGoVersion(t.Context(), t.TempDir())
	require.NoError(t, err)
	build := func(toolchain string) (*builtImage, error) {
		dir := newModule(t, map[string]string{"main.go": helloSource, "go.mod": "module " + testImportPath(t) + "\n\ngo 1.26.0\n\ntoolchain " + toolchain + "\n"})
		return newBuilder(isolate).build(t.Context(), testRecipe(t, dir), authn.DefaultKeychain)
	}
	built, err := build(installed)
	require.NoError(t, err)
	provenance := ImageInputs{}.provenance(t.Context(), built)
	require.Equal(t, installed, provenance.BuildDefinition.InternalParameters["goVersion"])
	for _, toolchain := range []string{"go1.26.1", "go1.999.0"} {
		_, err := build(toolchain)
		require.ErrorContains(t, err, "the toolchain of go.mod, which is neither installed nor can be downloaded")
		require.ErrorContains(t, err, toolchain)
	}
}

func TestBuildErrorsNameTheCause(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		reason string
		files  map[string]string
		folder string
		want   []string
	}{
		{"a compiler error", map[string]string{"main.go": "package main\n\nfunc main() { undefinedName() }\n"},
			"", []string{"TestBuildErrorsNameTheCause/tiny does not build", "main.go:3:15: undefined: undefinedName", "nothing was pushed"}},
		{"an error in a package that main imports",
			map[string]string{"main.go": "package main\n\nimport _ \"example.com/TestBuildErrorsNameTheCause/tiny/lib\"\n\nfunc main() {}\n", "lib/lib.go": "package lib\n\nvar x int = \"\"\n"},
			"", []string{"lib/lib.go:3:13: cannot use"}},
		{"a syntax error", map[string]string{"main.go": "package main\n\nfunc main( {}\n"},
			"", []string{"main.go:3:12: syntax error"}},
		{"an import that no module provides",
			map[string]string{"main.go": "package main\n\nimport _ \"example.org/absent\"\n\nfunc main() {}\n"},
			"", []string{"no required module provides package example.org/absent"}},
		{"a library", map[string]string{"main.go": "package tiny\n"},
			"", []string{"is package tiny: must be a package main"}},
		{"a missing folder", map[string]string{"main.go": helloSource},
			"absent", []string{"finds no package example.com/TestBuildErrorsNameTheCause/tiny/absent", "correct importPath or dir"}},
		{"a folder without Go files", map[string]string{"main.go": helloSource, "docs/readme.md": "x"},
			"docs", []string{"finds no package example.com/TestBuildErrorsNameTheCause/tiny/docs"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s := newStack(t, "tiny")
			_, failures := s.check(imageInputs(path.Join(testImportPath(t), tc.folder), newModule(t, tc.files), "localhost:1/shop/tiny"))
			require.Len(t, failures, 1)
			for _, want := range tc.want {
				require.Contains(t, failures["importPath"], want)
			}
			require.NotContains(t, failures["importPath"], "exit status")
		})
	}
}

func TestMissingDirIsRefused(t *testing.T) {
	t.Parallel()
	_, failures := newStack(t, "tiny").check(imageInputs(testImportPath(t), "absent", "localhost:1/shop/tiny"))
	require.Contains(t, failures["dir"], `"absent" is not a folder`)
}

func TestUpdateFailsIfSourcesChangedSinceTheCheck(t *testing.T) {
	registry := newRegistry(t)
	base, err := stackWithCheckedInputs()
	require.NoError(t, err)
	inputs := base.inputs.
		Set("repository", property.New(registry.host+"/shop/tiny")).
		Set("digest", property.New("sha256:"+strings.Repeat("0", 64))) // the digest before the change
	_, err = newStack(t, "tiny").server.Create(p.CreateRequest{Urn: base.urn, Properties: inputs})
	require.ErrorContains(t, err, "changed while Pulumi ran")
	require.Zero(t, registry.writes.Load())
}

// ko uses one cached binary for an import path, and reads it again for an upload. So
// two folders with the same import path must not share it.
func TestSameImportPathInTwoFoldersGivesTwoImages(t *testing.T) {
	t.Parallel()
	dirs := []string{newModule(t, map[string]string{"main.go": helloSource}), newModule(t, map[string]string{"main.go": probeSource})}
	b := newBuilder(isolate)
	digests := make([]string, len(dirs))
	var group errgroup.Group
	for i, dir := range dirs {
		group.Go(func() error {
			result, err := b.build(t.Context(), testRecipe(t, dir), authn.DefaultKeychain)
			if err == nil {
				digests[i] = result.digest.String()
			}
			return err
		})
	}
	require.NoError(t, group.Wait())
	require.NotEqual(t, digests[0], digests[1])
	registry := newRegistry(t)
	for i, dir := range dirs {
		image, err := b.buildDigest(t.Context(), testRecipe(t, dir), digests[i], authn.DefaultKeychain)
		require.NoError(t, err)
		_, err = (&Image{}).publish(t.Context(), ImageInputs{ImageSpec: ImageSpec{Repository: registry.host + "/shop/tiny", Tag: "x"}}, image)
		require.NoError(t, err)
		again, err := b.buildDigest(t.Context(), testRecipe(t, dir), digests[i], authn.DefaultKeychain)
		require.NoError(t, err)
		require.Same(t, image, again, "the result of a build is used again")
	}
}

func TestDigestDoesNotDependOnTheCache(t *testing.T) {
	checkedImage, err := stackWithCheckedInputs() // with the cache of all tests
	require.NoError(t, err)
	t.Setenv("KOCACHE", t.TempDir()) // an empty cache
	r := recipe{ImportPath: "example.com/tiny", Platforms: []string{"linux/amd64"}, Dir: checkedImage.inputs.Get("dir").AsString()}
	require.Equal(t, checkedImage.inputs.Get("digest").AsString(), buildImageDigest(t, r))
}

func TestBuildIsCanceled(t *testing.T) {
	t.Parallel()
	r := testRecipe(t, newModule(t, map[string]string{"main.go": helloSource}))
	unlock, err := lock(t.Context(), r.ImportPath) // as if another Pulumi process built it
	require.NoError(t, err)
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := newBuilder(isolate).build(ctx, r, authn.DefaultKeychain)
		done <- err
	}()
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}

func TestBuildFailsWithoutTheGoTool(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	isolate := func() (string, error) { return Isolate(t.Context(), t.TempDir()) }
	_, err := newBuilder(isolate).build(t.Context(), testRecipe(t, ""), authn.DefaultKeychain)
	require.ErrorContains(t, err, "the go tool, which is not on PATH: install Go")
}

func TestBuildUsesTheBaseImage(t *testing.T) {
	t.Parallel()
	registry := newRegistry(t)
	ref, err := name.NewTag(registry.host + "/bases/own:1")
	require.NoError(t, err)
	layer := static.NewLayer([]byte("own"), types.OCILayer)
	base, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), layer)
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, base))
	digest, err := base.Digest()
	require.NoError(t, err)

	r := testRecipe(t, newModule(t, map[string]string{"main.go": helloSource}))
	r.Base = ref.Context().Digest(digest.String()).String()
	built, err := newBuilder(isolate).build(t.Context(), r, authn.DefaultKeychain)
	require.NoError(t, err)
	_, err = (&Image{}).publish(t.Context(), ImageInputs{ImageSpec: ImageSpec{Repository: registry.host + "/shop/tiny", Tag: "x"}}, built)
	require.NoError(t, err, "the push reads the base's layers after the build has ended")
	manifest, err := built.image.(v1.Image).Manifest()
	require.NoError(t, err)
	require.Equal(t, int64(3), manifest.Layers[0].Size)

	r.Base = ref.Context().Digest("sha256:" + strings.Repeat("0", 64)).String()
	_, err = newBuilder(isolate).build(t.Context(), r, authn.DefaultKeychain)
	require.ErrorContains(t, err, "base: "+r.Base+" cannot be read")
}

// probeSource prints the time zones, certificates and data that its image has.
const probeSource = `package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

func main() {
	where, err := time.LoadLocation("Europe/Paris")
	fmt.Println(time.Unix(0, 0).In(where).Format(time.RFC3339), err)
	raw, err := os.ReadFile(os.Getenv("SSL_CERT_FILE"))
	n := 0
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); err == nil {
			n++
		}
	}
	fmt.Println(n > 100, err)
	data, err := os.ReadFile(os.Getenv("KO_DATA_PATH") + "/page.html")
	fmt.Println(string(data), err)
}
`

func TestImageHasBinaryDataCertificatesAndTimeZones(t *testing.T) {
	t.Parallel()
	dir := newModule(t, map[string]string{"main.go": probeSource, "kodata/page.html": "page"})
	r := testRecipe(t, dir)
	r.Labels = map[string]string{"org.opencontainers.image.source": "example.com/tiny"}
	built, err := newBuilder(isolate).build(t.Context(), r, authn.DefaultKeychain)
	require.NoError(t, err)
	img, ok := built.image.(v1.Image)
	require.True(t, ok, "one platform gives an image and no index")

	config, err := img.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, "65532:65532", config.Config.User)
	require.Equal(t, []string{"/ko-app/tiny"}, config.Config.Entrypoint)
	require.Equal(t, "linux/amd64", config.Platform().String())
	require.Equal(t, r.Labels, config.Config.Labels)
	require.Equal(t, epoch.Time, config.Created.Time)

	root := t.TempDir()
	headers := unpack(t, img, root)
	require.Equal(t, int64(0o1777), headers["tmp"].Mode, "every user may write to /tmp")
	require.Equal(t, nonrootID, headers["home/nonroot"].Uid)
	passwd, err := os.ReadFile(filepath.Join(root, "etc/passwd"))
	require.NoError(t, err)
	require.Contains(t, string(passwd), "nonroot:x:65532:65532:")

	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "ko-app/tiny"))
	cmd.Env = []string{
		"SSL_CERT_FILE=" + filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"),
		"ZONEINFO=" + filepath.Join(root, "usr/share/zoneinfo"),
		"KO_DATA_PATH=" + filepath.Join(root, "var/run/ko"),
	}
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	require.Equal(t, "1970-01-01T01:00:00+01:00 <nil>\ntrue <nil>\npage <nil>\n", string(output))

	binary, err := os.Stat(filepath.Join(root, "ko-app/tiny"))
	require.NoError(t, err)
	require.Less(t, unpackedSize(headers), binary.Size()+2<<20, "an image has its binary and at most 2 MiB more")
	require.Less(t, built.size, binary.Size()+2<<20)
	requireSBOM(t, built)
}

// requireSBOM checks the SPDX document of an image.
func requireSBOM(t *testing.T, built *builtImage) {
	t.Helper()
	require.Len(t, built.sboms, 1)
	content, err := built.sboms[0].file.Payload()
	require.NoError(t, err)
	var doc struct {
		Version  string `json:"spdxVersion"`
		Packages []struct {
			Name string `json:"name"`
		} `json:"packages"`
	}
	require.NoError(t, json.Unmarshal(content, &doc))
	require.Equal(t, "SPDX-2.3", doc.Version)
	names := []string{}
	for _, pkg := range doc.Packages {
		names = append(names, pkg.Name)
	}
	require.Contains(t, names, testImportPath(t))
	require.Contains(t, names, built.digest.String())
}

// unpack writes the files of an image below root and returns their headers.
func unpack(t *testing.T, img v1.Image, root string) map[string]*tar.Header {
	t.Helper()
	content := mutate.Extract(img)
	defer content.Close()
	headers := map[string]*tar.Header{}
	for r := tar.NewReader(content); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return headers
		}
		require.NoError(t, err)
		headers[strings.Trim(header.Name, "/")] = header
		path := filepath.Join(root, filepath.Clean("/"+header.Name))
		if header.Typeflag == tar.TypeDir {
			require.NoError(t, os.MkdirAll(path, 0o755))
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		var body bytes.Buffer
		_, err = io.Copy(&body, r)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, body.Bytes(), header.FileInfo().Mode().Perm()))
	}
}

// unpackedSize returns the sum of the sizes of the files with these headers.
func unpackedSize(headers map[string]*tar.Header) (sum int64) {
	for _, h := range headers {
		sum += h.Size
	}
	return sum
}
