package provider

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	_ "embed"
	"encoding/pem"
	"fmt"
	"io"
	"path"
	"sort"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// The user of the images. Distroless images have the same user id. Kubernetes can check
// runAsNonRoot, because the id is numeric.
const (
	nonrootID   = 65532
	nonrootHome = "/home/nonroot"
)

// zoneinfo is the IANA time zone database (public domain, 2025c) in the Go project's zip
// file. This package has its own copy, because some Go installations have no such file.
// So the base is the same on every machine.
//
//go:generate sh -c "cp \"$(go env GOROOT)/lib/time/zoneinfo.zip\" zoneinfo.zip"
//go:embed zoneinfo.zip
var zoneinfo []byte

// baseName is the name of the base in the images. The domain .invalid shows that no
// registry has it.
var baseName = name.MustParseReference("minimal.invalid/base:1")

// epoch is the time of all files in an image. The current time would change the
// digest.
var epoch = v1.Time{Time: time.Unix(0, 0).UTC()}

// file is a file of the base, or a folder if content is nil.
type file struct {
	path    string
	mode    int64
	owner   int
	content []byte
}

// baseFiles returns all files of the base except the time zones.
func baseFiles() []file {
	return []file{
		{"/etc", 0o755, 0, nil},
		{"/etc/group", 0o644, 0, []byte("root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n")},
		{"/etc/nsswitch.conf", 0o644, 0, []byte("hosts: files dns\n")},
		{"/etc/passwd", 0o644, 0, []byte("root:x:0:0:root:/root:/sbin/nologin\n" +
			"nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n" +
			"nonroot:x:65532:65532:nonroot:" + nonrootHome + ":/sbin/nologin\n")},
		{"/etc/ssl", 0o755, 0, nil},
		{"/etc/ssl/certs", 0o755, 0, nil},
		{"/etc/ssl/certs/ca-certificates.crt", 0o644, 0, certificates()},
		{"/home", 0o755, 0, nil},
		{nonrootHome, 0o700, nonrootID, nil},
		{"/root", 0o700, 0, nil},
		{"/tmp", 0o1777, 0, nil},
		{"/usr", 0o755, 0, nil},
		{"/usr/share", 0o755, 0, nil},
		{"/usr/share/zoneinfo", 0o755, 0, nil},
	}
}

// certificates returns Mozilla's root certificates as PEM. Roots that Mozilla trusts
// with constraints are left out, because PEM files have no constraints.
func certificates() []byte {
	var bundlePEM bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		bundlePEM.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
	}
	return bundlePEM.Bytes()
}

// timeZones returns the files of the time zone database below /usr/share/zoneinfo.
func timeZones() ([]file, error) {
	archive, err := zip.NewReader(bytes.NewReader(zoneinfo), int64(len(zoneinfo)))
	if err != nil {
		return nil, fmt.Errorf("time zones: %w", err)
	}
	folders := map[string]bool{}
	var files []file
	for _, entry := range archive.File {
		if entry.FileInfo().IsDir() {
			continue
		}
		for dir := path.Dir(entry.Name); dir != "."; dir = path.Dir(dir) {
			if !folders[dir] {
				folders[dir] = true
				files = append(files, file{"/usr/share/zoneinfo/" + dir, 0o755, 0, nil})
			}
		}
		r, err := entry.Open()
		if err != nil {
			return nil, fmt.Errorf("time zone %s: %w", entry.Name, err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, fmt.Errorf("time zone %s: %w", entry.Name, err)
		}
		files = append(files, file{"/usr/share/zoneinfo/" + entry.Name, 0o644, 0, content})
	}
	sort.Slice(files, func(i, j int) bool { return files[i].path < files[j].path })
	return files, nil
}

// pack returns a tar archive of the files. The same files give the same bytes.
func pack(files []file) ([]byte, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, f := range files {
		header := &tar.Header{
			Name: f.path[1:], Mode: f.mode, Uid: f.owner, Gid: f.owner,
			ModTime: epoch.Time, Typeflag: tar.TypeReg, Size: int64(len(f.content)), Format: tar.FormatUSTAR,
		}
		if f.content == nil {
			header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("base, %s: %w", f.path, err)
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, fmt.Errorf("base, %s: %w", f.path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	return archive.Bytes(), nil
}

// baseLayer returns the only layer of the base, which is the same for every platform. Each
// process packs the layer once, because packing takes some tens of milliseconds.
var baseLayer = sync.OnceValues(func() (v1.Layer, error) {
	zones, err := timeZones()
	if err != nil {
		return nil, err
	}
	archive, err := pack(append(baseFiles(), zones...))
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil }
	return tarball.LayerFromOpener(open, tarball.WithCompressedCaching, tarball.WithMediaType(types.OCILayer))
})

// baseIndex returns an index with a base image for each platform.
func baseIndex(platforms []v1.Platform) (v1.ImageIndex, error) {
	layer, err := baseLayer()
	if err != nil {
		return nil, err
	}
	index := v1.ImageIndex(empty.Index)
	for _, p := range platforms {
		img, err := baseImage(layer, p)
		if err != nil {
			return nil, fmt.Errorf("base for %s: %w", p, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: img, Descriptor: v1.Descriptor{MediaType: types.OCIManifestSchema1, Platform: &p},
		})
	}
	return index, nil
}

// baseImage returns the base image for one platform.
func baseImage(layer v1.Layer, platform v1.Platform) (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{
		Author: "pulumi-resource-ko", Created: epoch, CreatedBy: "base",
		Comment: "CA certificates, time zones, user 65532",
	}})
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant, config.Created = platform.OS, platform.Architecture, platform.Variant, epoch
	config.Config = v1.Config{
		User:       fmt.Sprintf("%d:%[1]d", nonrootID),
		WorkingDir: nonrootHome,
		Env: []string{
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
		},
	}
	return mutate.ConfigFile(img, config)
}
