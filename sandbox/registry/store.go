package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// store is the folder of a registry:
//
//	blobs/sha256/HEX                      content
//	uploads/ID                            a blob that is still arriving
//	repositories/REPO/_manifests/HEX      media type, newline, content
//	repositories/REPO/_tags/TAG           the digest that the tag points to
//
// No part of a repository's name begins with an underscore, so names and
// folders of ours can't meet.
type store struct {
	dir string
	// manifests serialises changes to manifests and tags: a tag must not be
	// set to a manifest that is just being deleted.
	manifests sync.Mutex

	mu       sync.Mutex
	verified map[digest]stamp    // blobs whose content was checked
	busy     map[string]struct{} // uploads that a request is writing
}

// stamp tells whether a file is still the one that was checked.
type stamp struct {
	size  int64
	mtime time.Time
}

// errNotFound is returned for content that is not there, or is damaged and so
// may as well be pushed again.
var errNotFound = errors.New("not found")

func openStore(dir string) (*store, error) {
	s := &store{dir: dir, verified: map[digest]stamp{}, busy: map[string]struct{}{}}
	// Nobody can go on with an upload of an earlier process: ids are not told twice.
	if err := os.RemoveAll(s.path("uploads")); err != nil {
		return nil, fmt.Errorf("registry: remove unfinished uploads: %w", err)
	}
	for _, d := range []string{s.path("blobs", "sha256"), s.path("uploads"), s.path("repositories")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("registry folder: %w", err)
		}
	}
	if err := s.sweep(time.Now().Add(-sweepAge)); err != nil {
		return nil, fmt.Errorf("registry: remove unused blobs: %w", err)
	}
	return s, nil
}

func (s *store) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

// write puts content at path in one step: a reader, or a start after a crash,
// sees all of it or what was there before.
func (s *store) write(path string, content []byte) error {
	f, err := os.CreateTemp(s.path("uploads"), "write-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return install(f.Name(), path)
}

// install renames a synced file to its place and makes the rename last.
func install(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// missing turns "no such file" into errNotFound.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errNotFound
	}
	return err
}
