package provider

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// unusedLimit is how long the cache of a working folder stays after its last use. One
// cache of this repository's services has about 200 MB, and every checkout has its own.
const unusedLimit = 7 * 24 * time.Hour

// expiredSuffix is the suffix of a cache that is being deleted.
const expiredSuffix = ".expired"

// cacheNamePattern matches the name of a working folder's cache: the first six bytes of the hash
// of its path, in hex.
var cacheNamePattern = regexp.MustCompile(`^[0-9a-f]{12}(\` + expiredSuffix + `)?$`)

// useCache creates the cache called name in the folder root and records its use in the
// folder's modification time. It also deletes the other caches in root that were not used
// for unusedLimit. A cache that can't be deleted must not prevent a build, so only the
// creation can fail.
func useCache(root, name string, now time.Time) (dir string, err error) {
	dir = filepath.Join(root, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("cache of built binaries: %w", err)
	}
	if err := os.Chtimes(dir, now, now); err == nil {
		_ = pruneCaches(root, name, now)
	}
	return dir, nil
}

// pruneCaches deletes the caches in root, except keep, that were not used for unusedLimit.
// It deletes only folders with the name of a cache, and follows no link.
func pruneCaches(root, keep string, now time.Time) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		name := entry.Name()
		if name == keep || !entry.IsDir() || !cacheNamePattern.MatchString(name) {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process deleted it
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		path := filepath.Join(root, name)
		if !strings.HasSuffix(name, expiredSuffix) {
			if now.Sub(info.ModTime()) < unusedLimit {
				continue
			}
			// A process that starts to use the cache now creates a new folder instead of
			// writing into one that is being deleted.
			if err := os.Rename(path, path+expiredSuffix); err != nil {
				errs = append(errs, err)
				continue
			}
			path += expiredSuffix
		}
		errs = append(errs, os.RemoveAll(path))
	}
	return errors.Join(errs...)
}
