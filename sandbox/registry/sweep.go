package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// sweepAge is how old an unused blob must be before a start removes it. A push
// that a restart interrupted finds its blobs again meanwhile.
const sweepAge = time.Hour

// sweep removes blobs older than before that no manifest mentions: those of
// deleted images, and those of pushes that never ended. It runs before the
// first request, so nothing can begin to mention one while it looks.
func (s *store) sweep(before time.Time) error {
	used, err := s.usedBlobs()
	if err != nil {
		return err
	}
	names, err := list(s.path("blobs", "sha256"))
	if err != nil {
		return err
	}
	var count, bytes int64
	for _, name := range names {
		if used[name] {
			continue
		}
		path := s.path("blobs", "sha256", name)
		info, err := os.Stat(path)
		if err != nil || info.ModTime().After(before) {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		count, bytes = count+1, bytes+info.Size()
	}
	if count > 0 {
		slog.Info("registry removed unused blobs", "count", count, "bytes", bytes)
	}
	return nil
}

// usedBlobs is the hex digest of every blob that a manifest mentions.
func (s *store) usedBlobs() (map[string]bool, error) {
	used := map[string]bool{}
	repos, err := s.repositories()
	if err != nil {
		return nil, err
	}
	for _, repo := range repos {
		digests, err := s.digests(repo)
		if err != nil {
			return nil, fmt.Errorf("repository %s: %w", repo, err)
		}
		for _, d := range digests {
			m, err := s.manifest(repo, d)
			if errors.Is(err, errNotFound) {
				continue // damaged: it can't be pulled, so it holds nothing
			}
			if err != nil {
				return nil, fmt.Errorf("manifest %s@%s: %w", repo, d, err)
			}
			a, err := m.anatomy()
			if err != nil {
				return nil, fmt.Errorf("manifest %s@%s: %w", repo, d, err)
			}
			if a.Config != nil {
				a.Layers = append(a.Layers, *a.Config)
			}
			for _, layer := range a.Layers {
				used[layerHex(layer)] = true
			}
		}
	}
	return used, nil
}

func layerHex(d v1.Descriptor) string { return d.Digest.Hex }
