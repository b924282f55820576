package debian

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// pack builds the image. The same packages give the same digest, because files
// are sorted, belong to root and have no modification time.
func (r recipe) pack(ctx context.Context) (v1.Image, error) {
	files, err := r.listFiles(ctx)
	if err != nil {
		return nil, err
	}
	var content bytes.Buffer
	if err := r.writeArchive(&content, files); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if img, err = mutate.ConfigFile(img, &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH,
		RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{User: fmt.Sprintf("%d:%d", r.userID, r.userID), WorkingDir: "/", Env: []string{"PATH=" + r.path, "LANG=C.UTF-8"}},
	}); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return mutate.AppendLayers(img, layer)
}

// linkedFolders are the folders of the root that are links into /usr since Debian 12.
var linkedFolders = []string{"bin", "lib", "lib64", "sbin"}

// writeArchive writes the files as the content of one layer. It adds a folder /tmp and the files
// /etc/passwd and /etc/group.
func (r recipe) writeArchive(out io.Writer, files []string) error {
	w := tar.NewWriter(out)
	a := &archiver{tar: w, folders: map[string]bool{}}
	for _, name := range linkedFolders {
		a.writeHeader(tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: "usr/" + name, Mode: 0o777})
		a.folders["/"+name] = true
	}
	a.writeHeader(tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777})
	a.writeText("etc/passwd", fmt.Sprintf("root:x:0:0::/:/bin/sh\n%s:x:%d:%d::/:/bin/sh\n", r.user, r.userID, r.userID))
	a.writeText("etc/group", fmt.Sprintf("root:x:0:\n%s:x:%d:\n", r.user, r.userID))
	for _, path := range files {
		a.writeFile(path)
	}
	if a.err != nil {
		return a.err
	}
	return w.Close()
}

// imageMode returns the mode of a file in the image. Everyone may read the file. Everyone may
// execute the file if its owner on this machine may. On this machine only the owner may read some
// files, such as redis.conf. In the image root owns all files, so its user could not read them. The
// image has no setuid and setgid programs.
func imageMode(hostMode fs.FileMode) int64 {
	if hostMode&0o100 != 0 {
		return 0o755
	}
	return 0o644
}

// archiver writes a tar file. It keeps the first error and then writes nothing
// more, so writeArchive need not check each call.
type archiver struct {
	tar     *tar.Writer
	folders map[string]bool // already written
	err     error
}

// writeHeader writes the header of a file. The content must follow.
func (a *archiver) writeHeader(h tar.Header) {
	if a.err == nil {
		h.Format = tar.FormatPAX
		a.err = a.tar.WriteHeader(&h)
	}
}

// writeText writes a file with the given content.
func (a *archiver) writeText(name, content string) {
	a.writeFolder("/" + filepath.Dir(name))
	a.writeHeader(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))})
	if a.err == nil {
		_, a.err = io.WriteString(a.tar, content)
	}
}

// writeFolder writes a folder and its parents, once.
func (a *archiver) writeFolder(path string) {
	if path == "/" || a.folders[path] {
		return
	}
	a.writeFolder(filepath.Dir(path))
	a.folders[path] = true
	a.writeHeader(tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(path, "/") + "/", Mode: 0o755})
}

// writeFile copies a file or a link of this machine. It skips /etc/passwd and /etc/group,
// because writeArchive writes its own files.
func (a *archiver) writeFile(path string) {
	if a.err != nil || slices.Contains([]string{"/etc/passwd", "/etc/group"}, path) {
		return
	}
	a.writeFolder(filepath.Dir(path))
	info, err := os.Lstat(path)
	if err != nil {
		a.err = err
		return
	}
	name := strings.TrimPrefix(path, "/")
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		if err != nil {
			a.err = err
			return
		}
		a.writeHeader(tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777})
		return
	}
	f, err := os.Open(path)
	if err != nil {
		a.err = err
		return
	}
	defer f.Close()
	a.writeHeader(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: imageMode(info.Mode()), Size: info.Size()})
	if a.err == nil {
		_, a.err = io.Copy(a.tar, f)
	}
}
