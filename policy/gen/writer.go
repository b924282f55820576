package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"path/filepath"
	"strconv"
	"strings"
)

// opaqueTypes are types with thousands of nested fields. No rule reads them, so they have no view.
var opaqueTypes = map[string]bool{"WebAclRuleStatement": true, "JSONSchemaProps": true}

// writer renders the views of one generated package. It renders the view of each type once.
type writer struct {
	output   output
	root     string
	packages map[string]*sdkPackage
	// owners maps the name of a view to the type that the view is for.
	owners map[string]string
	text   bytes.Buffer
}

// writeResource renders the view of a resource's inputs.
func (w *writer) writeResource(token string) error {
	folder, name := w.splitToken(token)
	p, err := w.loadPackage(folder)
	if err != nil {
		return err
	}
	inputs, err := p.loadArgsStruct(name)
	if err != nil {
		return err
	}
	view := w.viewName(p, name)
	if owner := w.owners[view]; owner != "" {
		return fmt.Errorf("view name %s: the type %s already has it", view, owner)
	}
	w.owners[view] = token
	return w.writeView(view, "Token is the type of the resource.", token, p, inputs)
}

// splitToken splits a token into the folder of its package and the name of its type. For a Kubernetes
// type the folder is GROUP/VERSION, with the group's name up to the first dot.
func (w *writer) splitToken(token string) (folder, name string) {
	parts := strings.Split(token, ":")
	folder, name = parts[1], parts[2]
	if w.output.module == awsModule {
		folder, _, _ = strings.Cut(folder, "/")
		return folder, name
	}
	group, version, _ := strings.Cut(folder, "/")
	group, _, _ = strings.Cut(group, ".")
	return group + "/" + version, name
}

// viewName returns the name of the view of a type of the SDK.
func (w *writer) viewName(p *sdkPackage, sdkType string) string {
	if !w.output.hasPackagePrefix {
		return sdkType
	}
	return exportedName(filepath.Base(p.dir)) + sdkType
}

// writeView renders the view of one struct, and then the views of the objects in
// it. token is empty if the struct is an object within a resource.
func (w *writer) writeView(view, comment, token string, p *sdkPackage, structure *structType) error {
	var body bytes.Buffer
	var nestedWriters []func() error
	fmt.Fprintf(&body, "\ntype %s struct{ value.Node }\n", view)
	if token != "" {
		fmt.Fprintf(&body, "\n// %s\nfunc (%s) Token() string { return %q }\n", comment, view, token)
	}
	for _, f := range structure.fields {
		goType, writeObject, err := w.goType(p, structure.file, f.typeExpr)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", view, f.name, err)
		}
		if writeObject != nil {
			nestedWriters = append(nestedWriters, writeObject)
		}
		get := "o.Get(" + strconv.Quote(f.name) + ")"
		if goType != "value.Node" {
			get = "value.As[" + goType + "](" + get + ")"
		}
		fmt.Fprintf(&body, "func (o %s) %s() %s { return %s }\n", view, methodName(f.name), goType, get)
	}
	w.text.Write(body.Bytes())
	for _, write := range nestedWriters {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

// methodName returns the name of a property's method. If value.Node already has a method
// with this name, the name gets the suffix Value.
func methodName(property string) string {
	name := exportedName(property)
	switch name {
	case "Get", "At", "IsSet", "Known", "Keys", "Walk", "Raw", "JSON", "Node", "Token", "IsSecret", "WithReferences":
		return name + "Value"
	}
	return name
}

// goType returns the Go type of a property: a type of package value, or a view. If the type is a view
// that is not rendered yet, writeObject renders it. Otherwise writeObject is nil.
func (w *writer) goType(p *sdkPackage, file *ast.File, e ast.Expr) (name string, writeObject func() error, err error) {
	switch e := e.(type) {
	case *ast.StarExpr:
		return w.goType(p, file, e.X)
	case *ast.ArrayType:
		item, writeObject, err := w.goType(p, file, e.Elt)
		return collectionType("List", item), writeObject, err
	case *ast.MapType:
		item, writeObject, err := w.goType(p, file, e.Value)
		return collectionType("Map", item), writeObject, err
	case *ast.InterfaceType:
		return "value.Node", nil, nil
	case *ast.Ident:
		return w.namedType(p, e.Name)
	case *ast.SelectorExpr:
		packageName, ok := e.X.(*ast.Ident)
		if !ok {
			return "value.Node", nil, nil
		}
		imported, err := w.loadImportedPackage(file, packageName.Name)
		if err != nil || imported == nil {
			return "value.Node", nil, err
		}
		return w.namedType(imported, e.Sel.Name)
	}
	return "", nil, fmt.Errorf("a type of the form %T: must be a name, a pointer, a list, a map or an interface", e)
}

// collectionType returns the Go type of a list or a map of items. kind is List or Map.
func collectionType(kind, item string) string {
	if item == "value.Node" {
		item = "value.Value"
	}
	return "value." + kind + "[" + item + "]"
}

// namedType returns the Go type of a property. name is the name of the property's type in package
// p. If the type is a view that is not rendered yet, writeObject renders it. Otherwise writeObject
// is nil.
func (w *writer) namedType(p *sdkPackage, name string) (goType string, writeObject func() error, err error) {
	switch name {
	case "string":
		return "value.String", nil, nil
	case "bool":
		return "value.Bool", nil, nil
	case "int", "float64":
		return "value.Number", nil, nil
	}
	if underlying, ok := p.enums[name]; ok {
		return w.namedType(p, underlying)
	}
	structure := p.structs[name]
	if structure == nil {
		return "", nil, fmt.Errorf("type %s is not in %s", name, p.dir)
	}
	if opaqueTypes[name] {
		return "value.Node", nil, nil
	}
	view, typeID := w.viewName(p, name), p.dir+"."+name
	switch w.owners[view] {
	case typeID:
		return view, nil, nil
	case "":
		w.owners[view] = typeID
		return view, func() error { return w.writeView(view, "", "", p, structure) }, nil
	}
	// A type of another package has this view name already, so the parent folder becomes a prefix.
	view = exportedName(filepath.Base(filepath.Dir(p.dir))) + view
	if w.owners[view] == typeID {
		return view, nil, nil
	}
	w.owners[view] = typeID
	return view, func() error { return w.writeView(view, "", "", p, structure) }, nil
}

// loadImportedPackage returns the package of the SDK that file imports as name. For a package of
// another module it returns nil.
func (w *writer) loadImportedPackage(file *ast.File, name string) (*sdkPackage, error) {
	for _, imp := range file.Imports {
		importPath, err := strconv.Unquote(imp.Path.Value)
		if err != nil || imp.Name == nil || imp.Name.Name != name {
			continue
		}
		if packagePath, ok := strings.CutPrefix(importPath, w.output.module+"/"+w.output.root+"/"); ok {
			return w.loadPackage(packagePath)
		}
	}
	return nil, nil
}

// formatSource returns the rendered views in the format of gofmt.
func (w *writer) formatSource() ([]byte, error) { return format.Source(w.text.Bytes()) }
