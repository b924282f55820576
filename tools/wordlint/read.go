package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Fragment is a piece of a file that the rules apply to: a declared name, or prose. Prose is
// a group of comments, a string, or a paragraph of Markdown.
type Fragment struct {
	Line int
	Text string
	Name bool // it is a name, not prose
}

// skippedFolders are the names of folders without texts of our own.
var skippedFolders = []string{"bin", "node_modules", "testdata"}

// sourceFiles lists the Go and Markdown files, in lexical order.
func sourceFiles(root fs.FS) ([]string, error) {
	var files []string
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && p != "." && (strings.HasPrefix(name, ".") || slices.Contains(skippedFolders, name)) {
			return fs.SkipDir
		}
		if ext := path.Ext(name); d.Type().IsRegular() && (ext == ".go" || ext == ".md") {
			files = append(files, p)
		}
		return nil
	})
	return files, err
}

// readFragments returns the fragments of one file. packageName is the name of a Go file's package, and
// empty for a Markdown file. A generated Go file has no fragments.
func readFragments(root fs.FS, file string) (fragments []Fragment, packageName string, err error) {
	source, err := fs.ReadFile(root, file)
	if err != nil {
		return nil, "", err
	}
	name := Fragment{Line: 1, Name: true, Text: strings.TrimSuffix(path.Base(file), path.Ext(file))}
	if path.Ext(file) == ".md" {
		fragments = []Fragment{name}
		line := 1
		for _, paragraph := range strings.Split(string(source), "\n\n") {
			fragments = append(fragments, Fragment{Line: line, Text: paragraph})
			line += strings.Count(paragraph, "\n") + 2
		}
		return fragments, "", nil
	}
	fileSet := token.NewFileSet()
	parsed, err := parser.ParseFile(fileSet, file, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, "", fmt.Errorf("parse: %w", err)
	}
	if ast.IsGenerated(parsed) {
		return nil, parsed.Name.Name, nil
	}
	c := collector{fileSet: fileSet, fragments: []Fragment{name}}
	for _, group := range parsed.Comments {
		text := source[fileSet.Position(group.Pos()).Offset:fileSet.Position(group.End()).Offset]
		c.addProse(group.Pos(), commentMark.ReplaceAllString(string(text), ""))
	}
	ast.Inspect(parsed, c.visit)
	return c.fragments, parsed.Name.Name, nil
}

// commentMark matches the beginning of a comment's line. It is removed, so that a pattern
// also finds two words with a line break between them.
var commentMark = regexp.MustCompile(`(?m)^[ \t]*//`)

// collector collects the fragments of a Go file.
type collector struct {
	fileSet   *token.FileSet
	fragments []Fragment
}

// addProse adds a comment or a string.
func (c *collector) addProse(position token.Pos, text string) {
	c.fragments = append(c.fragments, Fragment{Line: c.fileSet.Position(position).Line, Text: text})
}

// addNames adds declared names.
func (c *collector) addNames(identifiers ...*ast.Ident) {
	for _, identifier := range identifiers {
		if identifier != nil {
			c.fragments = append(c.fragments, Fragment{Line: c.fileSet.Position(identifier.Pos()).Line, Text: identifier.Name, Name: true})
		}
	}
}

// visit collects the declared names and the strings of a node. It ignores names that are only
// used, because they may be from another module. It also ignores import paths and struct tags.
func (c *collector) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.File:
		c.addNames(n.Name)
	case *ast.FuncDecl:
		c.addNames(n.Name)
	case *ast.TypeSpec:
		c.addNames(n.Name)
	case *ast.ValueSpec:
		c.addNames(n.Names...)
	case *ast.Field:
		c.addNames(n.Names...)
		ast.Inspect(n.Type, c.visit)
		return false
	case *ast.ImportSpec:
		c.addNames(n.Name)
		return false
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			for _, left := range n.Lhs {
				if name, ok := left.(*ast.Ident); ok {
					c.addNames(name)
				}
			}
		}
	case *ast.RangeStmt:
		for _, left := range []ast.Expr{n.Key, n.Value} {
			if name, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE {
				c.addNames(name)
			}
		}
	case *ast.BasicLit:
		if n.Kind == token.STRING {
			c.addProse(n.Pos(), n.Value)
		}
	}
	return true
}

// splitName splits a name at capitals, digits, underscores and dashes: layOut_test is "lay out
// test".
func splitName(name string) string {
	var words strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case r == '_' || r == '-' || r == '.':
			words.WriteByte(' ')
			continue
		case i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || (i+1 < len(runes) && unicode.IsLower(runes[i+1]))),
			i > 0 && unicode.IsDigit(r) && !unicode.IsDigit(runes[i-1]):
			words.WriteByte(' ')
		}
		words.WriteRune(unicode.ToLower(r))
	}
	return words.String()
}
