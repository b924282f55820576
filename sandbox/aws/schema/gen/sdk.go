package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// table is one file of schema/data; package schema reads it.
type table struct {
	SDK       string              `json:"sdk"`
	Resources map[string]resource `json:"resources,omitempty"`
	Functions map[string]function `json:"functions,omitempty"`
	Types     map[string]fields   `json:"types,omitempty"`
}

// resource is the structure of one resource type in a table.
type resource struct {
	Inputs  fields   `json:"inputs"`
	Outputs fields   `json:"outputs"`
	Secrets []string `json:"secrets,omitempty"`
}

// function is the structure of one function in a table.
type function struct {
	Inputs  fields `json:"inputs,omitempty"`
	Outputs fields `json:"outputs"`
}

// fields are property names with their types, in the notation of package
// schema.
type fields map[string]string

// sdk reads the Go packages of the pulumi-aws SDK, and caches them.
type sdk struct {
	dir      string
	packages map[string]*sdkPackage // by module
}

// sdkPackage is one package of the SDK. It has the content of all files, but only the
// declarations of the files that were parsed.
type sdkPackage struct {
	files   map[string][]byte // by path
	parsed  map[string]bool   // by path
	structs map[string]*ast.StructType
	basics  map[string]string // the enums: named types with their string, number or boolean type
	funcs   map[string]*ast.FuncDecl
}

// newSDK returns the SDK with the Go packages in dir.
func newSDK(dir string) *sdk { return &sdk{dir: dir, packages: map[string]*sdkPackage{}} }

// openPackage returns the package of a module. It parses the files with the nested types. The
// module index is the root package of the SDK.
func (s *sdk) openPackage(module string) (*sdkPackage, error) {
	if p, ok := s.packages[module]; ok {
		return p, nil
	}
	dir := s.dir
	if module != "index" {
		dir = filepath.Join(dir, module)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("the SDK has no package %s", dir)
	}
	p := &sdkPackage{
		files: map[string][]byte{}, structs: map[string]*ast.StructType{}, basics: map[string]string{},
		funcs: map[string]*ast.FuncDecl{}, parsed: map[string]bool{},
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		p.files[name] = raw
	}
	for name := range p.files {
		if base := filepath.Base(name); strings.HasPrefix(base, "pulumiTypes") || strings.HasPrefix(base, "pulumiEnums") {
			if err := p.parseFile(name); err != nil {
				return nil, err
			}
		}
	}
	s.packages[module] = p
	return p, nil
}

// parseFile adds the declarations of one file to p, unless the file was parsed before.
func (p *sdkPackage) parseFile(name string) error {
	if p.parsed[name] {
		return nil
	}
	p.parsed[name] = true
	file, err := parser.ParseFile(token.NewFileSet(), name, p.files[name], parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("the SDK's source: %w", err)
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				p.funcs[d.Name.Name] = d
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				t, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				switch u := t.Type.(type) {
				case *ast.StructType:
					p.structs[t.Name.Name] = u
				case *ast.Ident:
					p.basics[t.Name.Name] = u.Name
				}
			}
		}
	}
	return nil
}

// findFile returns the path of the file that contains all of the texts.
func (p *sdkPackage) findFile(texts ...string) (string, error) {
	for name, raw := range p.files {
		if !slices.ContainsFunc(texts, func(text string) bool { return !bytes.Contains(raw, []byte(text)) }) {
			return name, nil
		}
	}
	return "", fmt.Errorf("the SDK has no file with %s: is the token right?", strings.Join(texts, " and "))
}

// addToken adds the resource or the function with the token tok to t. The last part of the token
// begins with a capital letter for a resource, and with a small letter for a function.
func (s *sdk) addToken(t *table, module, tok string) error {
	p, err := s.openPackage(module)
	if err != nil {
		return err
	}
	name := tok[strings.LastIndex(tok, ":")+1:]
	if strings.ToLower(name[:1]) == name[:1] {
		return p.addFunction(t, tok)
	}
	return p.addResource(t, tok, name)
}

