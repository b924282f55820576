package debian

import (
	"bufio"
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// listFiles returns the sorted paths of the image's files: the packages' files, and the libraries
// that their programs load. If a folder in a path is a link, the path has the target of the
// link. The file itself may be a link.
func (r recipe) listFiles(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, packTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, "dpkg-query", append([]string{"-L"}, append(shellPackages, r.packages...)...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("dpkg-query -L: %w", err)
	}
	paths := pathSet{}
	for line := range strings.Lines(string(out)) {
		if path := strings.TrimSpace(line); strings.HasPrefix(path, "/") && !r.excludes(path) {
			if err := paths.add(path); err != nil {
				return nil, err
			}
		}
	}
	if err := paths.add("/bin/sh"); err != nil { // a link that no package owns
		return nil, err
	}
	libraries, err := sharedLibraries(ctx, paths.sortedPaths())
	if err != nil {
		return nil, err
	}
	for _, path := range libraries {
		if err := paths.add(path); err != nil {
			return nil, err
		}
	}
	return paths.sortedPaths(), nil
}

// excludes reports whether the image leaves out the file at path.
func (r recipe) excludes(path string) bool {
	return slices.ContainsFunc(slices.Concat(documentationPrefixes, r.excludedPrefixes), func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// pathSet is a set of paths of files.
type pathSet map[string]bool

// add adds a file and, if the file is a link, the target of the link. It ignores a folder,
// because writeArchive creates the folders of the files.
func (s pathSet) add(path string) error {
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("folder of %s: %w", path, err)
	}
	path = filepath.Join(dir, filepath.Base(path))
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return fmt.Errorf("file of a package: %w", err)
	case s[path] || info.IsDir(): // s[path] also ends the recursion if links form a cycle
		return nil
	}
	s[path] = true
	if info.Mode()&fs.ModeSymlink == 0 {
		return nil
	}
	target, err := os.Readlink(path)
	if err != nil {
		return err
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(dir, target)
	}
	if _, err := os.Stat(target); err != nil {
		delete(s, path) // the image does not need a link without a target
		return nil
	}
	return s.add(target)
}

func (s pathSet) sortedPaths() []string {
	paths := make([]string, 0, len(s))
	for path := range s {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// sharedLibraries runs ldd on all programs and libraries among the files. It
// returns the paths of the shared libraries that they load.
func sharedLibraries(ctx context.Context, files []string) ([]string, error) {
	var programs []string
	for _, path := range files {
		f, err := elf.Open(path)
		if err != nil {
			continue // not an ELF file
		}
		imported, err := f.ImportedLibraries()
		f.Close()
		if err == nil && len(imported) > 0 {
			programs = append(programs, path)
		}
	}
	if len(programs) == 0 {
		return nil, nil
	}
	out, err := exec.CommandContext(ctx, "ldd", programs...).Output()
	if err != nil {
		return nil, fmt.Errorf("ldd: %w", err)
	}
	return parseLdd(out)
}

// parseLdd returns the libraries' paths in the output of ldd. A line has the form
// "NAME => PATH (ADDRESS)". The line of the loader has only "PATH (ADDRESS)".
func parseLdd(output []byte) ([]string, error) {
	var paths []string
	lines := bufio.NewScanner(bytes.NewReader(output))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.Contains(line, "not found") {
			return nil, fmt.Errorf("ldd: %s", line)
		}
		if _, after, ok := strings.Cut(line, "=> "); ok {
			line = after
		}
		if path, _, ok := strings.Cut(line, " (0x"); ok && strings.HasPrefix(path, "/") {
			paths = append(paths, path)
		}
	}
	return paths, lines.Err()
}
