package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/olareg/olareg/types"
	"github.com/opencontainers/go-digest"
)

// folder is the folder in which the library stores repositories. Each repository is an OCI
// image layout: REPOSITORY/index.json and REPOSITORY/blobs/ALGORITHM/HEX.
type folder struct {
	dir string

	mu      sync.Mutex
	checked map[string]fileVersion // blobs with a correct digest, by path
}

// fileVersion is the size and modification time of a checked file. If one of them changes,
// the file is checked again.
type fileVersion struct {
	size    int64
	modTime time.Time
}

// openFolder prepares the folder before the library opens it. It removes unfinished
// uploads. If an earlier release has written the folder, it removes all images.
func openFolder(dir string) (*folder, error) {
	// An earlier release stored all blobs in one folder "blobs". The library does not
	// accept that name for a repository. make up pushes the images again.
	if _, err := os.Stat(filepath.Join(dir, "blobs")); err == nil {
		slog.Warn("registry removes images in the layout of an earlier release; make up builds and pushes them again", "dir", dir)
		if err := os.RemoveAll(dir); err != nil {
			return nil, fmt.Errorf("registry: remove images in the layout of an earlier release: %w", err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the registry folder: %w", err)
	}
	f := &folder{dir: dir, checked: map[string]fileVersion{}}
	for _, repository := range f.listRepositories() {
		// No client can continue an upload of an earlier process.
		unfinished, err := filepath.Glob(filepath.Join(f.repositoryPath(repository), "index.json.*"))
		for _, path := range append(unfinished, filepath.Join(f.repositoryPath(repository), "_uploads")) {
			err = errors.Join(err, os.RemoveAll(path))
		}
		if err != nil {
			return nil, fmt.Errorf("registry: remove unfinished uploads: %w", err)
		}
	}
	return f, nil
}

// repositoryPath returns the folder of a repository.
func (f *folder) repositoryPath(repository string) string {
	return filepath.Join(f.dir, filepath.FromSlash(repository))
}

// hasRepository reports whether an image was ever pushed to the repository.
func (f *folder) hasRepository(repository string) bool {
	_, err := os.Stat(filepath.Join(f.repositoryPath(repository), "index.json"))
	return err == nil
}

// listRepositories lists all repositories to which an image was ever pushed, sorted.
func (f *folder) listRepositories() []string {
	names := []string{}
	err := filepath.WalkDir(f.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (e.Name() == "blobs" || e.Name() == "_uploads") {
			return fs.SkipDir
		}
		if name, err := filepath.Rel(f.dir, filepath.Dir(path)); err == nil && e.Name() == "index.json" {
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		slog.Error("registry can't read its folder", "dir", f.dir, "error", err)
	}
	slices.Sort(names)
	return names
}

// listRepositoriesWithImages returns the repositories that have an image. The library's lists
// of referrers do not count as images.
func (f *folder) listRepositoriesWithImages() []string {
	return slices.DeleteFunc(f.listRepositories(), func(repository string) bool {
		var index types.Index
		raw, err := os.ReadFile(filepath.Join(f.repositoryPath(repository), "index.json"))
		if err != nil || json.Unmarshal(raw, &index) != nil {
			return true // the file is damaged, so the library also serves no image of the repository
		}
		return !slices.ContainsFunc(index.Manifests, func(d types.Descriptor) bool {
			return d.Annotations[types.AnnotReferrerSubject] == ""
		})
	})
}

// findMissing returns the digest of the first missing file that a client needs to pull the
// manifest d. This is the file of d, of one of its blobs, or of a manifest below d at any depth.
// findMissing returns "" if every file exists. Like open, it removes damaged files.
func (f *folder) findMissing(repository string, d digest.Digest) (digest.Digest, error) {
	file, err := f.open(repository, d)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	content, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return d, err
	}
	return f.findMissingReference(repository, content)
}

// findMissingReference returns the first missing digest among the blobs and manifests that a
// manifest lists, at any depth. It returns "" if every file exists, or if the manifest is not JSON.
func (f *folder) findMissingReference(repository string, manifest []byte) (digest.Digest, error) {
	var content struct {
		Config            *types.Descriptor
		Layers, Manifests []types.Descriptor
	}
	if json.Unmarshal(manifest, &content) != nil {
		return "", nil // the library refuses such a manifest
	}
	if content.Config != nil {
		content.Layers = append(content.Layers, *content.Config)
	}
	for _, blob := range content.Layers {
		file, err := f.open(repository, blob.Digest)
		if errors.Is(err, fs.ErrNotExist) {
			return blob.Digest, nil
		}
		if err == nil {
			err = file.Close()
		}
		if err != nil {
			return blob.Digest, err
		}
	}
	for _, child := range content.Manifests {
		if missing, err := f.findMissing(repository, child.Digest); err != nil || missing != "" {
			return missing, err
		}
	}
	return "", nil
}

// open opens a blob and checks its content against the digest. It removes a
// damaged file and returns fs.ErrNotExist; the next push restores the file. A file
// is hashed once, and again if its size or modification time changes.
func (f *folder) open(repository string, d digest.Digest) (*os.File, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	path := filepath.Join(f.repositoryPath(repository), "blobs", d.Algorithm().String(), d.Encoded())
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := f.checkDigest(file, d); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// checkDigest compares the content of an open file with its digest. It skips a version of the
// file that was correct in an earlier check. After checkDigest, the next read begins at the
// start of the file.
func (f *folder) checkDigest(file *os.File, d digest.Digest) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	version := fileVersion{info.Size(), info.ModTime()}
	f.mu.Lock()
	alreadyChecked := f.checked[file.Name()] == version
	f.mu.Unlock()
	if alreadyChecked {
		return nil
	}
	verifier := d.Verifier()
	if _, err := io.Copy(verifier, file); err != nil {
		return err
	}
	if verifier.Verified() {
		f.mu.Lock()
		f.checked[file.Name()] = version
		f.mu.Unlock()
		_, err := file.Seek(0, io.SeekStart)
		return err
	}
	if current, err := os.Stat(file.Name()); err != nil || !os.SameFile(info, current) {
		return fs.ErrNotExist // a push has just replaced the file, so it must not be removed
	}
	slog.Warn("registry removes a damaged blob", "file", file.Name(), "size", version.size)
	return errors.Join(fs.ErrNotExist, os.Remove(file.Name()))
}
