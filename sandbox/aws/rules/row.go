// Package rules has AWS's rules for the properties of each resource type: names and
// limits, defaults, references, replacements, computed values, and what AWS refuses.
// Each type has one Row, in files by service.
//
// A row names the sources of its facts: the file of the public source of
// terraform-provider-aws, from which the pulumi-aws provider is built, and the page
// of AWS's documentation. A property without a rule is refused, because its
// behaviour at AWS was not checked.
package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Row has the rules of one resource type.
type Row struct {
	// Token is the Pulumi type, as in aws:ec2/vpc:Vpc.
	Token string
	// Source is the file of terraform-provider-aws that the facts come from,
	// below internal/service; Page is the page of AWS's documentation.
	Source, Page string
	// Label is the type's name in the provider's errors, as in EC2 VPC.
	Label string
	// Global says that the type belongs to the account, not to a region.
	Global bool
	// ID is the template of its id; see template.go.
	ID string
	// NotFound is AWS's error code for an id that does not exist. ExistsCode and
	// ExistsText are the code and the text for an id that exists already; {x} in the
	// text is replaced by property x.
	NotFound, ExistsCode, ExistsText string
	// Put says that AWS has one call to create and to change: creating an existing
	// object overwrites it.
	Put bool
	// Naming defines the property of the name and how a name is generated.
	Naming *Naming
	// Props are the rules of the input properties, by path, as in
	// vpcConfig.subnetIds. A property without a rule is refused.
	Props Props
	// ExactlyOne are groups of which exactly one property must be set, AtMostOne
	// groups of which at most one may be set. Requires has properties that need
	// others.
	ExactlyOne, AtMostOne [][]string
	Requires              map[string][]string
	// Outputs are templates of computed outputs.
	Outputs map[string]string
	// Volatile are outputs that every update changes.
	Volatile []string
	// VolatileIf returns outputs that a certain update changes.
	VolatileIf func(old, in Object) []string
	// Unique are properties that must differ between objects.
	Unique []Unique
	// DeleteBeforeReplace says that the old object must be deleted before its
	// replacement is created.
	DeleteBeforeReplace bool
	// Normalize completes the program's inputs as the provider does before it compares
	// them with the state; properties may be unknown.
	Normalize func(in Object)
	// Check checks several inputs together, in a preview too; properties may be
	// unknown.
	Check func(in Object, fail Fail)
	// Verify returns the error with which AWS refuses a creation or a change.
	Verify func(c *Call) error
	// Fill computes outputs for which a template is not enough.
	Fill func(c *Call) error
	// Refresh updates computed outputs at a read.
	Refresh func(c *Call) error
	// Remove refuses or completes a deletion; errKept keeps the object.
	Remove func(c *Call) error
	// NewID returns the id if a template is not enough.
	NewID func(c *Call) (string, error)
	// IgnoreDiff returns properties whose differences the provider ignores.
	IgnoreDiff func(state, in Object) []string
	// ReplaceIf returns further properties whose change is a replacement.
	ReplaceIf func(old, in Object) []string
}

// Fail reports a refused property by path, with the reason.
type Fail func(path, reason string, args ...any)

// Props are rules by property path.
type Props map[string]Prop

// Prop is the rule of one input property. For a list or map of plain values, Enum,
// Valid and Ref apply to each element.
type Prop struct {
	// Required says that it is required inside its object. For properties at the top
	// level the schema has this.
	Required bool
	// Replace says that a change replaces the object.
	Replace bool
	// Default is the provider's value if it is not set. Preset is the same, but shown
	// in the inputs, as Pulumi does for descriptions.
	Default, Preset any
	// Computed says that AWS chooses a value if it is not set, so that omitting it is
	// no change.
	Computed bool
	// Enum are the allowed values.
	Enum []string
	// Valid returns the reason why a value is refused; "" if it is allowed.
	Valid func(v any) string
	// Min and Max limit the number of elements; a Max of 0 is no limit.
	Min, Max int
	// Set says that the order of the elements has no meaning.
	Set bool
	// JSON says that it is a JSON document. It is compared by meaning, and an object
	// is accepted in place of its text.
	JSON bool
	// Present says that an empty object has a meaning, such as an action of AWS WAF,
	// and so differs from an omitted one.
	Present bool
	// Same says whether AWS treats two strings as equal.
	Same func(a, b string) bool
	// Ref defines the object to which it refers.
	Ref *Ref
	// Refuse is the reason why the stand-in refuses a property that AWS has.
	Refuse string
}

// Ref defines the object to which a property refers.
type Ref struct {
	// To are the possible types of the object.
	To []string
	// By are the outputs with which the value is compared; id is the object's id.
	By []string
	// Noun is the object's name in AWS's error, as in vpc ID.
	Noun string
	// Missing is AWS's error code if the object does not exist.
	Missing string
	// InUseCode is AWS's error code for a deletion of the object while this property
	// refers to it; empty if AWS allows the deletion.
	InUseCode string
	// DeletedWith says that AWS deletes the object with this property together with
	// the object to which it refers.
	DeletedWith bool
	// Predefined says whether AWS itself defines the object, such as a managed policy.
	Predefined func(value string) bool
}

// Unique are properties whose values must differ between the objects of a scope.
type Unique struct {
	Props []string
	// Code is AWS's error code, Message its text; {x} is replaced by property x.
	Code, Message string
}

var rows = map[string]*Row{}

// add registers rows. The files of the services call it to initialize a variable.
func add(list ...*Row) bool { //nolint:unparam // a variable of the package needs a value
	for _, r := range list {
		rows[r.Token] = r
	}
	return true
}

// RowOf returns the row of a type.
func RowOf(token string) (*Row, bool) {
	r, ok := rows[token]
	return r, ok
}

// Tokens returns the types that have a row, sorted.
func Tokens() []string { return slices.Sorted(maps.Keys(rows)) }

// FileOf returns the files of this package for the row of a type.
func FileOf(token string) string {
	service, _, _ := strings.Cut(strings.TrimPrefix(token, "aws:"), "/")
	if service == "vpc" {
		service = "ec2"
	}
	return fmt.Sprintf("sandbox/aws/rules/%s*.go", service)
}

// reference is a property of another type that refers to a type.
type reference struct {
	row  *Row
	path string
	ref  *Ref
}

// referencesTo returns every property that refers to a type.
func referencesTo(token string) []reference {
	var out []reference
	for _, t := range Tokens() {
		r := rows[t]
		for _, path := range slices.Sorted(maps.Keys(r.Props)) {
			if ref := r.Props[path].Ref; ref != nil && slices.Contains(ref.To, token) {
				out = append(out, reference{r, path, ref})
			}
		}
	}
	return out
}
