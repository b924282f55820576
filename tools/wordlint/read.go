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

// skipped are the names of folders without texts of our own.
var skipped = []string{"bin", "node_modules", "testdata"}

// sourceFiles lists the Go and Markdown files, in lexical order.
func sourceFiles(root fs.FS) ([]string, error) {
	var files []string
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && p != "." && (strings.HasPrefix(name, ".") || slices.Contains(skipped, name)) {
			return fs.SkipDir
		}
		if ext := path.Ext(name); d.Type().IsRegular() && (ext == ".go" || ext == ".md") {
			files = append(files, p)
		}
		return nil
	})
	return files, err
}

// read returns the fragments of one file. For a Go file it also returns the name of its
// package.
func read(root fs.FS, file string) ([]Fragment, string, error) {
	src, err := fs.ReadFile(root, file)
	if err != nil {
		return nil, "", err
	}
	name := Fragment{Line: 1, Name: true, Text: strings.TrimSuffix(path.Base(file), path.Ext(file))}
	if path.Ext(file) == ".md" {
		fragments := []Fragment{name}
		line := 1
		for _, paragraph := range strings.Split(string(src), "\n\n") {
			fragments = append(fragments, Fragment{Line: line, Text: paragraph})
			line += strings.Count(paragraph, "\n") + 2
		}
		return fragments, "", nil
	}
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, "", fmt.Errorf("parse: %w", err)
	}
	if ast.IsGenerated(parsed) {
		return nil, parsed.Name.Name, nil
	}
	c := collector{set: set, fragments: []Fragment{name}}
	for _, group := range parsed.Comments {
		text := src[set.Position(group.Pos()).Offset:set.Position(group.End()).Offset]
		c.prose(group.Pos(), commentMark.ReplaceAllString(string(text), ""))
	}
	ast.Inspect(parsed, c.visit)
	return c.fragments, parsed.Name.Name, nil
}

// commentMark matches the beginning of a comment's line. It is removed, so that a pattern
// also finds two words with a line break between them.
var commentMark = regexp.MustCompile(`(?m)^[ \t]*//`)

// collector collects the fragments of a Go file.
type collector struct {
	set       *token.FileSet
	fragments []Fragment
}

// prose adds a comment or a string.
func (c *collector) prose(at token.Pos, text string) {
	c.fragments = append(c.fragments, Fragment{Line: c.set.Position(at).Line, Text: text})
}

// names adds declared names.
func (c *collector) names(list ...*ast.Ident) {
	for _, n := range list {
		if n != nil {
			c.fragments = append(c.fragments, Fragment{Line: c.set.Position(n.Pos()).Line, Text: n.Name, Name: true})
		}
	}
}

// visit collects the declared names and the strings of a node. It ignores names that are only
// used, because they may be from another module. It also ignores import paths and struct tags.
func (c *collector) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.File:
		c.names(n.Name)
	case *ast.FuncDecl:
		c.names(n.Name)
	case *ast.TypeSpec:
		c.names(n.Name)
	case *ast.ValueSpec:
		c.names(n.Names...)
	case *ast.Field:
		c.names(n.Names...)
		ast.Inspect(n.Type, c.visit)
		return false
	case *ast.ImportSpec:
		c.names(n.Name)
		return false
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			for _, left := range n.Lhs {
				if name, ok := left.(*ast.Ident); ok {
					c.names(name)
				}
			}
		}
	case *ast.RangeStmt:
		for _, left := range []ast.Expr{n.Key, n.Value} {
			if name, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE {
				c.names(name)
			}
		}
	case *ast.BasicLit:
		if n.Kind == token.STRING {
			c.prose(n.Pos(), n.Value)
		}
	}
	return true
}

// camelWords splits a name at capitals, digits, underscores and dashes:
// layOut_test is "lay out test".
func camelWords(name string) string {
	var out strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case r == '_' || r == '-' || r == '.':
			out.WriteByte(' ')
			continue
		case i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || (i+1 < len(runes) && unicode.IsLower(runes[i+1]))),
			i > 0 && unicode.IsDigit(r) && !unicode.IsDigit(runes[i-1]):
			out.WriteByte(' ')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}
