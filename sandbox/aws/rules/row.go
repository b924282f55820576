// Package rules contains AWS's rules for each resource type of the stand-in. The rules
// define the allowed values and the default of a property. They define the object to which a
// property refers, and whether a change of the property replaces the resource. They also
// compute outputs, and return the errors with which AWS refuses a call. Each type has one
// Row, in a file of its service.
//
// A row has two sources of its facts: a file of terraform-provider-aws, from which
// pulumi-aws is built, and a page of AWS's documentation. The comments of this package
// give the path of a file, such as ec2/vpc_.go, below internal/service/ in the repository
// hashicorp/terraform-provider-aws. They give the path of a page below
// https://docs.aws.amazon.com/. "Not checked" means that the author knew a fact and did
// not find it in a source. A property without a rule is refused, because its behaviour at
// AWS is not known.
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
	// Source is the file of terraform-provider-aws with the facts, relative to
	// internal/service.
	Source string
	// Page is the page of AWS's documentation with the facts, relative to
	// docs.aws.amazon.com.
	Page string
	// Label is the type's name in the provider's errors, as in EC2 VPC.
	Label string
	// Global means that the type belongs to the account, not to a region.
	Global bool
	// ID is the template of an object's id; see template.go.
	ID string
	// NotFound is AWS's error code for an id that does not exist.
	NotFound string
	// ExistsCode and ExistsText are AWS's error code and text for an id that exists
	// already. {x} in the text is replaced by property x.
	ExistsCode, ExistsText string
	// Put means that AWS has one call that creates and changes an object. Then the
	// creation of an object that exists overwrites it.
	Put bool
	// Deferral defines which changes wait for a maintenance window. It is nil if no change
	// waits.
	Deferral *Deferral
	// Naming defines the property of the name and how a name is generated.
	Naming *Naming
	// Props are the rules of the input properties, by path, as in
	// vpcConfig.subnetIds. A property without a rule is refused.
	Props Props
	// MaxTags is the largest number of tags, with the provider's default tags. Zero means 50.
	MaxTags int
	// ExactlyOne are groups of properties. Exactly one property of a group must be set.
	ExactlyOne [][]string
	// AtMostOne are groups of properties. At most one property of a group may be set.
	AtMostOne [][]string
	// Requires maps a property to the properties that must be set together with it.
	Requires map[string][]string
	// Outputs are the templates of computed outputs, by property.
	Outputs map[string]string
	// Volatile are outputs that every update changes.
	Volatile []string
	// VolatileIf returns the outputs that an update changes only in some cases.
	VolatileIf func(old, in Object) []string
	// Unique are properties that must have a different value in every object of the type.
	Unique []Unique
	// DeleteBeforeReplace means that the old object must be deleted before its
	// replacement is created.
	DeleteBeforeReplace bool
	// Normalize completes the program's inputs, as the provider does before it compares
	// them with the state. Properties may be unknown.
	Normalize func(in Object)
	// Check checks properties that depend on each other. It also runs in a preview, so
	// properties may be unknown.
	Check func(in Object, fail Fail)
	// Verify returns the error with which AWS refuses a creation or a change.
	Verify func(c *Call) error
	// Fill computes outputs for which a template is not enough.
	Fill func(c *Call) error
	// Refresh updates computed outputs at a read.
	Refresh func(c *Call) error
	// BeforeDelete runs before a deletion. It returns AWS's error, or changes the other objects
	// that AWS changes. If it returns errKept, the object is not deleted.
	BeforeDelete func(c *Call) error
	// NewID returns the id of a new object if a template is not enough.
	NewID func(c *Call) (string, error)
	// IgnoreDiff returns the properties with differences that the provider ignores.
	IgnoreDiff func(state, in Object) []string
	// ReplaceIf returns changed properties that replace the resource only in some cases.
	ReplaceIf func(old, in Object) []string
}

// Fail reports a refused property by path, with the reason.
type Fail func(path, reason string, args ...any)

// Props are rules by property path.
type Props map[string]Prop

