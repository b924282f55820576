// Package models has the constraints that AWS publishes for the properties of the
// stand-in's types: allowed values, limits of numbers and lengths, patterns, and
// required members. Its table is generated from AWS's API models, the source of AWS's
// own SDKs. Package rules applies the table to every property, so a row has only the
// rules that no model has.
//
// The models are those of July 2024, the last ones in Go module
// github.com/aws/aws-sdk-go. EC2's instance types are those of a newer SDK. Later
// changes of AWS are in newer.go, with their sources.
package models

//go:generate go run ./gen

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
)

//go:embed models.json
var raw []byte

// Limit has the constraints of one property, or of each element of a list or map.
type Limit struct {
	// From names the service, the shape and the member of the model.
	From string `json:"from"`
	// Enum is the name of a list in Table.Enums; the values are allowed.
	Enum string `json:"enum,omitempty"`
	// Min and Max limit a number, or the characters of a text.
	Min *float64 `json:"min,omitempty"`
	Max *float64 `json:"max,omitempty"`
	// Number says that AWS has a number, even if the provider has a text.
	Number bool `json:"number,omitempty"`
	// Pattern is a regular expression in Go's syntax. It must match the whole text.
	Pattern string `json:"pattern,omitempty"`
	// MinItems and MaxItems limit the elements of a list.
	MinItems int `json:"minItems,omitempty"`
	MaxItems int `json:"maxItems,omitempty"`
	// Required says that AWS requires the member.
	Required bool `json:"required,omitempty"`
}

// Table is the generated table.
type Table struct {
	// Module are the modules of the models, with their versions.
	Module string `json:"module"`
	// Rows is the digest of the paths and the mapping from which the table was generated.
	Rows string `json:"rows"`
	// Enums are lists of allowed values, by service and shape.
	Enums map[string][]string `json:"enums"`
	// Limits are the constraints by type and by the path of a property.
	Limits map[string]map[string]Limit `json:"limits"`
}

// Load returns the table. It panics if the table is not JSON; then the build is broken.
var Load = sync.OnceValue(func() *Table {
	t := &Table{}
	if err := json.Unmarshal(raw, t); err != nil {
		panic(fmt.Sprintf("AWS's models: %v", err))
	}
	return t
})

// Property returns the limit of a property. ok is false if no model constrains it.
func (t *Table) Property(token, path string) (limit Limit, ok bool) {
	limit, ok = t.Limits[token][path]
	if low, changed := newerMin[limit.From]; changed {
		limit.Min = &low
	}
	return limit, ok
}

// Values returns the allowed values of a limit, with those that AWS has added since; nil
// if the limit has none.
func (t *Table) Values(l Limit) []string {
	if l.Enum == "" {
		return nil
	}
	return append(slices.Clone(t.Enums[l.Enum]), newer[l.Enum]...)
}

// Tokens returns the types of the table, sorted.
func (t *Table) Tokens() []string { return slices.Sorted(maps.Keys(t.Limits)) }

// Digest returns the digest of the inputs from which a table is generated: the paths of
// every type, and the mapping to the models. A test compares it with Table.Rows. So it
// finds a stale table without the models.
func Digest(paths map[string][]string, mapping string) string {
	h := sha256.New()
	for _, token := range slices.Sorted(maps.Keys(paths)) {
		fmt.Fprintln(h, token, paths[token])
	}
	fmt.Fprintln(h, mapping)
	return hex.EncodeToString(h.Sum(nil)[:16])
}
