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

// fingerprint is a hash of everything that the recipe's image is made from:
// the recipe, this very provider, the toolchain (Isolate's, and the lines of
// go.mod by which it may fetch another), the module's go.mod and go.sum, and the files of the main package and of those of its module that it
// imports. Where it is what it was, so is the digest, and nothing has to be
// built to know it. It takes in too much rather than too little, such as files
// for other platforms: then an image is built for nothing, and is the same.
//
// It is empty where files are left out of sight, and the compiler must be
// asked: with a workspace, vendored or local modules, another module's main
// package, or ko's data folder.
func (r recipe) fingerprint(toolchain string) (string, error) {
	root, err := moduleRoot(r.Dir)
	if err != nil || root == "" {
		return "", err
	}
	content, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", err
	}
	mod, err := modfile.Parse("go.mod", content, nil)
	if err != nil || mod.Module == nil {
		return "", nil //nolint:nilerr // the go tool words it better
	}
	local := func(m *modfile.Replace) bool { return m.New.Version == "" }
	if slices.ContainsFunc(mod.Replace, local) || exists(filepath.Join(root, "vendor")) {
		return "", nil
	}
	f := &fingerprinter{root: root, module: mod.Module.Mod.Path, sum: sha256.New(), seen: map[string]bool{}}
	main, ok := f.folder(r.ImportPath)
	if !ok || exists(filepath.Join(main, "kodata")) {
		return "", nil
	}
	self, err := self()
	if err != nil {
		return "", err
	}
	key, err := r.key()
	if err != nil {
		return "", err
	}
	fmt.Fprintf(f.sum, "%s\n%s\n%s\n%s\n", self, toolchain, key, content)
	if err := f.file(filepath.Join(root, "go.sum")); err != nil {
		return "", err
	}
	if err := f.packages(r.ImportPath); err != nil {
		return "", fmt.Errorf("sources of %s: %w", r.ImportPath, err)
	}
	return hex.EncodeToString(f.sum.Sum(nil)), nil
}

// moduleRoot is the folder of go.mod at or above dir; empty where there is
// none, or where a workspace has a say.
func moduleRoot(dir string) (string, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	root := ""
	for ; ; at = filepath.Dir(at) {
		if exists(filepath.Join(at, "go.work")) {
			return "", nil
		}
		if root == "" && exists(filepath.Join(at, "go.mod")) {
			root = at
		}
		if at == filepath.Dir(at) {
			return root, nil
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// self is the hash of this executable: another provider may build otherwise.
var self = sync.OnceValues(func() (string, error) {
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

// fingerprinter walks the packages of one module.
type fingerprinter struct {
	root, module string
	sum          hash.Hash
	seen         map[string]bool
}

// folder is where a package of the module lies.
func (f *fingerprinter) folder(importPath string) (string, bool) {
	if importPath == f.module {
		return f.root, true
	}
	below, ok := strings.CutPrefix(importPath, f.module+"/")
	return filepath.Join(f.root, filepath.FromSlash(below)), ok
}

// packages takes in the package and those of its module that it imports, each
// once, in an order that follows from the sources.
func (f *fingerprinter) packages(importPath string) error {
	dir, ok := f.folder(importPath)
	if !ok || f.seen[importPath] {
		return nil
	}
	f.seen[importPath] = true
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil //nolint:nilerr // an import that is not there: the compiler's to tell
	}
	var imports []string
	embeds := false
	for _, e := range entries {
		if !e.Type().IsRegular() || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file := filepath.Join(dir, e.Name())
		if path.Ext(e.Name()) != ".go" {
			if err := f.file(file); err != nil {
				return err
			}
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		f.add(file, source)
		embeds = embeds || bytes.Contains(source, []byte("//go:embed"))
		imports = append(imports, importsOf(source)...)
	}
	if embeds {
		if err := f.tree(dir); err != nil {
			return err
		}
	}
	slices.Sort(imports)
	for _, i := range slices.Compact(imports) {
		if err := f.packages(i); err != nil {
			return err
		}
	}
	return nil
}

// importsOf lists what a source imports; one that cannot be read imports
// nothing, and will not compile.
func importsOf(source []byte) []string {
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

// tree takes in every file below a package that embeds some.
func (f *fingerprinter) tree(dir string) error {
	return filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		return f.file(file)
	})
}

func (f *fingerprinter) file(file string) error {
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

// add takes in a file by its place in the module, its size and its content.
func (f *fingerprinter) add(file string, content []byte) {
	name := strings.TrimPrefix(filepath.ToSlash(file), filepath.ToSlash(f.root))
	fmt.Fprintf(f.sum, "%s %d\n", name, len(content))
	f.sum.Write(content)
}