// addResource adds the structure of a resource to t. The inputs are in the struct of the
// arguments, the outputs in the struct of the state. The constructor has the required
// arguments and the secret outputs.
func (p *sdkPackage) addResource(t *table, tok, name string) error {
	file, err := p.findFile(`RegisterResource("`+tok+`"`, "\nfunc New"+name+"(")
	if err != nil {
		return err
	}
	if err := p.parseFile(file); err != nil {
		return err
	}
	constructor := p.funcs["New"+name]
	unexported := strings.ToLower(name[:1]) + name[1:]
	args, state := p.structs[unexported+"Args"], p.structs[unexported+"State"]
	if constructor == nil || args == nil || state == nil {
		return fmt.Errorf("the SDK has no New%s with %sArgs and %sState", name, unexported, unexported)
	}
	in, err := p.structFields(t, args)
	if err != nil {
		return err
	}
	// The struct does not show whether a list is required. The constructor returns an error
	// if a required argument is nil.
	for _, field := range requiredArgs(constructor) {
		prop := fieldProperty(args, field)
		in[prop] = strings.TrimSuffix(in[prop], "?")
	}
	out, err := p.structFields(t, state)
	if err != nil {
		return err
	}
	for prop := range out {
		out[prop] = strings.TrimSuffix(out[prop], "?")
	}
	t.Resources[tok] = resource{Inputs: in, Outputs: out, Secrets: secretOutputs(constructor)}
	return nil
}

// addFunction adds the structure of a function to t. The inputs are in the struct of the
// arguments, the outputs in the struct of the result.
func (p *sdkPackage) addFunction(t *table, tok string) error {
	file, err := p.findFile(`ctx.Invoke("` + tok + `"`)
	if err != nil {
		return err
	}
	if err := p.parseFile(file); err != nil {
		return err
	}
	// The Go function is found by the token in its body, because its name can begin with
	// Get or Lookup.
	for _, decl := range p.funcs {
		result := resultType(decl, tok)
		if result == "" {
			continue
		}
		structure := function{}
		args := strings.TrimSuffix(result, "Result") + "Args"
		if p.structs[args] != nil {
			if structure.Inputs, err = p.structFields(t, p.structs[args]); err != nil {
				return err
			}
		}
		if structure.Outputs, err = p.structFields(t, p.structs[result]); err != nil {
			return err
		}
		for prop := range structure.Outputs {
			structure.Outputs[prop] = strings.TrimSuffix(structure.Outputs[prop], "?")
		}
		t.Functions[tok] = structure
		return nil
	}
	return errors.New("the SDK has no function that invokes " + tok)
}

// addProvider adds the provider's configuration to t.
func (s *sdk) addProvider(t *table) error {
	p, err := s.openPackage("index")
	if err != nil {
		return err
	}
	if err := p.parseFile(filepath.Join(s.dir, "provider.go")); err != nil {
		return err
	}
	in, err := p.structFields(t, p.structs["providerArgs"])
	if err != nil {
		return err
	}
	t.Resources["pulumi:providers:aws"] = resource{Inputs: in, Outputs: fields{}}
	return nil
}

// structFields returns the properties of a struct with their types. It adds the nested types of
// the properties to t.
func (p *sdkPackage) structFields(t *table, st *ast.StructType) (fields, error) {
	out := fields{}
	for _, f := range st.Fields.List {
		prop := propertyName(f)
		if prop == "" {
			continue
		}
		typ, optional, err := p.typeNotation(t, f.Type)
		if err != nil {
			return nil, fmt.Errorf("property %s: %w", prop, err)
		}
		if optional {
			typ += "?"
		}
		out[prop] = typ
	}
	return out, nil
}

