// Package schema has the structure of every resource and function of the stand-in: the
// names and types of their properties, and whether a property is required. The tables in
// the folder data are generated from the source of the pulumi-aws SDK. Package rules has
// the rules for values.
//
// The notation of types in the tables:
//
//	string, bool, int, number
//	any     a string or an object
//	[T]     a list
//	{T}     a map
//	@Name   an object type of the same table
//	asset   a file of the program
//	other   a type that the stand-in does not support
//
// A question mark after the type of an input means that the input is optional.
package schema

//go:generate go run ./gen

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

//go:embed data/*.json
var data embed.FS

// ProviderToken is the token of the provider itself. Its inputs are the keys of the
// provider's configuration.
const ProviderToken = "pulumi:providers:aws"

// Fields maps the names of properties to their types.
type Fields map[string]string

// Names returns the sorted property names.
func (f Fields) Names() []string {
	out := make([]string, 0, len(f))
	for name := range f {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Resource is the structure of one resource type.
type Resource struct {
	Inputs  Fields   `json:"inputs"`
	Outputs Fields   `json:"outputs"`
	Secrets []string `json:"secrets"`

	types map[string]Fields
}

// Function is the structure of one function.
type Function struct {
	Inputs  Fields `json:"inputs"`
	Outputs Fields `json:"outputs"`

	types map[string]Fields
}

// Object returns the fields of a nested type of the resource, which is written @Name.
func (r *Resource) Object(typ string) Fields { return r.types[strings.TrimPrefix(typ, "@")] }

// Object returns the fields of a nested type of the function, which is written @Name.
func (f *Function) Object(typ string) Fields { return f.types[strings.TrimPrefix(typ, "@")] }

// table is the content of one file in the folder data. Each service has one table.
type table struct {
	SDK       string               `json:"sdk"`
	Resources map[string]*Resource `json:"resources"`
	Functions map[string]*Function `json:"functions"`
	Types     map[string]Fields    `json:"types"`
}

// tables maps a service to a func() (*table, error) that reads the table once.
var tables sync.Map

// loadTable returns the table of a service. It reads the table at the first use, because the
// plugin starts at every preview, and most stacks use few services.
func loadTable(service string) (*table, error) {
	load, _ := tables.LoadOrStore(service, sync.OnceValues(func() (*table, error) {
		raw, err := data.ReadFile("data/" + service + ".json")
		if errors.Is(err, fs.ErrNotExist) {
			return &table{}, nil // a service without a table has no types
		}
		if err != nil {
			return nil, fmt.Errorf("property table of %s: %w", service, err)
		}
		t := &table{}
		if err := json.Unmarshal(raw, t); err != nil {
			return nil, fmt.Errorf("property table of %s: %w", service, err)
		}
		for _, r := range t.Resources {
			r.types = t.Types
		}
		for _, f := range t.Functions {
			f.types = t.Types
		}
		return t, nil
	}))
	return load.(func() (*table, error))()
}

// tokenService returns the service of a token, such as ec2 for aws:ec2/vpc:Vpc.
func tokenService(token string) string {
	if token == ProviderToken {
		return "index"
	}
	service, _, _ := strings.Cut(strings.TrimPrefix(token, "aws:"), "/")
	return service
}

// LookupResource returns the structure of a resource type; ok is false if no table has the type.
func LookupResource(token string) (r *Resource, ok bool, err error) {
	t, err := loadTable(tokenService(token))
	if err != nil {
		return nil, false, err
	}
	r, ok = t.Resources[token]
	return r, ok, nil
}

// LookupFunction returns the structure of a function; ok is false if no table has the function.
func LookupFunction(token string) (f *Function, ok bool, err error) {
	t, err := loadTable(tokenService(token))
	if err != nil {
		return nil, false, err
	}
	f, ok = t.Functions[token]
	return f, ok, nil
}

// Tokens returns the sorted tokens of all resources and functions in the tables.
func Tokens() (resources, functions []string, err error) {
	files, err := data.ReadDir("data")
	if err != nil {
		return nil, nil, err
	}
	for _, f := range files {
		t, err := loadTable(strings.TrimSuffix(f.Name(), ".json"))
		if err != nil {
			return nil, nil, err
		}
		for token := range t.Resources {
			resources = append(resources, token)
		}
		for token := range t.Functions {
			functions = append(functions, token)
		}
	}
	slices.Sort(resources)
	slices.Sort(functions)
	return resources, functions, nil
}

// Version returns the version of the SDK from which the tables were generated,
// without the leading v.
func Version() (string, error) {
	t, err := loadTable("index")
	if err != nil {
		return "", err
	}
	_, version, _ := strings.Cut(t.SDK, "@v")
	return version, nil
}
