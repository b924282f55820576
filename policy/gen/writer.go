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
	// owners maps the name of a view to the type that has it.
	owners map[string]string
	text   bytes.Buffer
}

// resource renders the view of a resource's inputs.
func (w *writer) resource(token string) error {
	module, name := w.place(token)
	p, err := w.open(module)
	if err != nil {
		return err
	}
	args, err := p.args(name)
	if err != nil {
		return err
	}
	view := w.name(p, name)
	if owner := w.owners[view]; owner != "" {
		return fmt.Errorf("the view %s is already that of %s", view, owner)
	}
	w.owners[view] = token
	return w.view(view, "Token is the type of the resource.", token, p, args)
}

// place splits a token into the folder of its package and the name of its type.
func (w *writer) place(token string) (module, name string) {
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

func (w *writer) name(p *sdkPackage, typ string) string {
	if !w.out.prefix {
		return typ
	}
	return export(filepath.Base(p.dir)) + typ
}

func (w *writer) view(view, comment, token string, p *sdkPackage, st *structType) error {
	var body bytes.Buffer
	var nested []func() error
	fmt.Fprintf(&body, "\ntype %s struct{ value.Node }\n", view)
	if token != "" {
		fmt.Fprintf(&body, "\n// %s\nfunc (%s) Token() string { return %q }\n", comment, view, token)
	}
	for _, f := range st.fields {
		typ, more, err := w.typ(p, st.file, f.expr)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", view, f.property, err)
		}
		if more != nil {
			nested = append(nested, more)
		}
		get := "o.Get(" + strconv.Quote(f.property) + ")"
		if typ != "value.Node" {
			get = "value.As[" + typ + "](" + get + ")"
		}
		fmt.Fprintf(&body, "func (o %s) %s() %s { return %s }\n", view, method(f.property), typ, get)
	}
	w.text.Write(body.Bytes())
	for _, more := range nested {
		if err := more(); err != nil {
			return err
		}
	}
	return nil
}

// method returns the name of a property's method. A name that Node has gets a
// suffix.
func method(property string) string {
	name := export(property)
	switch name {
	case "Get", "At", "Set", "Known", "Keys", "Walk", "Raw", "JSON", "Node", "Token", "IsSecret", "FromResource":
		return name + "Value"
	}
	return name
}

// typ renders the type of a property, and returns how to render the view of an
// object that was not rendered before.
func (w *writer) typ(p *sdkPackage, file *ast.File, e ast.Expr) (string, func() error, error) {
	switch e := e.(type) {
	case *ast.StarExpr:
		return w.typ(p, file, e.X)
	case *ast.ArrayType:
		item, more, err := w.typ(p, file, e.Elt)
		return list("List", item), more, err
	case *ast.MapType:
		item, more, err := w.typ(p, file, e.Value)
		return list("Map", item), more, err
	case *ast.InterfaceType:
		return "value.Node", nil, nil
	case *ast.Ident:
		return w.named(p, e.Name)
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		if !ok {
			return "value.Node", nil, nil
		}
		other, err := w.imported(file, x.Name)
		if err != nil || other == nil {
			return "value.Node", nil, err
		}
		return w.named(other, e.Sel.Name)
	}
	return "", nil, fmt.Errorf("a type of the form %T", e)
}

func list(kind, item string) string {
	if item == "value.Node" {
		item = "value.Value"
	}
	return "value." + kind + "[" + item + "]"
}

func (w *writer) named(p *sdkPackage, name string) (string, func() error, error) {
	switch name {
	case "string":
		return "value.String", nil, nil
	case "bool":
		return "value.Bool", nil, nil
	case "int", "float64":
		return "value.Number", nil, nil
	}
	if basic, ok := p.basics[name]; ok {
		return w.named(p, basic)
	}
	st := p.structs[name]
	if st == nil {
		return "", nil, fmt.Errorf("type %s is not in %s", name, p.dir)
	}
	if opaque[name] {
		return "value.Node", nil, nil
	}
	view, id := w.name(p, name), p.dir+"."+name
	switch w.owners[view] {
	case id:
		return view, nil, nil
	case "":
		w.owners[view] = id
		return view, func() error { return w.view(view, "", "", p, st) }, nil
	}
	// Another package has a type of the same name.
	view = export(filepath.Base(filepath.Dir(p.dir))) + view
	if w.owners[view] == id {
		return view, nil, nil
	}
	w.owners[view] = id
	return view, func() error { return w.view(view, "", "", p, st) }, nil
}

// imported opens the package of the SDK that file imports as name. It returns nil
// for a package of another module.
func (w *writer) imported(file *ast.File, name string) (*sdkPackage, error) {
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

func (w *writer) formatted() ([]byte, error) { return format.Source(w.text.Bytes()) }
