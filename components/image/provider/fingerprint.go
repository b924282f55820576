package provider

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/parser"
	"go/token"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/mod/modfile"
)

// fingerprint returns a hash of all inputs of an image: the recipe, the provider's
// executable, the toolchain, go.mod and go.sum, and the files of all packages of
// the module that the main package imports. If the hash is unchanged, the digest
// is unchanged too, and no build is needed. The hash also includes files that the image
// does not need, such as files for other platforms. A change of such a file causes a
// build with the same result.
//
// fingerprint returns "" if it can't find all inputs: with a workspace, vendored or local
// modules, a main package of another module, or ko's data folder. The image is then
// always built.
func (r recipe) fingerprint(toolchain string) (string, error) {
	root, err := moduleRoot(r.Dir)
	if err != nil || root == "" {
		return "", err
	}
	content, mod, err := readModule(root)
	if err != nil || mod.Module == nil {
		return "", err
	}
	isLocal := func(m *modfile.Replace) bool { return m.New.Version == "" }
	if slices.ContainsFunc(mod.Replace, isLocal) || exists(filepath.Join(root, "vendor")) {
		return "", nil
	}
	f := &fingerprinter{root: root, module: mod.Module.Mod.Path, sum: sha256.New(), seen: map[string]bool{}}
	mainFolder, ok := f.packageFolder(r.ImportPath)
	if !ok || exists(filepath.Join(mainFolder, "kodata")) {
		return "", nil
	}
	executable, err := executableHash()
	if err != nil {
		return "", err
	}
	key, err := r.cacheKey()
	if err != nil {
		return "", err
	}
	fmt.Fprintf(f.sum, "%s\n%s\n%s\n%s\n", executable, toolchain, key, content)
	if err := f.addFile(filepath.Join(root, "go.sum")); err != nil {
		return "", err
	}
	if err := f.addPackages(r.ImportPath); err != nil {
		return "", fmt.Errorf("sources of %s: %w", r.ImportPath, err)
	}
	return hex.EncodeToString(f.sum.Sum(nil)), nil
}

// moduleRoot returns the folder of go.mod, which is dir or a parent of dir. It returns ""
// if there is no go.mod, or if there is a go.work.
func moduleRoot(dir string) (string, error) {
	if workspace, err := findAbove(dir, "go.work"); err != nil || workspace != "" {
		return "", err
	}
	return findAbove(dir, "go.mod")
}

// readModule returns the content of the go.mod in root, and its directives. For an invalid go.mod
// it returns no directives and no error, because the go tool reports a better error.
func readModule(root string) ([]byte, *modfile.File, error) {
	content, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, nil, err
	}
	mod, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		return content, &modfile.File{}, nil //nolint:nilerr // see above
	}
	return content, mod, nil
}

// findAbove returns the nearest folder that has a file with this name: dir or a parent of dir. It
// returns "" if there is none.
func findAbove(dir, name string) (string, error) {
	folder, err := filepath.Abs(dir)
	for err == nil && !exists(filepath.Join(folder, name)) {
		if folder == filepath.Dir(folder) {
			return "", nil
		}
		folder = filepath.Dir(folder)
	}
	return folder, err
}

// exists reports whether there is a file or a folder at path.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// executableHash returns the hash of this executable. It is an input, because another
// version of the provider may build another image.
var executableHash = sync.OnceValues(func() (string, error) {
	file, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
})

// fingerprinter hashes the packages of one module.
type fingerprinter struct {
	root, module string
	sum          hash.Hash
	seen         map[string]bool
}

// packageFolder returns the folder of a package. For a package of another module, ok is false.
func (f *fingerprinter) packageFolder(importPath string) (folder string, ok bool) {
	if importPath == f.module {
		return f.root, true
	}
	relative, ok := strings.CutPrefix(importPath, f.module+"/")
	return filepath.Join(f.root, filepath.FromSlash(relative)), ok
}

// addPackages adds the package and the packages of its module that it imports, each
// once. The order depends only on the sources.
func (f *fingerprinter) addPackages(importPath string) error {
	dir, ok := f.packageFolder(importPath)
	if !ok || f.seen[importPath] {
		return nil
	}
	f.seen[importPath] = true
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil //nolint:nilerr // the compiler reports a missing import
	}
	var imports []string
	hasEmbed := false
	for _, entry := range entries {
		if !entry.Type().IsRegular() || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file := filepath.Join(dir, entry.Name())
		if path.Ext(entry.Name()) != ".go" {
			if err := f.addFile(file); err != nil {
				return err
			}
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		f.add(file, source)
		hasEmbed = hasEmbed || bytes.Contains(source, []byte("//go:embed"))
		imports = append(imports, parseImports(source)...)
	}
	if hasEmbed {
		if err := f.addTree(dir); err != nil {
			return err
		}
	}
	slices.Sort(imports)
	for _, imported := range slices.Compact(imports) {
		if err := f.addPackages(imported); err != nil {
			return err
		}
	}
	return nil
}

// parseImports lists the imports of a source file. For a file with a syntax error it returns
// nil. Such a file does not compile.
func parseImports(source []byte) []string {
	parsed, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ImportsOnly)
	if err != nil {
		return nil
	}
	var paths []string
	for _, i := range parsed.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// addTree adds every file below dir, the folder of a package that embeds files.
func (f *fingerprinter) addTree(dir string) error {
	return filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		return f.addFile(file)
	})
}

// addFile adds a file if it exists.
func (f *fingerprinter) addFile(file string) error {
	content, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	f.add(file, content)
	return nil
}

// add adds the path of a file in its module, its size and its content to the hash.
func (f *fingerprinter) add(file string, content []byte) {
	name := strings.TrimPrefix(filepath.ToSlash(file), filepath.ToSlash(f.root))
	fmt.Fprintf(f.sum, "%s %d\n", name, len(content))
	f.sum.Write(content)
}