// typeNotation returns a Go type in the notation of package schema. It adds a nested type to t.
// optional is true for pointers, slices, maps and interfaces, because they may be nil.
func (p *sdkPackage) typeNotation(t *table, e ast.Expr) (text string, optional bool, err error) {
	switch e := e.(type) {
	case *ast.StarExpr:
		text, _, err = p.typeNotation(t, e.X)
		return text, true, err
	case *ast.ArrayType:
		text, _, err = p.typeNotation(t, e.Elt)
		return "[" + text + "]", true, err
	case *ast.MapType:
		text, _, err = p.typeNotation(t, e.Value)
		return "{" + text + "}", true, err
	case *ast.InterfaceType:
		return "any", true, nil
	case *ast.Ident:
		switch e.Name {
		case "string", "bool", "int":
			return e.Name, false, nil
		case "float64":
			return "number", false, nil
		}
		if basic, ok := p.basics[e.Name]; ok && p.structs[e.Name] == nil {
			return p.typeNotation(t, ast.NewIdent(basic))
		}
		nested := p.structs[e.Name]
		if nested == nil {
			return "", false, fmt.Errorf("type %s is not in the package", e.Name)
		}
		if _, done := t.Types[e.Name]; !done {
			t.Types[e.Name] = nil // types may be recursive
			fs, err := p.structFields(t, nested)
			if err != nil {
				return "", false, fmt.Errorf("type %s: %w", e.Name, err)
			}
			t.Types[e.Name] = fs
		}
		return "@" + e.Name, false, nil
	case *ast.SelectorExpr:
		if e.Sel.Name == "AssetOrArchive" {
			return "asset", true, nil
		}
		// A type of another package, which the stand-in does not support.
		return "other", true, nil
	}
	return "", false, fmt.Errorf("unknown kind of type %T", e)
}

// propertyName returns the property name in the tag of a struct field, or "" if the field has no
// such tag.
func propertyName(f *ast.Field) string {
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

// fieldProperty returns the property name of a field of the struct st, or "" if st has no such
// field. field is the Go name of the field.
func fieldProperty(st *ast.StructType, field string) string {
	for _, f := range st.Fields.List {
		if len(f.Names) > 0 && f.Names[0].Name == field {
			return propertyName(f)
		}
	}
	return ""
}

// requiredArgs returns the fields of args that a constructor requires. The constructor has a
// statement such as: if args.VpcId == nil { return nil, errors.New(...) }.
func requiredArgs(fn *ast.FuncDecl) []string {
	var out []string
	ast.Inspect(fn, func(n ast.Node) bool {
		branch, ok := n.(*ast.IfStmt)
		if !ok {
			return true
		}
		cond, ok := branch.Cond.(*ast.BinaryExpr)
		if !ok || cond.Op != token.EQL {
			return true
		}
		sel, ok := cond.X.(*ast.SelectorExpr)
		if !ok || !onlyReturns(branch.Body) {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == "args" {
			out = append(out, sel.Sel.Name)
		}
		return true
	})
	return out
}

// onlyReturns reports whether a block is a single return statement.
func onlyReturns(body *ast.BlockStmt) bool {
	if len(body.List) != 1 {
		return false
	}
	_, ok := body.List[0].(*ast.ReturnStmt)
	return ok
}

// secretOutputs returns the sorted secret outputs of a resource. The constructor passes their
// names to the function AdditionalSecretOutputs.
func secretOutputs(fn *ast.FuncDecl) []string {
	var out []string
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); !ok || sel.Sel.Name != "AdditionalSecretOutputs" {
			return true
		}
		ast.Inspect(call, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					out = append(out, s)
				}
			}
			return true
		})
		return false
	})
	slices.Sort(out)
	return out
}

// resultType returns the name of the result type of a Go function that invokes the token. The
// SDK declares the result as the variable rv. resultType returns "" if the function does not
// invoke the token.
func resultType(fn *ast.FuncDecl, tok string) string {
	invokes, result := false, ""
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			invokes = invokes || n.Value == strconv.Quote(tok)
		case *ast.ValueSpec:
			if id, ok := n.Type.(*ast.Ident); ok && len(n.Names) == 1 && n.Names[0].Name == "rv" {
				result = id.Name
			}
		}
		return true
	})
	if !invokes {
		return ""
	}
	return result
}
