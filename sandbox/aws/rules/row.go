// Package rules owns what AWS makes of the properties of each resource type:
// names and limits, defaults, what refers to what, what a change replaces,
// what AWS computes, and what it refuses. One Row a type, in files by service.
//
// Where each fact comes from is written in the row: the file of the public
// source of terraform-provider-aws, which the pulumi-aws provider is built
// from, and the page of AWS's documentation. A property without a rule is
// refused, because nobody has looked at it.
package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Row is what is known of one resource type.
type Row struct {
	// Token is the Pulumi type, as in aws:ec2/vpc:Vpc.
	Token string
	// Source is the file of terraform-provider-aws that the facts come from,
	// below internal/service; Page is the page of AWS's documentation.
	Source, Page string
	// Label is what the provider's errors call the type, as in EC2 VPC.
	Label string
	// Global says that the type belongs to the account, not to a region.
	Global bool
	// ID is the template of its id; see template.go.
	ID string
	// NotFound is AWS's error code for an id that does not exist, Taken the one
	// for an id that is there already; {x} in TakenText stands for property x.
	NotFound, Taken, TakenText string
	// Put says that AWS has no creation apart from a change: making what is
	// there already overwrites it.
	Put bool
	// Naming says which property is its name and how one is made up.
	Naming *Naming
	// Props are the rules of the input properties, by path, as in
	// vpcConfig.subnetIds. What is not here is refused.
	Props Props
	// ExactlyOne are groups of which one property must be given, AtMostOne
	// groups of which no two may be; Requires names properties that make
	// others necessary.
	ExactlyOne, AtMostOne [][]string
	Requires              map[string][]string
	// Outputs are templates of what AWS computes.
	Outputs map[string]string
	// Volatile are outputs that any update changes.
	Volatile []string
	// VolatileIf names outputs that a certain update changes.
	VolatileIf func(old, in Object) []string
	// Unique are the properties that no two objects may share.
	Unique []Unique
	// DeleteBeforeReplace says that a replacement can't stand beside the old.
	DeleteBeforeReplace bool

	// Normal completes the program's inputs where the provider does before it
	// compares them with the state; properties may be unknown.
	Normal func(in Object)
	// Check looks at inputs that belong together, before anything is done;
	// properties may be unknown.
	Check func(in Object, fail Fail)
	// Verify refuses what AWS refuses when it is asked to create or change.
	Verify func(c *Call) error
	// Fill computes outputs that templates can't.
	Fill func(c *Call) error
	// Refresh brings computed outputs up to date at a read.
	Refresh func(c *Call) error
	// Remove refuses or completes a deletion; errKept leaves the object.
	Remove func(c *Call) error
	// MakeID returns the id where a template can't say it.
	MakeID func(c *Call) (string, error)
	// Unseen names properties whose difference the provider does not see.
	Unseen func(state, in Object) []string
	// ReplaceIf names further properties that a change replaces.
	ReplaceIf func(old, in Object) []string
}

// Fail reports a property, by path, and the reason why it is refused.
type Fail func(path, reason string, args ...any)

// Props are rules by property path.
type Props map[string]Prop

// Prop is the rule of one input property. For a list or map of plain values,
// Enum, Valid and Ref hold for each element.
type Prop struct {
	// Need says that it is required inside its object; for properties at the
	// top the schema says so.
	Need bool
	// Replace says that a change makes a new object.
	Replace bool
	// Default is what the provider uses where it is left out; Preset is the
	// same, but shown among the inputs, as Pulumi does for descriptions.
	Default, Preset any
	// Computed says that AWS chooses a value where it is left out, so that
	// leaving it out is no change.
	Computed bool
	// Enum are the values that it may have.
	Enum []string
	// Valid returns why a value is refused, or nothing.
	Valid func(v any) string
	// Min and Max bound the number of elements; a Max of 0 is no bound.
	Min, Max int
	// Set says that the order of its elements means nothing.
	Set bool
	// JSON says that it is a JSON document: compared by meaning, and an object
	// is accepted in place of its text.
	JSON bool
	// Present says that an empty object says something, as the actions of AWS
	// WAF do, and is not the same as leaving it out.
	Present bool
	// Same says when two strings mean the same to AWS.
	Same func(a, b string) bool
	// Ref says what it refers to.
	Ref *Ref
	// Refuse says why the stand-in refuses it although AWS knows it.
	Refuse string
}

// Ref says that a property names another object.
type Ref struct {
	// To are the types that it may name.
	To []string
	// By are the outputs that it is compared with; id is the object's id.
	By []string
	// Noun is what AWS calls it in the error, as in vpc ID.
	Noun string
	// Missing is AWS's error code where the object does not exist.
	Missing string
	// Holds is AWS's error code where the object is to be deleted while it is
	// named here; empty where AWS allows it.
	Holds string
	// Dies says that AWS removes the object that holds this property together
	// with the one that it names.
	Dies bool
	// Outside says of a value that it exists at AWS without anyone having made
	// it, as AWS's managed policies do.
	Outside func(value string) bool
}

// Unique says that no two objects of a scope may share these properties.
type Unique struct {
	Props []string
	// Code is AWS's error code, Message its text; {x} stands for property x.
	Code, Message string
}

var rows = map[string]*Row{}

// add registers rows; it is called from the variables of each service's file.
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

// Tokens are the types that have a row, sorted.
func Tokens() []string { return slices.Sorted(maps.Keys(rows)) }

// FileOf is the file of this package where the row of a type lies or would be
// added.
func FileOf(token string) string {
	service, _, _ := strings.Cut(strings.TrimPrefix(token, "aws:"), "/")
	if service == "vpc" {
		service = "ec2"
	}
	return fmt.Sprintf("sandbox/aws/rules/%s*.go", service)
}

// holder is a property of another type that refers to a type.
type holder struct {
	row  *Row
	path string
	ref  *Ref
}

// holdersOf returns every property that refers to a type.
func holdersOf(token string) []holder {
	var out []holder
	for _, t := range Tokens() {
		r := rows[t]
		for _, path := range slices.Sorted(maps.Keys(r.Props)) {
			if ref := r.Props[path].Ref; ref != nil && slices.Contains(ref.To, token) {
				out = append(out, holder{r, path, ref})
			}
		}
	}
	return out
}
