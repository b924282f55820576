package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// sdkPackage has the types of one package of an SDK, by name.
type sdkPackage struct {
	dir     string
	structs map[string]*structType
	// enums has the underlying type of each enum, such as string or int, by the enum's name.
	enums map[string]string
}

type structType struct {
	file   *ast.File
	fields []property
}

// property is a field of a struct, under Pulumi's name.
type property struct {
	name     string
	typeExpr ast.Expr
}

// loadPackage returns the package of the SDK in a folder, with its nested types. It reads each
// package once.
func (w *writer) loadPackage(folder string) (*sdkPackage, error) {
	if p, ok := w.packages[folder]; ok {
		return p, nil
	}
	p := &sdkPackage{dir: filepath.Join(w.root, folder), structs: map[string]*structType{}, enums: map[string]string{}}
	w.packages[folder] = p
	for _, pattern := range []string{"pulumiTypes*.go", "pulumiEnums*.go"} {
		files, err := filepath.Glob(filepath.Join(p.dir, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if err := p.parseFile(file); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// loadArgsStruct returns the unexported struct of a resource's inputs, such as keyArgs for Key. If the
// struct is not loaded yet, it parses the file of the package that declares it.
func (p *sdkPackage) loadArgsStruct(name string) (*structType, error) {
	typeName := strings.ToLower(name[:1]) + name[1:] + "Args"
	if p.structs[typeName] == nil {
		files, err := filepath.Glob(filepath.Join(p.dir, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			if strings.Contains(string(raw), "\ntype "+typeName+" struct {") {
				if err := p.parseFile(file); err != nil {
					return nil, err
				}
			}
		}
	}
	if p.structs[typeName] == nil {
		return nil, fmt.Errorf("%s has no type %s: is the token right?", p.dir, typeName)
	}
	return p.structs[typeName], nil
}

// parseFile adds the structs and the enums of one file to the package.
func (p *sdkPackage) parseFile(name string) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("the SDK's source: %w", err)
	}
	for _, decl := range file.Decls {
		genDecl, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range genDecl.Specs {
			typeSpec, ok := spec.(*ast.TypeSpec)
			if !ok {
				continue
			}
			switch typ := typeSpec.Type.(type) {
			case *ast.StructType:
				structure := &structType{file: file}
				for _, f := range typ.Fields.List {
					if name := pulumiName(f); name != "" {
						structure.fields = append(structure.fields, property{name, f.Type})
					}
				}
				p.structs[typeSpec.Name.Name] = structure
			case *ast.Ident:
				p.enums[typeSpec.Name.Name] = typ.Name
			}
		}
	}
	return nil
}

// pulumiName returns the name that a field has in Pulumi, from its tag. For a field without the
// tag it returns an empty string.
func pulumiName(f *ast.Field) string {
	if f.Tag == nil || len(f.Names) == 0 {
		return ""
	}
	raw, err := strconv.Unquote(f.Tag.Value)
	if err != nil {
		return ""
	}
	name, _, _ := strings.Cut(reflect.StructTag(raw).Get("pulumi"), ",")
	return name
}
