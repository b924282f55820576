package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tokenPattern matches the token of an AWS resource or function, such as
// aws:ec2/vpc:Vpc.
var tokenPattern = regexp.MustCompile(`^aws:[a-z0-9]+/[a-zA-Z0-9]+:[a-zA-Z0-9]+$`)

// use is one place in Go source that uses a resource or a function of AWS.
type use struct {
	Token    string
	Location string // file:line, relative to the parent of the folder
}

// findTokens returns the sorted tokens that are string literals in the Go files of dir, except
// tests.
func findTokens(dir string) ([]string, error) {
	seen := map[string]bool{}
	err := walkGoFiles(dir, func(_ string, _ *token.FileSet, file *ast.File) error {
		for tok := range tokenLiterals(file) {
			seen[tok] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(seen))
	for tok := range seen {
		out = append(out, tok)
	}
	slices.Sort(out)
	return out, nil
}

// findUses returns every use of an AWS resource or function in the Go files below dir. A use is
// a constructor or a function of the SDK. A token in a string is also a use, because a program
// can register a resource by its token.
func findUses(dir string, s *sdk) ([]use, error) {
	var out []use
	err := walkGoFiles(dir, func(rel string, fset *token.FileSet, file *ast.File) error {
		location := func(pos token.Pos) string { return fmt.Sprintf("%s:%d", rel, fset.Position(pos).Line) }
		for tok, pos := range tokenLiterals(file) {
			out = append(out, use{tok, location(pos)})
		}
		imports := sdkImports(file)
		if len(imports) == 0 {
			return nil
		}
		var inspectErr error
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || inspectErr != nil {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			module, ok := imports[x.Name]
			if !ok {
				return true
			}
			tok, err := s.functionToken(module, sel.Sel.Name)
			if err != nil {
				inspectErr = fmt.Errorf("%s: %w", location(sel.Pos()), err)
				return false
			}
			if tok != "" {
				out = append(out, use{tok, location(sel.Pos())})
			}
			return true
		})
		return inspectErr
	})
	slices.SortFunc(out, func(a, b use) int { return strings.Compare(a.Location, b.Location) })
	return out, err
}

// functionToken returns the token of the resource or function that a Go function of the SDK uses. It
// returns "" for other names of the SDK, such as VpcArgs. A Go function with the suffix Output
// has no token in its source. So functionToken also reads the function without the suffix.
func (s *sdk) functionToken(module, name string) (string, error) {
	withoutSuffix := strings.TrimSuffix(name, "Output")
	if !strings.HasPrefix(name, "New") && !strings.HasPrefix(name, "Get") && !strings.HasPrefix(name, "Lookup") {
		return "", nil
	}
	p, err := s.openPackage(module)
	if err != nil {
		return "", err
	}
	for _, candidate := range []string{name, withoutSuffix} {
		file, err := p.findFile("\nfunc " + candidate + "(")
		if err != nil {
			continue
		}
		if err := p.parseFile(file); err != nil {
			return "", err
		}
		found := ""
		ast.Inspect(p.funcs[candidate], func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil && tokenPattern.MatchString(text) {
					found = text
				}
			}
			return true
		})
		if found != "" {
			return found, nil
		}
	}
	return "", nil
}

// sdkImports returns the packages of the SDK that a file imports. The result maps the name of a
// package in the file to the module in the package's tokens. The root package has the module
// index.
func sdkImports(file *ast.File) map[string]string {
	out := map[string]string{}
	for _, imp := range file.Imports {
		target, err := strconv.Unquote(imp.Path.Value)
		if err != nil || !strings.HasPrefix(target, sdkModule+"/go/aws") {
			continue
		}
		name, module := path.Base(target), path.Base(target)
		if target == sdkModule+"/go/aws" {
			module = "index"
		}
		if imp.Name != nil {
			name = imp.Name.Name
		}
		out[name] = module
	}
	return out
}

// tokenLiterals returns the tokens that are string literals in a file, with the position of each.
// If a token occurs several times, the position is that of the last occurrence.
func tokenLiterals(file *ast.File) map[string]token.Pos {
	out := map[string]token.Pos{}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && tokenPattern.MatchString(s) {
				out[s] = lit.Pos()
			}
		}
		return true
	})
	return out
}

// walkGoFiles parses every Go file below dir except tests, in lexical order, and calls visit with
// each file. rel is the path of the file, relative to the parent of dir. A folder that does not
// exist has no files.
func walkGoFiles(dir string, visit func(rel string, fset *token.FileSet, file *ast.File) error) error {
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		return nil
	}
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(filepath.Dir(dir), name)
		if err != nil {
			return err
		}
		return visit(filepath.ToSlash(rel), fset, file)
	})
}
