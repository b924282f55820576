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

// opaque are types with thousands of members, which no rule reads.
var opaque = map[string]bool{"WebAclRuleStatement": true, "JSONSchemaProps": true}

// writer renders the views of one generated package, each type once.
type writer struct {
	out      output
	root     string
	packages map[string]*sdkPackage
	// owners maps the name of a view to the type that the view is for.
	owners map[string]string
	text   bytes.Buffer
}

// writeResource renders the view of a resource's inputs.
func (w *writer) writeResource(token string) error {
	module, name := w.locate(token)
	p, err := w.open(module)
	if err != nil {
		return err
	}
	args, err := p.argsStruct(name)
	if err != nil {
		return err
	}
	view := w.viewName(p, name)
	if owner := w.owners[view]; owner != "" {
		return fmt.Errorf("the view %s is already that of %s", view, owner)
	}
	w.owners[view] = token
	return w.writeView(view, "Token is the type of the resource.", token, p, args)
}

// locate splits a token into the folder of its package and the name of its type.
func (w *writer) locate(token string) (module, name string) {
	parts := strings.Split(token, ":")
	module, name = parts[1], parts[2]
	if w.out.module == awsModule {
		module, _, _ = strings.Cut(module, "/")
		return module, name
	}
	group, version, _ := strings.Cut(module, "/")
	group, _, _ = strings.Cut(group, ".")
	return group + "/" + version, name
}

// viewName returns the name of the view of a type of the SDK.
func (w *writer) viewName(p *sdkPackage, sdkType string) string {
	if !w.out.prefix {
		return sdkType
	}
	return exportedName(filepath.Base(p.dir)) + sdkType
}

// writeView renders the view of one struct, and then the views of the objects in
// it. token is empty if the struct is an object within a resource.
func (w *writer) writeView(view, comment, token string, p *sdkPackage, st *structType) error {
	var body bytes.Buffer
	var writeNested []func() error
	fmt.Fprintf(&body, "\ntype %s struct{ value.Node }\n", view)
	if token != "" {
		fmt.Fprintf(&body, "\n// %s\nfunc (%s) Token() string { return %q }\n", comment, view, token)
	}
	for _, f := range st.fields {
		goType, writeObject, err := w.goType(p, st.file, f.expr)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", view, f.name, err)
		}
		if writeObject != nil {
			writeNested = append(writeNested, writeObject)
		}
		get := "o.Get(" + strconv.Quote(f.name) + ")"
		if goType != "value.Node" {
			get = "value.As[" + goType + "](" + get + ")"
		}
		fmt.Fprintf(&body, "func (o %s) %s() %s { return %s }\n", view, method(f.name), goType, get)
	}
	w.text.Write(body.Bytes())
	for _, write := range writeNested {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

// method returns the name of a property's method. If value.Node already has a method
// with this name, the name gets the suffix Value.
func method(property string) string {
	name := exportedName(property)
	switch name {
	case "Get", "At", "IsSet", "Known", "Keys", "Walk", "Raw", "JSON", "Node", "Token", "IsSecret", "WithReferences":
		return name + "Value"
	}
	return name
}

// goType returns the Go type of a property, in package value or a view. If the type is a view
// that is not rendered yet, writeObject renders it. Otherwise writeObject is nil.
func (w *writer) goType(p *sdkPackage, file *ast.File, e ast.Expr) (name string, writeObject func() error, err error) {
	switch e := e.(type) {
	case *ast.StarExpr:
		return w.goType(p, file, e.X)
	case *ast.ArrayType:
		item, writeObject, err := w.goType(p, file, e.Elt)
		return listType("List", item), writeObject, err
	case *ast.MapType:
		item, writeObject, err := w.goType(p, file, e.Value)
		return listType("Map", item), writeObject, err
	case *ast.InterfaceType:
		return "value.Node", nil, nil
	case *ast.Ident:
		return w.namedType(p, e.Name)
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		if !ok {
			return "value.Node", nil, nil
		}
		other, err := w.openImported(file, x.Name)
		if err != nil || other == nil {
			return "value.Node", nil, err
		}
		return w.namedType(other, e.Sel.Name)
	}
	return "", nil, fmt.Errorf("a type of the form %T", e)
}

// listType returns the Go type of a list or a map of items.
func listType(kind, item string) string {
	if item == "value.Node" {
		item = "value.Value"
	}
	return "value." + kind + "[" + item + "]"
}

// namedType returns the Go type of a property whose type has a name in package p. writeObject has
// the meaning that it has in goType.
func (w *writer) namedType(p *sdkPackage, name string) (goType string, writeObject func() error, err error) {
	switch name {
	case "string":
		return "value.String", nil, nil
	case "bool":
		return "value.Bool", nil, nil
	case "int", "float64":
		return "value.Number", nil, nil
	}
	if basic, ok := p.basics[name]; ok {
		return w.namedType(p, basic)
	}
	st := p.structs[name]
	if st == nil {
		return "", nil, fmt.Errorf("type %s is not in %s", name, p.dir)
	}
	if opaque[name] {
		return "value.Node", nil, nil
	}
	view, id := w.viewName(p, name), p.dir+"."+name
	switch w.owners[view] {
	case id:
		return view, nil, nil
	case "":
		w.owners[view] = id
		return view, func() error { return w.writeView(view, "", "", p, st) }, nil
	}
	// A type of another package has this view name already, so the parent folder becomes a prefix.
	view = exportedName(filepath.Base(filepath.Dir(p.dir))) + view
	if w.owners[view] == id {
		return view, nil, nil
	}
	w.owners[view] = id
	return view, func() error { return w.writeView(view, "", "", p, st) }, nil
}

// openImported opens the package of the SDK that file imports as name. For a package of
// another module it returns nil.
func (w *writer) openImported(file *ast.File, name string) (*sdkPackage, error) {
	for _, imp := range file.Imports {
		target, err := strconv.Unquote(imp.Path.Value)
		if err != nil || imp.Name == nil || imp.Name.Name != name {
			continue
		}
		if rel, ok := strings.CutPrefix(target, w.out.module+"/"+w.out.root+"/"); ok {
			return w.open(rel)
		}
	}
	return nil, nil
}

// formatSource returns the rendered views in the format of gofmt.
func (w *writer) formatSource() ([]byte, error) { return format.Source(w.text.Bytes()) }
