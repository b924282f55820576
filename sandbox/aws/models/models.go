// Package models has the constraints that AWS publishes for the properties of the
// stand-in's types: allowed values, limits of numbers and lengths, patterns, and
// required members. Its table is generated from AWS's API models, from which AWS also
// generates its SDKs. Package rules applies the table to every property, so a row has only
// the rules that no model has.
//
// The models are of July 2024, the last ones in the Go module github.com/aws/aws-sdk-go.
// EC2's instance types are from a newer SDK. Later changes of AWS are in newer.go, with
// their sources.
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
	// From is the service, the shape and the member of the model, for error texts.
	From string `json:"from"`
	// Enum is the key of the allowed values in Table.Enums.
	Enum string `json:"enum,omitempty"`
	// Min and Max limit a number, or the characters of a text.
	Min *float64 `json:"min,omitempty"`
	Max *float64 `json:"max,omitempty"`
	// Number means that the value is a number at AWS, even if it is a text in the
	// provider.
	Number bool `json:"number,omitempty"`
	// Pattern is a regular expression in Go's syntax. It must match the whole text.
	Pattern string `json:"pattern,omitempty"`
	// MinItems and MaxItems limit the elements of a list.
	MinItems int `json:"minItems,omitempty"`
	MaxItems int `json:"maxItems,omitempty"`
	// Required means that AWS requires the member.
	Required bool `json:"required,omitempty"`
}

// Table is the generated table of constraints.
type Table struct {
	// Module has the names and versions of the modules with the models.
	Module string `json:"module"`
	// SourcesDigest is the result of the function Digest for the sources from which the table
	// was generated.
	SourcesDigest string `json:"rows"`
	// Enums are lists of allowed values. A key is a service and a shape, as in
	// ec2.InstanceType.
	Enums map[string][]string `json:"enums"`
	// Limits are the constraints by type and by the path of a property.
	Limits map[string]map[string]Limit `json:"limits"`
}

// Load returns the table. It panics if the embedded file is not valid JSON.
var Load = sync.OnceValue(func() *Table {
	t := &Table{}
	if err := json.Unmarshal(raw, t); err != nil {
		panic(fmt.Sprintf("AWS's models: %v", err))
	}
	return t
})

// Limit returns the limit of a property. ok is false if no model constrains it. A
// minimum in newerMin replaces the model's minimum.
func (t *Table) Limit(token, path string) (limit Limit, ok bool) {
	limit, ok = t.Limits[token][path]
	if low, changed := newerMin[limit.From]; changed {
		limit.Min = &low
	}
	return limit, ok
}

// Allows reports whether a number is between Min and Max, inclusive. A Min or Max that is nil is
// not checked.
func (l Limit) Allows(n float64) bool {
	return (l.Min == nil || n >= *l.Min) && (l.Max == nil || n <= *l.Max)
}

// Values returns the allowed values of a limit, including those in newerValues. It returns
// nil if the limit has no list of values.
func (t *Table) Values(l Limit) []string {
	if l.Enum == "" {
		return nil
	}
	return append(slices.Clone(t.Enums[l.Enum]), newerValues[l.Enum]...)
}

// Tokens returns the sorted tokens of the types in the table.
func (t *Table) Tokens() []string { return slices.Sorted(maps.Keys(t.Limits)) }

// Digest returns the digest of a table's sources: the property paths of every type, and the
// text of the mapping to the models. A test compares the result with Table.SourcesDigest. So the
// test finds an outdated table without the large models.
func Digest(paths map[string][]string, mapping string) string {
	h := sha256.New()
	for _, token := range slices.Sorted(maps.Keys(paths)) {
		fmt.Fprintln(h, token, paths[token])
	}
	fmt.Fprintln(h, mapping)
	return hex.EncodeToString(h.Sum(nil)[:16])
}