// Prop is the rule of one input property, in addition to AWS's model (package models). For
// a list or map of plain values, Enum, Valid and Ref apply to each element.
type Prop struct {
	// Required means that the property must be set in its object. The schema has the
	// required properties of the top level only.
	Required bool
	// Replace means that a change of the property replaces the resource.
	Replace bool
	// Default is the provider's value if the property is not set.
	Default any
	// Preset is the provider's value if the property is not set. Unlike Default it is
	// added to the inputs, as Pulumi does for descriptions.
	Preset any
	// Computed means that AWS chooses a value if the property is not set. Then the
	// omission of the property is not a change.
	Computed bool
	// Enum are the allowed values.
	Enum []string
	// Valid returns the reason why a value is refused; "" if it is allowed.
	Valid func(v any) string
	// Min and Max limit the number of elements; a Max of 0 means no limit.
	Min, Max int
	// Set means that the order of the elements has no meaning.
	Set bool
	// JSON means that the value is a JSON document. sameDocument compares two documents.
	// The program may also set an object instead of a string.
	JSON bool
	// AllowEmpty means that AWS accepts an empty string as a value, also if the property is
	// required.
	AllowEmpty bool
	// AllowOmitted means that the program may omit the property although AWS requires it. If
	// the program omits it, the provider sends a value.
	AllowOmitted bool
	// PresenceMatters means that an empty object has a meaning, such as an action of AWS WAF,
	// so it differs from an absent object.
	PresenceMatters bool
	// Same reports whether AWS treats two strings as equal.
	Same func(a, b string) bool
	// Ref defines the object to which the property refers.
	Ref *Ref
	// Refuse is the reason why the stand-in refuses a property that AWS has.
	Refuse string
}

// listOrder returns how lists of the property are compared: as sets, or in their order.
func (p Prop) listOrder() listOrder { return listOrder(p.Set) }

// Ref defines the object to which a property refers.
type Ref struct {
	// To are the possible types of the object.
	To []string
	// By are the outputs of the object with which the value is compared. "id" is the
	// object's id, and also the default.
	By []string
	// Within is a property that must have the same value in both objects, such as the
	// cluster of an access entry. It is empty if the outputs in By identify the object.
	Within string
	// Noun is the object's name in AWS's error, as in vpc ID.
	Noun string
	// Missing is AWS's error code if the object does not exist.
	Missing string
	// InUseCode is AWS's error code for a deletion of the object while this property
	// refers to it; empty if AWS allows the deletion.
	InUseCode string
	// DeletedWith means that AWS deletes the object with this property together with
	// the object to which it refers.
	DeletedWith bool
	// Predefined reports whether AWS itself defines the object, such as a managed policy.
	Predefined func(value string) bool
}

// Unique are properties that two objects of a type cannot have with the same values.
type Unique struct {
	Props []string
	// Code and Message are AWS's error code and text. {x} in the text is replaced by
	// property x.
	Code, Message string
}

// rows maps a type to its row.
var rows = map[string]*Row{}

// registerRows adds rows to the variable rows. The file of each service calls registerRows to
// initialize a package variable. So all rows are registered before main starts. The result
// has no meaning; it only gives the package variable a value.
func registerRows(list ...*Row) bool { //nolint:unparam // a variable of the package needs a value
	for _, row := range list {
		rows[row.Token] = row
	}
	return true
}

// LookupRow returns the row of a type, and whether the type has a row.
func LookupRow(token string) (*Row, bool) {
	row, ok := rows[token]
	return row, ok
}

// Tokens returns the types that have a row, sorted.
func Tokens() []string { return slices.Sorted(maps.Keys(rows)) }

// RowFiles returns the glob pattern of the files of this package that can contain the row of a
// type. The name of a file begins with the name of the service.
func RowFiles(token string) string {
	service, _, _ := strings.Cut(strings.TrimPrefix(token, "aws:"), "/")
	if service == "vpc" {
		service = "ec2"
	}
	return fmt.Sprintf("sandbox/aws/rules/%s*.go", service)
}

// reference is a property that refers to an object of another type.
type reference struct {
	row  *Row   // the row of the type that has the property
	path string // the path of the property
	ref  *Ref   // the property's rule
}

// referencesTo returns the properties of all types that can refer to an object of the type
// token.
func referencesTo(token string) []reference {
	var out []reference
	for _, referrer := range Tokens() {
		row := rows[referrer]
		for _, path := range slices.Sorted(maps.Keys(row.Props)) {
			if ref := row.Props[path].Ref; ref != nil && slices.Contains(ref.To, token) {
				out = append(out, reference{row, path, ref})
			}
		}
	}
	return out
}

// AcceptedPaths returns the paths of a type's properties that the stand-in accepts, sorted.
func AcceptedPaths(token string) []string {
	var out []string
	for path, p := range rows[token].Props {
		if p.Refuse == "" {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}
